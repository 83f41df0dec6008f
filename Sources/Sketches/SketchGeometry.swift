/// The shape of a count-min sketch: `rows` rows of `width` cells.
///
/// Of a stream with N counted, the estimate of a key is above its count by more than εN with a probability of at most
/// δ, where ε = e / width and δ = e to the power of −rows (Cormode and Muthukrishnan, "An improved data stream summary:
/// the count-min sketch and its applications", J. Algorithms 2005, doi:10.1016/j.jalgor.2003.12.001).
public struct SketchGeometry: Equatable, Sendable {
    public let rows: Int
    /// A power of two.
    public let width: Int

    public static let maxRows = 32
    static let e = 2.718281828459045

    public init(rows: Int, width: Int) {
        precondition((1...Self.maxRows).contains(rows) && width > 0 && width & (width - 1) == 0)
        self.rows = rows
        self.width = width
    }

    /// The shape for the errors asked for; what is not asked for is 4 rows, and the largest width in `bytes`.
    /// - Parameters:
    ///   - epsilon: above 0 and below 1.
    ///   - delta: above 0 and below 1.
    /// - Returns: nil where it would take more than `maxRows` rows or 2⁴⁰ cells a row, or `bytes` hold no row.
    public init?(bytes: Int, epsilon: Double? = nil, delta: Double? = nil) {
        var rows = 4
        if let delta {
            rows = 1
            var reached = 1 / Self.e
            while reached > delta, rows <= Self.maxRows {
                rows += 1
                reached /= Self.e
            }
        }
        guard rows <= Self.maxRows else { return nil }
        var width = 1
        if let epsilon {
            while Double(width) * epsilon < Self.e {
                width *= 2
                if width > 1 << 40 { return nil }
            }
        } else {
            guard bytes / 8 / rows > 0 else { return nil }
            while width * 2 <= bytes / 8 / rows { width *= 2 }
        }
        self.init(rows: rows, width: width)
    }

    public var cells: Int { rows * width }
    public var bytes: Int { cells * 8 }
    public var epsilon: Double { Self.e / Double(width) }
    public var delta: Double {
        var delta = 1.0
        for _ in 0..<rows { delta /= Self.e }
        return delta
    }
}
