import CBytes

/// The exact sum of counters that come and go, with its largest keys at hand: what a window is while it hops from pane to
/// pane.
///
/// A key whose count has come to 0 stays in the table until that is full, so that entries lie still. Of the keys that come
/// before a *bar* in the order of a ranking the places are kept (`candidates`). As long as there are enough of them, the
/// largest keys are among them, and no other key need be looked at; when there are not, the bar is set anew.
///
/// - Cost: an access to the table for each key of what is added or taken away; for a ranking a few looks at each candidate,
///   and now and then a pass over the table: the more often, the more candidates there will be.
public struct RunningSum: ~Copyable {
    var table: CountTable
    /// Keys with a count.
    public private(set) var live = 0
    /// All counts together; nil past 64 bits.
    public private(set) var total: Int64? = 0
    /// The slots of keys that came before the bar when they last changed; of these `admitted` is 1.
    var candidates: [Int] = []
    /// What a candidate comes before: a key and its count; nil where the bar is to be set anew.
    var bar: Slot?
    /// How many candidates the bar lets in, at first, and rankings since it was set.
    var wanted = 0
    var rankings = 0
    private let seed: UInt64

    public init(seed: UInt64) {
        self.seed = seed
        table = CountTable(plan: .unbounded, seed: seed)
    }

    /// Memory in use, in bytes.
    public var memory: Int { table.memory + candidates.capacity * MemoryLayout<Int>.stride }

    /// Forgets everything, and gives the memory back.
    public mutating func reset() {
        table.reset()
        (live, total, candidates, bar) = (0, 0, [], nil)
    }

    /// Adds what a counter holds, which is exact and settled, or takes it away again.
    /// - Returns: false where a count would pass 64 bits, or the sum take more than `limit` bytes; then it is of no more use.
    public mutating func add(_ counter: borrowing HeavyHitters, sign: Int64, limit: Int) -> Bool {
        precondition(counter.isExact && counter.isSettled)
        let group = 16
        var pending = 0
        let slots = counter.table.slots
        for at in 0..<counter.table.capacity where !slots[at].key.isNone {
            // The cache lines of a group are asked for first, so that the waits overlap.
            if pending == 0 {
                var ahead = at
                var asked = 0
                while ahead < counter.table.capacity, asked < group {
                    if !slots[ahead].key.isNone {
                        cbytes_prefetch(
                            table.slots + (Int(truncatingIfNeeded: slots[ahead].key.tableHash) & (table.capacity - 1)))
                        asked += 1
                    }
                    ahead += 1
                }
                pending = asked
            }
            pending -= 1
            let key = slots[at].key
            let bytes = key.isLong ? counter.table.bytes(of: slots + at) : UnsafeRawBufferPointer(start: nil, count: 0)
            guard add(key, bytes, sign * slots[at].count, limit) else { return false }
        }
        return true
    }

    /// Adds a count for one key.
    public mutating func add(_ key: UnsafeRawBufferPointer, count: Int64, limit: Int) -> Bool {
        var none = Pending(
            key: .none, hash: 0, start: UnsafeRawPointer(table.slots), length: 0, count: 0, line: 0)
        table.prepare(key, count: count, line: 0, readable: key.count, &none)
        return add(none.key, key, count, limit)
    }

    /// - Parameter bytes: of a long key.
    private mutating func add(_ key: InlineKey, _ bytes: UnsafeRawBufferPointer, _ count: Int64, _ limit: Int) -> Bool {
        if table.used + 1 > MemoryPlan.entries(slots: table.capacity), !makeRoom(limit) { return false }
        let mask = table.capacity &- 1
        var at = Int(truncatingIfNeeded: key.tableHash) & mask
        // It ends, since a quarter of the slots are empty.
        while !table.slots[at].key.isNone {
            let found = table.slots[at].key
            if found == key
                || found.isLong && key.isLong && found.low == key.low && table.arena.holds(bytes, at: found.offset)
            {
                break
            }
            at = (at &+ 1) & mask
        }
        let slot = table.slots + at
        if slot.pointee.key.isNone {
            var key = key
            if key.isLong { key = InlineKey(longWithHash: key.low, offset: table.arena.append(bytes)) }
            slot.pointee = Slot(key: key, count: 0, admitted: 0)
            table.used += 1
        }
        let before = slot.pointee.count
        let (after, overflow) = before.addingReportingOverflow(count)
        if overflow { return false }
        slot.pointee.count = after
        live += (after == 0 ? 0 : 1) - (before == 0 ? 0 : 1)
        total = total.flatMap { total in
            let (sum, overflow) = total.addingReportingOverflow(count)
            return overflow ? nil : sum
        }
        if slot.pointee.admitted == 0, after > before, isBeforeBar(slot) {
            slot.pointee.admitted = 1
            candidates.append(at)
        }
        return true
    }

    @inline(__always)
    func isBeforeBar(_ slot: UnsafeMutablePointer<Slot>) -> Bool {
        guard var bar, slot.pointee.count >= bar.count, slot.pointee.count > 0 else { return false }
        return slot.pointee.count > bar.count || table.ranksBefore(slot, &bar)
    }

    /// A table without the keys that have no count, with room for as many more.
    private mutating func makeRoom(_ limit: Int) -> Bool {
        var capacity = MemoryPlan.firstSlots
        while MemoryPlan.entries(slots: capacity) < 2 * live + 1 { capacity *= 2 }
        // The old and the new one exist side by side.
        guard table.memory + MemoryPlan.bytes(slots: capacity) + table.arena.used <= limit else { return false }
        var next = CountTable(plan: .unbounded, seed: seed)
        if capacity > next.capacity { next.grow(to: capacity) }
        for at in 0..<table.capacity where table.slots[at].count != 0 {
            var entry = table.slots[at]
            if entry.key.isLong {
                let bytes = table.bytes(of: table.slots + at)
                entry.key = InlineKey(longWithHash: entry.key.low, offset: next.arena.append(bytes))
            }
            entry.admitted = 0
            next.put(entry)
            next.used += 1
        }
        table = next
        (candidates, bar) = ([], nil)
        return true
    }
}
