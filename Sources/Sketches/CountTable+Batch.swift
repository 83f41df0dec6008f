import Bytes
import CBytes

/// A key on its way into the table.
struct Pending {
    /// Of a long key, the offset is not yet known.
    var key: InlineKey
    var hash: UInt64
    /// The key's bytes, good until the batch is settled.
    var start: UnsafeRawPointer
    var length: Int
    var count: Int64
    var line: Int

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: length) }
}

/// Keys whose cache lines have been asked for.
struct Batch: ~Copyable {
    /// Enough to overlap the waits for memory, few enough that the lines asked for are still in the first-level cache.
    static let capacity = 32
    /// So many at a time when lines are counted: 8 took an eighth less time than 32, 4 no less than 8.
    static let group = 8

    let pending: UnsafeMutablePointer<Pending>
    var count = 0

    init() {
        pending = .allocate(capacity: Self.capacity)
        let none = Pending(key: .none, hash: 0, start: UnsafeRawPointer(pending), length: 0, count: 0, line: 0)
        pending.initialize(repeating: none, count: Self.capacity)
    }

    deinit { pending.deallocate() }
}

extension CountTable {
    enum Settled {
        case all
        /// The key at this place of the batch, and those behind it, are still to be settled.
        case full(at: Int)
        /// The count of the key at this place would pass 64 bits.
        case overflow(at: Int)
    }

    /// Prepares the key at `start`: hashes it and asks for its cache line.
    /// - Parameter roomy: whether sixteen bytes may be read at `start`.
    @inline(__always)
    func prepare(
        _ start: UnsafeRawPointer, _ length: Int, roomy: Bool, count: Int64, _ target: UnsafeMutablePointer<Pending>
    ) {
        let key =
            if length > InlineKey.longest {
                Self.longKey(start, length, seed)
            } else {
                InlineKey(
                    words: roomy ? cbytes_load16(start, length) : cbytes_load16_padded(start, length), length: length)
            }
        let hash = key.tableHash
        cbytes_prefetch(slots + Int(truncatingIfNeeded: hash) & (capacity &- 1))
        target.pointee.key = key
        target.pointee.hash = hash
        target.pointee.start = start
        target.pointee.length = length
        target.pointee.count = count
    }

    /// Apart, since XXH3 in the loop would take all its registers.
    @inline(never)
    private static func longKey(_ start: UnsafeRawPointer, _ length: Int, _ seed: UInt64) -> InlineKey {
        InlineKey(longWithHash: cbytes_xxh3(start, length, seed))
    }

    /// Prepares a key of which `readable` bytes may be read.
    func prepare(
        _ key: UnsafeRawBufferPointer, count: Int64, line: Int, readable: Int, _ target: UnsafeMutablePointer<Pending>
    ) {
        // Of an empty key nothing is read, so any address is as good as the one that it may lack.
        let start = key.baseAddress ?? UnsafeRawPointer(slots)
        prepare(start, key.count, roomy: readable >= 16, count: count, target)
        target.pointee.line = line
    }

    /// Counts whole lines, each once, up to the first whose key does not fit, which is returned.
    ///
    /// The batch is a ring of groups: when the next one is prepared, the oldest is settled first. So the memory has about as
    /// much to do all the time, and each cache line has the time in which the other groups are prepared.
    mutating func count(_ lines: UnsafeRawBufferPointer, _ batch: borrowing Batch) -> Pending? {
        guard let base = lines.baseAddress else { return nil }
        var scanner = LineScanner(lines)
        let pending = batch.pending
        let lastRoomy = lines.count - 16
        var (begin, isFull) = (0, false)
        while true {
            let end = begin + Batch.group
            if isFull, let refused = refused(pending, begin..<end) { return refused }
            var filled = begin
            while filled < end, let line = scanner.next() {
                // filled is below the capacity of the batch
                prepare(
                    base + line.lowerBound, line.count, roomy: line.lowerBound <= lastRoomy, count: 1, pending + filled)
                filled &+= 1
            }
            if filled < end {
                if isFull, let refused = refused(pending, end..<Batch.capacity) { return refused }
                return refused(pending, 0..<filled)
            }
            begin = end
            if end == Batch.capacity { (begin, isFull) = (0, true) }
        }
    }

    /// Settles keys that count once each; returns the first that does not fit.
    @inline(__always)
    private mutating func refused(_ pending: UnsafeMutablePointer<Pending>, _ range: Range<Int>) -> Pending? {
        switch settle(pending, range) {
        case .all: nil
        // A count cannot pass 64 bits by ones.
        case .full(let at), .overflow(let at): pending[at]
        }
    }

    /// Adds the counts of prepared keys.
    @inline(__always)
    mutating func settle(_ pending: UnsafeMutablePointer<Pending>, _ range: Range<Int>) -> Settled {
        var index = range.lowerBound
        // In local variables, so that they are in registers; they change when a key is admitted.
        var (slots, mask) = (self.slots, capacity &- 1)
        while index < range.upperBound {
            let next = pending + index
            let (key, hash) = (next.pointee.key, next.pointee.hash)
            var at = Int(truncatingIfNeeded: hash) & mask
            while true {
                let slot = slots + at  // at ≤ mask, below capacity
                let found = slot.pointee.key
                // A long key has another offset than the one found, so it takes the way out as well.
                if (found.low ^ key.low) | (found.high ^ key.high) == 0 {
                    let (sum, overflow) = slot.pointee.count.addingReportingOverflow(next.pointee.count)
                    if overflow { return .overflow(at: index) }
                    slot.pointee.count = sum
                    break
                }
                if found.isNone || key.isLong {
                    switch found.isNone ? (admit(next) ? .all : .full(at: index)) : settleLong(next, index, at) {
                    case .all: break
                    case let end: return end
                    }
                    (slots, mask) = (self.slots, capacity &- 1)
                    break
                }
                at = (at &+ 1) & mask  // ends: a quarter of the slots are empty
            }
            index &+= 1
        }
        return .all
    }

    /// The same for one key that is not in its slot, from there on.
    @inline(never)
    private mutating func settleLong(_ next: UnsafeMutablePointer<Pending>, _ index: Int, _ start: Int) -> Settled {
        let mask = capacity &- 1
        var at = start
        while !slots[at].key.isNone {
            let found = slots[at].key
            if found.isLong, found.low == next.pointee.key.low, arena.holds(next.pointee.bytes, at: found.offset) {
                let (sum, overflow) = slots[at].count.addingReportingOverflow(next.pointee.count)
                if overflow { return .overflow(at: index) }
                slots[at].count = sum
                return .all
            }
            at = (at &+ 1) & mask
        }
        return admit(next) ? .all : .full(at: index)
    }
}
