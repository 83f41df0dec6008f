/// Virtual time in microseconds, and what is to happen in it: a heap. What is due in the same microsecond happens in the
/// order in which it was asked for.
struct Schedule {
    private struct Entry {
        let time: Int64
        let number: Int
        /// Where its action is: an entry moves in the heap without it, for that would be counted each time.
        let slot: Int

        func isBefore(_ other: Entry) -> Bool { time < other.time || time == other.time && number < other.number }
    }

    private var heap: [Entry] = []
    private var actions: [(() -> Void)?] = []
    private var freeSlots: [Int] = []
    /// How many were asked for so far.
    private(set) var count = 0
    private(set) var now: Int64 = 0

    mutating func add(after microseconds: Int64, _ action: @escaping () -> Void) {
        let slot = freeSlots.popLast() ?? actions.count
        if slot == actions.count { actions.append(action) } else { actions[slot] = action }
        let entry = Entry(time: now + max(0, microseconds), number: count, slot: slot)
        count += 1
        heap.append(entry)
        var place = heap.count - 1
        while place > 0, entry.isBefore(heap[(place - 1) / 2]) {
            heap[place] = heap[(place - 1) / 2]
            place = (place - 1) / 2
        }
        heap[place] = entry
    }

    /// Takes out what comes next, and moves the time on to it; nil: nothing is left.
    mutating func next() -> (() -> Void)? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        now = first.time
        if !heap.isEmpty { sink(last) }
        freeSlots.append(first.slot)
        defer { actions[first.slot] = nil }
        return actions[first.slot]
    }

    /// Puts an entry in at the top.
    private mutating func sink(_ entry: Entry) {
        var place = 0
        while 2 * place + 1 < heap.count {
            var child = 2 * place + 1
            if child + 1 < heap.count, heap[child + 1].isBefore(heap[child]) { child += 1 }
            guard heap[child].isBefore(entry) else { break }
            heap[place] = heap[child]
            place = child
        }
        heap[place] = entry
    }

    mutating func clear() { (heap, actions, freeSlots) = ([], [], []) }
}
