import CBytes

/// A count or a cell would pass 64 bits.
public struct CountOverflow: Error, Equatable, Sendable {
    /// The line that would have done it, as the caller numbered it; nil where it shows later.
    public let line: Int?

    public init(line: Int? = nil) { self.line = line }
}

/// The plain count-min sketch: each row adds a key's count to one of its cells, and the least of a key's cells is never
/// under its count. It is linear: the sketch of two streams is the sum of their sketches, in any order.
/// (Cormode and Muthukrishnan 2005, doi:10.1016/j.jalgor.2003.12.001.)
///
/// The cell of row r is the top bits of aᵣ·h + bᵣ modulo 2⁶⁴, where h is the key's XXH3 hash with the seed, and aᵣ (odd)
/// and bᵣ are the 2r-th and (2r+1)-th number of SplitMix64 from 0 (multiply-add-shift: Dietzfelbinger et al., J. Algorithms
/// 1997, doi:10.1006/jagm.1997.0873). Partials carry cells between machines, so none of this may change without a new
/// `CellKey.version`.
public struct CountMinSketch: ~Copyable {
    public let geometry: SketchGeometry
    public let seed: UInt64
    private let cells: UnsafeMutablePointer<Int64>
    private let shift: UInt64
    private let factors: [(a: UInt64, b: UInt64)]

    public init(_ geometry: SketchGeometry, seed: UInt64) {
        self.geometry = geometry
        self.seed = seed
        cells = .allocate(capacity: geometry.cells)
        cells.initialize(repeating: 0, count: geometry.cells)
        shift = UInt64(64 - geometry.width.trailingZeroBitCount)
        factors = (0..<UInt64(geometry.rows)).map { (Self.splitMix(2 * $0) | 1, Self.splitMix(2 * $0 + 1)) }
    }

    deinit { cells.deallocate() }

    /// The number at `index`, from 0, of SplitMix64 with the state 0 (Steele, Lea, Flood 2014, doi:10.1145/2660193.2660195).
    static func splitMix(_ index: UInt64) -> UInt64 {
        var mixed = (index &+ 1) &* 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// The hash of a key, from which its cells follow.
    public static func hash(_ key: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
        var none: UInt8 = 0
        guard let bytes = key.baseAddress else { return cbytes_xxh3(&none, 0, seed) }
        return cbytes_xxh3(bytes, key.count, seed)
    }

    @inline(__always)
    private func place(_ row: Int, _ hash: UInt64) -> Int {
        let (a, b) = factors[row]
        // A shift by 64, of a sketch one cell wide, gives 0 with >>.
        return row &* geometry.width &+ Int(truncatingIfNeeded: (a &* hash &+ b) >> shift)
    }

    /// Adds `count` for the key with this hash. Cost: a cache line a row.
    /// - Throws: when a cell would overflow; the sketch is then of no more use.
    public mutating func add(_ count: Int64, hash: UInt64) throws(CountOverflow) {
        var overflows = false
        for row in 0..<geometry.rows {
            let cell = cells + place(row, hash)  // below rows · width: the shift leaves log2 width bits
            let (sum, overflow) = cell.pointee.addingReportingOverflow(count)
            cell.pointee = sum
            overflows = overflows || overflow
        }
        if overflows { throw CountOverflow() }
    }

    /// The least cell of the key with this hash: never under its count.
    public func estimate(hash: UInt64) -> Int64 {
        var least = Int64.max
        for row in 0..<geometry.rows { least = min(least, cells[place(row, hash)]) }
        return least
    }

    /// The cell in one row and column.
    public subscript(row: Int, column: Int) -> Int64 {
        precondition((0..<geometry.rows).contains(row) && (0..<geometry.width).contains(column))
        return cells[row * geometry.width + column]
    }

    public mutating func add(_ count: Int64, row: Int, column: Int) throws(CountOverflow) {
        precondition((0..<geometry.rows).contains(row) && (0..<geometry.width).contains(column))
        let (sum, overflow) = cells[row * geometry.width + column].addingReportingOverflow(count)
        if overflow { throw CountOverflow() }
        cells[row * geometry.width + column] = sum
    }

    /// Adds the cells of `other`, which has the same geometry and seed.
    public mutating func add(_ other: borrowing CountMinSketch) throws(CountOverflow) {
        precondition(geometry == other.geometry && seed == other.seed)
        var overflows = false
        for at in 0..<geometry.cells {
            let (sum, overflow) = cells[at].addingReportingOverflow(other.cells[at])
            cells[at] = sum
            overflows = overflows || overflow
        }
        if overflows { throw CountOverflow() }
    }

    /// The cells of one row.
    func row(_ row: Int) -> UnsafeBufferPointer<Int64> {
        UnsafeBufferPointer(start: cells + row * geometry.width, count: geometry.width)
    }
}
