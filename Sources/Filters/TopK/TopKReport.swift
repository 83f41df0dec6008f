import Bytes
import Sketches

/// Puts out what was counted in a window, and keeps the facts for the summary.
struct TopKReport {
    private let settings: TopKSettings
    let plan: MemoryPlan
    private var windows = 0
    private var certainty = Certainty.exact
    private var distinct = 0
    private var total: Int64? = 0
    /// The largest distance of two ends of a count.
    private var errorBound: Int64 = 0
    private var memory = 0
    private var evictions = 0

    init(_ settings: TopKSettings, _ plan: MemoryPlan) {
        self.settings = settings
        self.plan = plan
    }

    /// Puts out a window and starts its counter from zero. A window in which nothing was counted has no lines.
    /// - Parameters:
    ///   - label: the first field of each line; nil for none.
    ///   - memory: what all counters hold now, in bytes.
    mutating func put(
        _ counter: inout HeavyHitters, label: [UInt8]?, memory: Int, _ cells: CellKey, _ lines: inout OutputBuffer
    ) throws(CountOverflow) {
        try counter.settle()
        guard !counter.isEmpty else { return }
        var label = label ?? []
        if !label.isEmpty { label.append(UInt8(ascii: "\t")) }
        let sum = counter.total()
        let ranking: Ranking
        switch settings.emission {
        case .top:
            ranking = try counter.rank(top: settings.top)
            putList(counter, ranking, label, &lines)
        case .partials:
            ranking = try counter.sortByKey()
            putPartials(counter, label, cells, &lines)
        }
        windows += 1
        certainty = max(certainty, ranking.certainty)
        distinct = max(distinct, ranking.distinct)
        self.memory = max(self.memory, memory)
        total = total.flatMap { total in sum.flatMap { Self.sum(total, $0) } }
        clear(&counter)
    }

    /// Puts out the exact sum of a window, and keeps it.
    mutating func put(
        _ sum: inout RunningSum, label: [UInt8], memory: Int, _ lines: inout OutputBuffer
    ) {
        guard sum.live > 0 else { return }
        windows += 1
        distinct = max(distinct, sum.live)
        self.memory = max(self.memory, memory)
        total = total.flatMap { total in sum.total.flatMap { Self.sum(total, $0) } }
        let label = label + [UInt8(ascii: "\t")]
        sum.rank(top: settings.top ?? .max) { key, count in
            put(RankedEntry(key: key, low: count, high: count), label, &lines)
        }
    }

    /// Starts a counter from zero.
    mutating func clear(_ counter: inout HeavyHitters) {
        evictions += counter.evictions
        counter.reset()
    }

    private static func sum(_ left: Int64, _ right: Int64) -> Int64? {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? nil : sum
    }

    private mutating func putList(
        _ counter: borrowing HeavyHitters, _ ranking: Ranking, _ label: [UInt8], _ lines: inout OutputBuffer
    ) {
        for index in 0..<ranking.count {
            let entry = counter.entry(index, of: ranking)
            errorBound = max(errorBound, entry.high - entry.low)
            put(entry, label, &lines)
        }
    }

    private func put(_ entry: RankedEntry, _ label: [UInt8], _ lines: inout OutputBuffer) {
        lines.append(label)
        lines.append(entry.key)
        lines.append(UInt8(ascii: "\t"))
        if settings.showsBounds {
            lines.append(decimal: entry.low)
            lines.append(UInt8(ascii: "\t"))
        }
        lines.append(decimal: entry.high)
        lines.append(UInt8(ascii: "\n"))
    }

    /// Keys and cells, in the order of the bytes of what is put out.
    private func putPartials(
        _ counter: borrowing HeavyHitters, _ label: [UInt8], _ cells: CellKey, _ lines: inout OutputBuffer
    ) {
        var cellsAreOut = false
        for index in 0..<counter.held {
            let (key, count) = counter.heldEntry(index)
            // An escaped key sorts behind the cells, and so does every key behind the magic.
            if !cellsAreOut, !key.lexicographicallyPrecedes(CellKey.magic) {
                putCells(counter, label, cells, &lines)
                cellsAreOut = true
            }
            lines.append(label)
            if CellKey.isReserved(key) { lines.append(CellKey.escape) }
            lines.append(key)
            lines.append(UInt8(ascii: "\t"))
            lines.append(decimal: count)
            lines.append(UInt8(ascii: "\n"))
        }
        if !cellsAreOut { putCells(counter, label, cells, &lines) }
    }

    private func putCells(
        _ counter: borrowing HeavyHitters, _ label: [UInt8], _ cells: CellKey, _ lines: inout OutputBuffer
    ) {
        counter.forEachCell { row, column, count in
            lines.append(label)
            cells.append(row: row, column: column, to: &lines)
            lines.append(UInt8(ascii: "\t"))
            lines.append(decimal: count)
            lines.append(UInt8(ascii: "\n"))
        }
    }

    /// About all windows: the largest or the worst of any one, and the sum of what was counted.
    var summary: Summary {
        var summary = Summary()
        summary.add("answer", certainty.rawValue)
        summary.add("windows", windows)
        summary.add("counted", total.map { .integer($0) } ?? .null)
        summary.add(certainty == .exact ? "distinct" : "distinct_at_least", distinct)
        summary.add("evictions", evictions)
        summary.add("error_bound", .integer(errorBound))
        summary.add("epsilon", .number(plan.geometry.epsilon))
        summary.add("delta", .number(plan.geometry.delta))
        summary.add("memory", memory)
        return summary
    }
}
