import CBytes

/// Puts pointers to slots in the order of their keys, or of their counts and then their keys.
///
/// A key is taken as a string of eight-byte chunks, each a number that sorts as its bytes do; the sort compares chunks, and
/// fetches the next one only for keys that are equal so far. So keys with a long common beginning, such as the label of a
/// window, cost one look at each chunk rather than a comparison from the start each time. (Multikey quicksort: J. Bentley
/// and R. Sedgewick, "Fast algorithms for sorting and searching strings", SODA 1997; with chunks kept beside the pointers:
/// W. Ng and K. Kakehi, "Cache efficient radix sort for string sorting", doi:10.1093/ietfec/e90-a.2.457.) For an order by
/// count the count is one more chunk in front.
///
/// - Cost: 16 bytes an entry, in place.
struct SlotSort: ~Copyable {
    private struct Entry {
        var chunk: UInt64
        let slot: UnsafeMutablePointer<Slot>
    }

    /// Entries low ..< high, which agree in all chunks before the one at byte `depth` of the key.
    private struct Part {
        var low: Int
        var high: Int
        var depth: Int

        var count: Int { high - low }
    }

    private let entries: UnsafeMutablePointer<Entry>
    private(set) var count = 0
    private let arena: UnsafeRawPointer

    /// Below this a part is sorted by insertion: 12 to 32 make no difference.
    private static let small = 20
    /// The place of the count, a chunk in front of the key.
    private static let atCount = -8

    /// - Parameter arena: where long keys lie; must outlive the sort.
    init(capacity: Int, arena: borrowing KeyArena) {
        entries = .allocate(capacity: capacity)
        // Where there is no arena no key is long, and this is not read.
        self.arena = arena.base.map { UnsafeRawPointer($0) } ?? UnsafeRawPointer(entries)
    }

    deinit { entries.deallocate() }

    mutating func append(_ slot: UnsafeMutablePointer<Slot>) {
        entries[count] = Entry(chunk: 0, slot: slot)
        count += 1
    }

    subscript(index: Int) -> UnsafeMutablePointer<Slot> { entries[index].slot }

    /// Sorts, so that the first `first` entries are in their places.
    mutating func sort(_ order: SlotOrder, first: Int) {
        var parts: [Part] = []
        push(Part(low: 0, high: count, depth: order == .key ? 0 : Self.atCount), &parts)
        while var part = parts.popLast() {
            while part.count > Self.small, part.low < first {
                let pivot = pivot(part)
                let middle = partition(part.low, part.high) { $0 < pivot }
                if middle > part.low {
                    // The longer one waits, so that few ever do.
                    var (left, right) = (part, part)
                    (left.high, right.low) = (middle, middle)
                    if left.count < right.count { swap(&left, &right) }
                    parts.append(left)
                    part = right
                } else {
                    // The pivot is the least. What equals it is told apart by the next chunk.
                    let equal = partition(part.low, part.high) { $0 == pivot }
                    var same = part
                    (same.high, part.low) = (equal, equal)
                    pushNextChunk(same, &parts)
                }
            }
            if part.low < first { insertionSort(part) }
        }
    }

    /// Fetches the chunks of a part.
    private func push(_ part: Part, _ parts: inout [Part]) {
        for at in part.low..<part.high { entries[at].chunk = chunk(entries[at].slot, part.depth) }
        parts.append(part)
    }

    /// A part whose chunks are all equal: the keys that end in them are sorted by length, and come before the others.
    private func pushNextChunk(_ part: Part, _ parts: inout [Part]) {
        var rest = part
        rest.depth += 8
        if part.depth >= 0 {
            for at in part.low..<part.high where key(entries[at].slot).count <= rest.depth {
                // There are at most nine: the keys are distinct, so each has a length of its own.
                let entry = entries[at]
                entries[at] = entries[rest.low]
                var to = rest.low
                while to > part.low, key(entries[to - 1].slot).count > key(entry.slot).count {
                    entries[to] = entries[to - 1]
                    to -= 1
                }
                entries[to] = entry
                rest.low += 1
            }
        }
        if rest.count > 0 { push(rest, &parts) }
    }

    /// Moves the entries whose chunk fits to the front, and returns where the others begin. No branch depends on a chunk.
    @inline(__always)
    private func partition(_ low: Int, _ high: Int, _ fits: (UInt64) -> Bool) -> Int {
        var border = low
        for at in low..<high {
            // border ≤ at < high
            let entry = entries[at]
            entries[at] = entries[border]
            entries[border] = entry
            border &+= fits(entry.chunk) ? 1 : 0
        }
        return border
    }

    /// The middle one of three chunks, and of three such in a long part.
    private func pivot(_ part: Part) -> UInt64 {
        func middle(_ low: Int, _ step: Int) -> UInt64 {
            let (a, b, c) = (entries[low].chunk, entries[low + step].chunk, entries[low + 2 * step].chunk)
            return max(min(a, b), min(max(a, b), c))
        }
        if part.count < 128 { return middle(part.low, part.count / 3) }
        let third = part.count / 3
        let (a, b, c) = (
            middle(part.low, third / 3), middle(part.low + third, third / 3), middle(part.low + 2 * third, third / 3)
        )
        return max(min(a, b), min(max(a, b), c))
    }

    private func insertionSort(_ part: Part) {
        for next in (part.low..<part.high).dropFirst() {
            let entry = entries[next]
            var at = next
            while at > part.low, precedes(entry, entries[at - 1], part.depth) {
                entries[at] = entries[at - 1]
                at -= 1
            }
            entries[at] = entry
        }
    }

    @inline(__always)
    private func precedes(_ left: Entry, _ right: Entry, _ depth: Int) -> Bool {
        left.chunk != right.chunk ? left.chunk < right.chunk : precedes(left.slot, right.slot, from: max(0, depth))
    }

    /// Compares two keys that agree in front of byte `start`.
    @inline(never)
    private func precedes(
        _ left: UnsafeMutablePointer<Slot>, _ right: UnsafeMutablePointer<Slot>, from start: Int
    ) -> Bool {
        let (left, right) = (key(left), key(right))
        let common = min(left.count, right.count)
        if start < common, let leftBase = left.baseAddress, let rightBase = right.baseAddress {
            let order = cbytes_compare(leftBase + start, rightBase + start, common - start)
            if order != 0 { return order < 0 }
        }
        return left.count < right.count
    }

    /// The eight bytes of the key at `depth`, which its end is not in front of, with zeros behind the end.
    @inline(__always)
    private func chunk(_ slot: UnsafeMutablePointer<Slot>, _ depth: Int) -> UInt64 {
        if depth == Self.atCount { return ~(UInt64(bitPattern: slot.pointee.count) ^ 1 << 63) }  // the largest first
        let key = slot.pointee.key
        if !key.isLong {
            // Of the second word the last byte is the length.
            return depth == 0 ? key.low.byteSwapped : key.high.byteSwapped & ~0xFF
        }
        let bytes = self.key(slot)
        let left = bytes.count - depth
        // In bounds: records begin and end at multiples of eight bytes, and so does a chunk of them.
        let word = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: depth, as: UInt64.self))
        return left >= 8 ? word : word & ~(~0 >> UInt64(8 * left))
    }

    @inline(__always)
    private func key(_ slot: UnsafeMutablePointer<Slot>) -> UnsafeRawBufferPointer {
        let key = slot.pointee.key
        if !key.isLong { return UnsafeRawBufferPointer(start: slot, count: key.length) }
        let record = arena + key.offset
        return UnsafeRawBufferPointer(start: record + 8, count: record.load(as: Int.self))
    }
}
