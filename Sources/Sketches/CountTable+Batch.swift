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

    let pending: UnsafeMutablePointer<Pending>
    var count = 0

    init() { pending = .allocate(capacity: Self.capacity) }
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
        var key: InlineKey
        if length <= InlineKey.longest {
            let words = roomy ? cbytes_load16(start, length) : cbytes_load16_padded(start, length)
            key = InlineKey(words: words, length: length)
        } else {
            key = InlineKey(longWithHash: cbytes_xxh3(start, length, seed))
        }
        let hash = key.tableHash
        cbytes_prefetch(slots + Int(truncatingIfNeeded: hash) & (capacity &- 1))
        target.pointee.key = key
        target.pointee.hash = hash
        target.pointee.start = start
        target.pointee.length = length
        target.pointee.count = count
    }

    /// Prepares a key that may lie anywhere.
    func prepare(_ key: UnsafeRawBufferPointer, count: Int64, line: Int, _ target: UnsafeMutablePointer<Pending>) {
        // Of an empty key nothing is read, so any address is as good as the one that it may lack.
        prepare(key.baseAddress ?? UnsafeRawPointer(slots), key.count, roomy: false, count: count, target)
        target.pointee.line = line
    }

    /// Counts whole lines, each once, up to the first whose key does not fit, which is returned.
    mutating func count(_ lines: UnsafeRawBufferPointer, _ batch: borrowing Batch) -> Pending? {
        guard let base = lines.baseAddress else { return nil }
        var scanner = LineScanner(lines)
        let pending = batch.pending
        let lastRoomy = lines.count - 16
        while true {
            var filled = 0
            while filled < Batch.capacity, let line = scanner.next() {
                // filled is below the capacity of the batch
                prepare(
                    base + line.lowerBound, line.count, roomy: line.lowerBound <= lastRoomy, count: 1, pending + filled)
                filled &+= 1
            }
            if filled == 0 { return nil }
            switch settle(pending, 0..<filled) {
            case .all: continue
            // A count cannot pass 64 bits by ones.
            case .full(let at), .overflow(let at): return pending[at]
            }
        }
    }

    /// Adds the counts of prepared keys.
    @inline(__always)
    mutating func settle(_ pending: UnsafeMutablePointer<Pending>, _ range: Range<Int>) -> Settled {
        for index in range {
            let key = pending[index].key
            let mask = capacity &- 1
            var at = Int(truncatingIfNeeded: pending[index].hash) & mask
            while true {
                let slot = slots + at  // at ≤ mask, below capacity
                let found = slot.pointee.key
                if key.isLong
                    ? found.isLong && found.low == key.low && holds(slot, pending[index])
                    : ((found.low ^ key.low) | (found.high ^ key.high)) == 0
                {
                    let (sum, overflow) = slot.pointee.count.addingReportingOverflow(pending[index].count)
                    if overflow { return .overflow(at: index) }
                    slot.pointee.count = sum
                    break
                }
                if found.isNone {
                    guard admit(pending[index]) else { return .full(at: index) }
                    break
                }
                at = (at &+ 1) & mask  // ends: a quarter of the slots are empty
            }
        }
        return .all
    }

    /// Whether the long key in `slot`, whose hash is the same, is the pending one.
    @inline(never)
    private func holds(_ slot: UnsafeMutablePointer<Slot>, _ pending: borrowing Pending) -> Bool {
        let key = arena.key(at: slot.pointee.key.offset)
        guard key.count == pending.length, let bytes = key.baseAddress else { return false }
        return cbytes_equal(bytes, pending.start, key.count)
    }
}
