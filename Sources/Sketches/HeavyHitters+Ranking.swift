/// What a ranking is worth.
public enum Certainty: String, Sendable {
    /// Every key is held with its exact count.
    case exact
    /// The list is certainly the true list of the largest keys; the counts are upper bounds.
    case certified
    /// The counts are upper bounds; a key that belongs into the list may be missing.
    case estimated
}

/// The largest keys of a counter, and what is known about them. Entries 0 ..< `count` are the list.
public struct Ranking: Sendable {
    public let count: Int
    public let certainty: Certainty
    /// Distinct keys: all of them if exact, otherwise at least so many.
    public let distinct: Int
    /// No estimate is further above its count than this, but for a share δ of the rankings; 0 if exact.
    public let likelyError: Int64
}

/// A key with what is known of its count: `low` is not above it (but for a share δ of the rankings), `high` never below it.
public struct RankedEntry {
    public let key: UnsafeRawBufferPointer
    public let low: Int64
    public let high: Int64
}

extension HeavyHitters {
    /// Puts the largest keys in order: by estimate, the largest first, then by key. From then on the counter can only be
    /// read, until `reset`.
    /// - Parameter top: how many; nil for all that are held.
    public mutating func rank(top: Int?) throws(CountOverflow) -> Ranking {
        try settle()
        let listed = min(top ?? held, held)
        if isExact {
            table.arrange(.ranking, first: listed)
            return Ranking(count: listed, certainty: .exact, distinct: held, likelyError: 0)
        }
        let mostEvicted = sketch!.mostOfAnyKey()
        try fold()
        table.arrange(.ranking, first: listed)
        let least = (0..<listed).map { table.slots[$0].admitted }.min() ?? 0
        let rival = (listed..<held).map { table.slots[$0].count }.max() ?? 0
        let isCertified = listed == top && least > mostEvicted && least > rival
        return Ranking(
            count: listed, certainty: isCertified ? .certified : .estimated, distinct: max(held, sketch!.occupied()),
            likelyError: sketch!.likelyError(failure: plan.geometry.delta / Double(max(1, held))))
    }

    /// Adds every entry to the sketch, which then is that of the whole stream, and replaces its count by the estimate.
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

    /// Puts all keys that are held in order of their bytes. From then on the counter can only be read, until `reset`.
    public mutating func sortByKey() throws(CountOverflow) {
        try settle()
        table.arrange(.key, first: held)
    }

    /// An entry behind `rank` or `sortByKey`; its key is good until `reset`.
    /// - Parameter likelyError: of the ranking.
    public func entry(_ index: Int, likelyError: Int64 = 0) -> RankedEntry {
        precondition((0..<held).contains(index))
        let slot = table.slots + index
        let high = slot.pointee.count
        let low = isExact ? high : max(slot.pointee.admitted, high - min(high, likelyError))
        return RankedEntry(key: table.bytes(of: slot), low: low, high: high)
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
