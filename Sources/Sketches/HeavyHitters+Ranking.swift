/// What a list is worth, the best first.
public enum Certainty: String, Comparable, Sendable {
    /// Every key is held with its exact count.
    case exact
    /// The list is certainly the true list of the largest keys; the counts are upper bounds.
    case certified
    /// The counts are upper bounds; a key that belongs into the list may be missing.
    case estimated

    private var order: Int {
        switch self {
        case .exact: 0
        case .certified: 1
        case .estimated: 2
        }
    }

    public static func < (left: Certainty, right: Certainty) -> Bool { left.order < right.order }
}

/// What is known about the list that a counter has put in order.
public struct Ranking: Equatable, Sendable {
    /// Entries in order.
    public let count: Int
    public let certainty: Certainty
    /// Distinct keys: all of them if exact, otherwise at least so many.
    public let distinct: Int
    /// How far what the sketch says of what was evicted may be too high, for all keys held at once, but for a chance of
    /// δ; 0 if exact.
    let likelyError: Int64
}

/// A key and what is known of its count: never above `high`, and below `low` only with a chance of δ for all of a list.
public struct RankedEntry {
    public let key: UnsafeRawBufferPointer
    public let low: Int64
    public let high: Int64

    public init(key: UnsafeRawBufferPointer, low: Int64, high: Int64) {
        (self.key, self.low, self.high) = (key, low, high)
    }
}

extension HeavyHitters {
    /// Puts the largest keys in order: by estimate, the largest first, then by key. From then on the counter can only be
    /// read, until `reset`.
    /// - Parameter top: how many; nil for all that are held.
    /// - Cost: three passes over the table, one over the sketch, and the sorting of what is listed. No memory.
    public mutating func rank(top: Int?) throws(CountOverflow) -> Ranking {
        try settle()
        let listed = min(top ?? held, held)
        if isExact {
            table.arrange(.ranking, first: listed)
            return Ranking(count: listed, certainty: .exact, distinct: held, likelyError: 0)
        }
        let mostEvicted = sketch!.mostOfAnyKey()
        let likelyError = sketch!.likelyError(failure: plan.geometry.delta / Double(max(1, held)))
        try fold()
        table.arrange(.ranking, first: listed)
        let distinct = max(held, sketch!.occupied())
        try unfold()
        let isCertain = listed == top && isCertain(listed, mostEvicted)
        return Ranking(
            count: listed, certainty: isCertain ? .certified : .estimated, distinct: distinct,
            likelyError: likelyError)
    }

    /// Whether the first entries are certainly those with the largest counts: the least of what was counted of them since
    /// they were admitted is more than any other key can have. That is, of a key that is not held, the most that the
    /// sketch says of any key, and of one that is, what was counted since it was admitted and what the sketch says.
    private func isCertain(_ listed: Int, _ mostEvicted: Int64) -> Bool {
        var least = Int64.max
        for index in 0..<listed { least = min(least, table.slots[index].admitted) }
        guard least > mostEvicted else { return false }
        for index in listed..<held where evictedAtMost(index) >= least - min(least, table.slots[index].admitted) {
            return false
        }
        return true
    }

    /// What the sketch, being that of what was evicted, says of an entry.
    private func evictedAtMost(_ index: Int) -> Int64 {
        switch sketch {
        case .some(let evicted): evicted.estimate(hash: table.sketchHash(of: table.slots + index))
        case .none: 0
        }
    }

    /// Adds every entry to the sketch, which then is that of all that was counted, and puts the estimate in the place of
    /// its count.
    private mutating func fold() throws(CountOverflow) {
        for at in 0..<table.capacity where !table.slots[at].key.isNone {
            let slot = table.slots + at
            try sketch!.add(slot.pointee.count, hash: table.sketchHash(of: slot))
        }
        for at in 0..<table.capacity where !table.slots[at].key.isNone {
            let slot = table.slots + at
            slot.pointee.admitted = slot.pointee.count
            slot.pointee.count = sketch!.estimate(hash: table.sketchHash(of: slot))
        }
    }

    /// Takes the entries, now in a list, out of the sketch again, which then is that of what was evicted.
    private mutating func unfold() throws(CountOverflow) {
        for slot in table.slots..<(table.slots + held) {
            try sketch!.add(-slot.pointee.admitted, hash: table.sketchHash(of: slot))
        }
    }

    /// An entry behind `rank`; its key is good until `reset`.
    public func entry(_ index: Int, of ranking: Ranking) -> RankedEntry {
        precondition((0..<ranking.count).contains(index) && ranking.count <= held)
        let slot = table.slots + index
        let (key, high) = (table.bytes(of: slot), slot.pointee.count)
        if isExact { return RankedEntry(key: key, low: high, high: high) }
        let evicted = max(0, evictedAtMost(index) - ranking.likelyError)
        return RankedEntry(key: key, low: slot.pointee.admitted + evicted, high: high)
    }

    /// Puts all keys that are held in order of their bytes. From then on the counter can only be read, until `reset`.
    public mutating func sortByKey() throws(CountOverflow) -> Ranking {
        try settle()
        table.arrange(.key, first: held)
        return Ranking(
            count: held, certainty: isExact ? .exact : .estimated, distinct: max(held, sketch?.occupied() ?? 0),
            likelyError: 0)
    }

    /// A key that is held behind `sortByKey`, and what was counted since it was admitted; good until `reset`.
    public func heldEntry(_ index: Int) -> (key: UnsafeRawBufferPointer, count: Int64) {
        precondition((0..<held).contains(index))
        let slot = table.slots + index
        return (table.bytes(of: slot), slot.pointee.count)
    }

    /// All that was counted; nil past 64 bits. To be asked before `rank`.
    /// - Cost: a pass over the table and one over a row of the sketch.
    public func total() -> Int64? {
        var total: Int64 = 0
        var overflows = false
        func add(_ count: Int64) {
            let (sum, overflow) = total.addingReportingOverflow(count)
            (total, overflows) = (sum, overflows || overflow)
        }
        for at in 0..<table.capacity where !table.slots[at].key.isNone { add(table.slots[at].count) }
        switch sketch {
        case .some(let cells): for cell in cells.row(0) { add(cell) }
        case .none: break
        }
        return overflows ? nil : total
    }

    /// Calls `body` with every cell of the sketch that is not 0, row by row.
    public func forEachCell(_ body: (_ row: Int, _ column: Int, _ count: Int64) -> Void) {
        switch sketch {
        case .some(let cells):
            for row in 0..<plan.geometry.rows {
                for (column, count) in cells.row(row).enumerated() where count != 0 { body(row, column, count) }
            }
        case .none: break
        }
    }
}
