/// Counts keys exactly while they fit, and then the largest of them in bounded memory.
///
/// When a key does not fit, the smaller half of the table is evicted whole into a count-min sketch. A key that comes
/// back starts from zero in the table; the rest of its count is in the sketch. Since adding c once is adding 1 c times,
/// table and sketch together are at any time, bit for bit, the count-min sketch of all that was counted, whatever the
/// order in which it came and whichever entries were evicted. So the estimates of a ranking depend on what was counted
/// alone, and counters merge by addition.
///
/// Not shown by proof: which keys the table holds in the end. A key much larger than those evicted last is among them.
public struct HeavyHitters: ~Copyable {
    public let plan: MemoryPlan
    public let seed: UInt64
    var table: CountTable
    /// None while every count is exact.
    var sketch: CountMinSketch?
    private let batch = Batch()
    private var staged = 0
    public private(set) var evictions = 0

    public init(_ plan: MemoryPlan, seed: UInt64 = 0) {
        self.plan = plan
        self.seed = seed
        table = CountTable(plan: plan, seed: seed)
    }

    /// Keys held.
    public var held: Int { table.used }

    /// Whether nothing has been counted.
    public var isEmpty: Bool { table.used == 0 && staged == 0 && sketch == nil }

    /// Memory in use, in bytes.
    public var memory: Int { table.memory + (sketch == nil ? 0 : plan.geometry.bytes) }

    /// Whether every key counted is held with its exact count: nothing was evicted.
    public var isExact: Bool { sketch == nil }

    /// Starts again from zero, and gives the memory back.
    public mutating func reset() {
        precondition(staged == 0)
        table.reset()
        sketch = nil
        evictions = 0
    }

    // MARK: - Counting

    /// Counts whole lines, each once.
    public mutating func count(_ lines: UnsafeRawBufferPointer) throws(CountOverflow) {
        try settle()
        var rest = lines
        while let full = table.count(rest, batch) {
            let next = full.start - rest.baseAddress.unsafelyUnwrapped  // the key lies in the rest
            let taken = try makeRoom(for: full) ? next : next + full.length + 1
            rest = UnsafeRawBufferPointer(rebasing: rest[taken...])
        }
    }

    /// Adds `count`, not negative, for `key`, now or at the latest at the next `settle`: until then the key's bytes must
    /// stay where they are.
    /// - Parameters:
    ///   - line: what a `CountOverflow` shall say.
    ///   - readable: how many bytes may be read at the key's start; from sixteen on it is faster.
    public mutating func stage(
        _ key: UnsafeRawBufferPointer, count: Int64, line: Int, readable: Int
    ) throws(CountOverflow) {
        if staged == Batch.capacity { try settle() }
        table.prepare(key, count: count, line: line, readable: readable, batch.pending + staged)
        staged += 1
    }

    /// Whether nothing is staged.
    public var isSettled: Bool { staged == 0 }

    /// Adds what was staged.
    public mutating func settle() throws(CountOverflow) {
        var range = 0..<staged
        staged = 0
        while true {
            switch table.settle(batch.pending, range) {
            case .all: return
            case .overflow(let at): throw CountOverflow(line: batch.pending[at].line)
            case .full(let at):
                let hasRoom = try makeRoom(for: batch.pending[at])
                range = (hasRoom ? at : at + 1)..<range.upperBound
            }
        }
    }

    /// Makes room for a key, or, where it would take most of the arena for itself, adds it to the sketch at once.
    /// - Returns: whether there is room now.
    private mutating func makeRoom(for pending: borrowing Pending) throws(CountOverflow) -> Bool {
        beginSketch()
        evictions += 1
        do {
            let cost = KeyArena.cost(pending.length)
            if cost > table.arenaLimit / 2 {
                try sketch!.add(pending.count, hash: pending.hash)
                return false
            }
            try table.evictHalf(table.hasFreeEntry ? .arena : .entries, round: UInt64(evictions), into: &sketch!)
            return true
        } catch {
            throw CountOverflow(line: pending.line)
        }
    }

    private mutating func beginSketch() {
        guard sketch == nil else { return }
        table.freeze()
        sketch = CountMinSketch(plan.geometry, seed: seed)
    }

    // MARK: - Totals

    /// Puts `count` in the place of what the key has. Returns whether there is room for the key: nothing is evicted, since
    /// what the sketch has of a key cannot be replaced.
    public mutating func replace(_ key: UnsafeRawBufferPointer, count: Int64) -> Bool {
        precondition(staged == 0)
        table.prepare(key, count: count, line: 0, readable: key.count, batch.pending)
        return table.replace(batch.pending)
    }

    /// Puts `count` in the place of what a cell has. Returns whether all fits.
    public mutating func replace(row: Int, column: Int, count: Int64) -> Bool {
        if count == 0, sketch == nil { return true }
        beginSketch()
        guard table.memory <= plan.share, let before = sketch?[row, column] else { return false }
        do { try sketch?.add(count - before, row: row, column: column) } catch { return false }
        return true
    }

    // MARK: - Merging

    /// Adds a cell of another counter's sketch, which has the same geometry and seed.
    public mutating func add(_ count: Int64, row: Int, column: Int) throws(CountOverflow) {
        if count == 0 { return }
        try settle()
        beginSketch()
        try sketch?.add(count, row: row, column: column)
    }

    /// Adds all that `other`, of the same geometry and seed, has counted.
    public mutating func add(_ other: borrowing HeavyHitters) throws(CountOverflow) {
        precondition(other.staged == 0)
        do {
            if other.sketch != nil { beginSketch() }
            for at in 0..<other.table.capacity where !other.table.slots[at].key.isNone {
                let slot = other.table.slots + at
                let key = other.table.bytes(of: slot)
                try stage(key, count: slot.pointee.count, line: 0, readable: key.count)
            }
            try settle()
            switch other.sketch {
            case .some(let cells): try sketch?.add(cells)
            case .none: break
            }
        } catch {
            throw CountOverflow()  // no line is to blame
        }
    }
}
