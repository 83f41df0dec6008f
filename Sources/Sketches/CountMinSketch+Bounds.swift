extension CountMinSketch {
    /// A key of which nothing but these cells is known cannot have more.
    func mostOfAnyKey() -> Int64 {
        var least = Int64.max
        for row in 0..<geometry.rows { least = min(least, self.row(row).max() ?? 0) }
        return least
    }

    /// Cells that are not 0 in the fullest row: there were at least so many distinct keys.
    func occupied() -> Int {
        var most = 0
        for row in 0..<geometry.rows { most = max(most, self.row(row).count { $0 != 0 }) }
        return most
    }

    /// How far an estimate may be above the count, but for a share of `failure` of the keys.
    ///
    /// What a cell holds besides a key's own count has the distribution of the cells themselves, so the sketch tells its own
    /// error: the chance that every row of a key has more than q too much is the product over the rows of the share of cells
    /// above q. The bound is the least q for which that is at most `failure`. For real, skewed counts it is far below εN.
    /// (Ting, "Count-Min: Optimal Estimation and Tight Error Bounds using Empirical Error Distributions", KDD 2018,
    /// doi:10.1145/3219819.3219975.)
    ///
    /// The distribution is kept in classes a 32nd wide, and the bound rounded up to the end of its class.
    func likelyError(failure: Double) -> Int64 {
        let classes = CountClass.all
        var above = [Double](repeating: 1, count: classes)
        for row in 0..<geometry.rows {
            var histogram = [Int](repeating: 0, count: classes)
            for cell in self.row(row) { histogram[CountClass.index(cell)] += 1 }
            var left = geometry.width
            for index in 0..<classes {
                left -= histogram[index]
                above[index] *= Double(left) / Double(geometry.width)
            }
        }
        // Nothing is above the last class.
        return CountClass.end(above.firstIndex { $0 <= failure } ?? classes - 1)
    }
}

/// Counts in classes: each number below 64 for itself, from there 32 classes between a power of two and the next.
enum CountClass {
    static let all = 64 + 57 * 32

    /// - Parameter count: not negative.
    @inline(__always)
    static func index(_ count: Int64) -> Int {
        let count = UInt64(bitPattern: count)
        guard count >= 64 else { return Int(truncatingIfNeeded: count) }
        let exponent = 63 &- count.leadingZeroBitCount  // from 6 to 62
        return (exponent &- 4) &* 32 &+ Int(truncatingIfNeeded: (count &>> UInt64(exponent &- 5)) & 31)
    }

    /// The largest count of a class.
    static func end(_ index: Int) -> Int64 {
        guard index >= 64 else { return Int64(index) }
        let (exponent, part) = (index / 32 + 4, UInt64(index % 32))
        return Int64(truncatingIfNeeded: ((32 + part + 1) << UInt64(exponent - 5)) - 1)
    }
}
