public import Bytes
import CBytes

/// Sums of count lines by key, exact and without a bound: the memory grows with the number of distinct keys. A key takes
/// 43 to 85 bytes in the table, up to 128 while it doubles, 16 more while totals are put out, and if it is longer than 15
/// bytes its own length.
///
/// If asked to, it also keeps which keys have changed, in the second word that their slots have for numbers.
public struct KeyTotals: ~Copyable {
    /// A line among those of a chunk.
    public struct Place: Equatable, Sendable {
        /// Where it starts.
        public var offset = 0
        /// How many lines of the chunk are before it.
        public var index = 0

        public init() {}
    }

    /// Why `add` went no further.
    public enum Stop: Equatable, Sendable {
        /// The limit or the end of the chunk was reached.
        case end
        case malformed(CountLine.Problem)
        /// The total would pass 64 bits. It stays as it was before the line.
        case overflow
    }

    var table = CountTable(plan: .unbounded, seed: 0)
    private let batch = Batch()
    let tracksChanges: Bool
    /// Lines are totals rather than counts: the last one of a key is its total, and it has not changed.
    public var isRestoring = false
    /// The slots that are marked as changed.
    var changed: [Int] = []

    public init(tracksChanges: Bool = false) { self.tracksChanges = tracksChanges }

    /// Distinct keys.
    public var count: Int { table.used }

    /// Memory in use, in bytes.
    public var memory: Int { table.memory + changed.capacity * MemoryLayout<Int>.stride }

    /// Forgets everything.
    public mutating func reset() {
        table.reset()
        changed = []
    }

    /// Adds the counts of lines, from the one at `place` on, which moves to the line behind the last one added.
    /// - Parameters:
    ///   - lines: whole lines, each with its LF.
    ///   - limit: how many of them at most.
    /// - Returns: why it stopped; if for a problem, then `place` is the line that has it.
    public mutating func add(
        _ lines: UnsafeRawBufferPointer, from place: inout Place, atMost limit: Int = .max
    ) -> Stop {
        let rest = UnsafeRawBufferPointer(rebasing: lines[place.offset...])
        guard let base = rest.baseAddress else { return .end }
        let start = place
        var scanner = LineScanner(rest)
        var left = limit
        while true {
            // Slots must stay where they are while their cache lines are on their way.
            if table.makeRoom(for: Batch.capacity), tracksChanges { collectChanged() }
            var filled = 0
            var end = place.offset
            var problem: CountLine.Problem?
            let wanted = min(Batch.capacity, left)
            while filled < wanted, let line = scanner.next() {
                do throws(CountLine.Problem) {
                    let cut = try CountLine(rest, line)
                    // filled is below the capacity of the batch
                    table.prepare(
                        base + line.lowerBound, cut.keyEnd - line.lowerBound, roomy: line.lowerBound <= rest.count - 16,
                        count: cut.count, batch.pending + filled)
                } catch {
                    problem = error
                    break
                }
                filled &+= 1
                end = start.offset + line.upperBound + 1
            }
            if let overflow = settle(filled) {
                place.offset = start.offset + (batch.pending[overflow].start - base)
                place.index += overflow
                return .overflow
            }
            (place.offset, place.index, left) = (end, place.index + filled, left - filled)
            if let problem { return .malformed(problem) }
            if filled < Batch.capacity { return .end }
        }
    }

    /// Adds the first `filled` keys of the batch. Returns the place of one whose total would overflow.
    @inline(__always)
    private mutating func settle(_ filled: Int) -> Int? {
        let (pending, slots, mask) = (batch.pending, table.slots, table.capacity &- 1)
        let marks = tracksChanges && !isRestoring
        for index in 0..<filled {
            let key = pending[index].key
            let count = pending[index].count
            var at = Int(truncatingIfNeeded: pending[index].hash) & mask
            if key.isLong {
                at = table.find(long: pending[index])
            } else {
                // at ≤ mask, below capacity; it ends, since a quarter of the slots are empty
                while slots[at].key != key, !slots[at].key.isNone { at = (at &+ 1) & mask }
            }
            let slot = slots + at
            if slot.pointee.key.isNone {
                table.insert(pending[index], slot)
            } else if isRestoring {
                slot.pointee.count = count
            } else {
                let (sum, overflow) = slot.pointee.count.addingReportingOverflow(count)
                if overflow { return index }
                slot.pointee.count = sum
            }
            if marks, slot.pointee.admitted == 0 { mark(at) }
        }
        return nil
    }

    private mutating func mark(_ at: Int) {
        table.slots[at].admitted = 1
        changed.append(at)
    }

    /// Finds the marked slots again after they have moved.
    mutating func collectChanged() {
        changed.removeAll(keepingCapacity: true)
        for at in 0..<table.capacity where !table.slots[at].key.isNone && table.slots[at].admitted != 0 {
            changed.append(at)
        }
    }
}

extension CountTable {
    /// Makes sure that so many more entries fit, by doubling the table. Returns whether slots have moved.
    mutating func makeRoom(for entries: Int) -> Bool {
        guard used + entries > MemoryPlan.entries(slots: capacity) else { return false }
        grow(to: capacity * 2)
        return true
    }

    /// Where a long key is, or the empty slot that is its.
    @inline(never)
    func find(long pending: borrowing Pending) -> Int {
        let mask = capacity &- 1
        var at = Int(truncatingIfNeeded: pending.hash) & mask
        while !slots[at].key.isNone {
            let found = slots[at].key
            if found.isLong, found.low == pending.key.low, arena.holds(pending.bytes, at: found.offset) { break }
            at = (at &+ 1) & mask
        }
        return at
    }

    /// Puts a key that the table does not have into the empty slot where its probe ended.
    @inline(__always)
    mutating func insert(_ pending: borrowing Pending, _ slot: UnsafeMutablePointer<Slot>) {
        var key = pending.key
        if pending.length > InlineKey.longest {
            key = InlineKey(longWithHash: pending.hash, offset: arena.append(pending.bytes))
        }
        slot.pointee = Slot(key: key, count: pending.count, admitted: 0)
        used &+= 1
    }
}
