/// Virtual time in microseconds, and what is to happen in it: a heap. What is due in the same microsecond happens in the
/// order in which it was asked for.
struct Schedule {
    private struct Entry {
        let time: Int64
        let number: Int
        let action: () -> Void

        func isBefore(_ other: Entry) -> Bool { time < other.time || time == other.time && number < other.number }
    }

    private var heap: [Entry] = []
    /// How many were asked for so far.
    private(set) var count = 0
    private(set) var now: Int64 = 0

    mutating func add(after microseconds: Int64, _ action: @escaping () -> Void) {
        heap.append(Entry(time: now + max(0, microseconds), number: count, action: action))
        count += 1
        var place = heap.count - 1
        while place > 0, heap[place].isBefore(heap[(place - 1) / 2]) {
            heap.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    /// Takes out what comes next, and moves the time on to it; nil: nothing is left.
    mutating func next() -> (() -> Void)? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        now = first.time
        if !heap.isEmpty {
            heap[0] = last
            sink()
        }
        return first.action
    }

    private mutating func sink() {
        var place = 0
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2] where child < heap.count && heap[child].isBefore(heap[least]) {
                least = child
            }
            if least == place { return }
            heap.swapAt(place, least)
            place = least
        }
    }

    mutating func clear() { heap = [] }
}
