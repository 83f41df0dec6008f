/// Merges partitions by their clocks, the smallest first: `kcat-in --in-time-order`.
///
/// A partition's clock is the highest time seen in it. Its *key* is what the clock would be after its next line, and the line
/// with the least key comes next. Keys of one partition never fall, so those of the merged stream do not, either: when a line
/// comes, no line before it had a time above the line's key. Hence no line is further behind the highest time in the merged
/// stream than it was in its own partition: the merged stream is no more out of order than the worst partition.
///
/// | state of a partition | its next line | holds the others back |
/// |---|---|---|
/// | awaited | on its way, or not written yet | yes; once its leader has said that there is nothing, for `idle` at most |
/// | idle | not written for that long | no |
/// | ready | known | no: it has its turn |
/// | finished | will not come | no |
///
/// A line of a partition that was idle may be late, as it would have been for whoever had waited no longer.
/// Times are milliseconds, and so are those of the clock that never goes back.
///
/// - Cost: nothing for a line of the partition that has its turn, as long as it keeps it; else O(log partitions). It allocates
///   only when partitions come.
package struct TimeOrder {
    /// Before all times: that of a line that has none, which stays where it is in its partition.
    package static let noTime = Int64.min

    /// A partition's turn: its lines are taken as long as it has the least key.
    package struct Turn: Equatable {
        package let partition: Int32
        /// The highest key with which it keeps the turn.
        package let limit: Int64
        /// That of the partition, once its next line is taken.
        package fileprivate(set) var clock: Int64

        package init(partition: Int32, limit: Int64, clock: Int64) {
            (self.partition, self.limit, self.clock) = (partition, limit, clock)
        }

        /// Whether the line after those, of this time, belongs to the turn as well.
        @inline(__always)
        package mutating func takes(_ time: Int64) -> Bool {
            if time <= clock { return true }
            guard time <= limit else { return false }
            clock = time
            return true
        }
    }

    private enum State: Equatable {
        case absent
        case awaited
        case idle
        case ready
        case finished
    }

    private struct Partition {
        var state = State.absent
        var clock = noTime
        /// While it is awaited: since when, and whether its leader has said that there is nothing.
        var awaitedSince: Int64 = 0
        var isAtEnd = false
    }

    /// For how long a partition with nothing to read is waited for.
    private let idle: Int64
    private var partitions: [Partition] = []
    private var awaitedCount = 0
    /// Those that are ready, the least key first: a binary heap.
    private var heap: [(key: Int64, partition: Int32)] = []

    package init(idle: Int64) { self.idle = idle }

    /// A partition that is to be read.
    package mutating func add(_ number: Int32, at now: Int64) {
        let place = Int(number)
        while partitions.count <= place { partitions.append(Partition()) }
        guard partitions[place].state == .absent else { return }
        partitions[place] = Partition(state: .awaited, awaitedSince: now)
        awaitedCount += 1
        heap.reserveCapacity(partitions.count)
    }

    /// They are another's.
    package mutating func removeAll() {
        partitions.removeAll(keepingCapacity: true)
        heap.removeAll(keepingCapacity: true)
        awaitedCount = 0
    }

    /// Whether the partition's next line is wanted.
    package func wants(_ number: Int32) -> Bool {
        partitions.indices.contains(Int(number)) && [.awaited, .idle].contains(partitions[Int(number)].state)
    }

    /// The next line of a partition is there, and has this time.
    package mutating func offer(_ number: Int32, _ time: Int64) {
        guard wants(number) else { return }
        leave(number, for: .ready)
        push((max(partitions[Int(number)].clock, time), number))
    }

    /// The leader says that there is nothing to read.
    package mutating func noteEnd(_ number: Int32) {
        guard wants(number) else { return }
        partitions[Int(number)].isAtEnd = true
    }

    /// Nothing comes any more.
    package mutating func finish(_ number: Int32) {
        guard wants(number) else { return }
        leave(number, for: .finished)
    }

    /// Whose turn it is, which takes at least the line that was offered; nil: a partition is waited for, or none has a line.
    package mutating func turn(at now: Int64) -> Turn? {
        if awaitedCount > 0 { passOverIdle(at: now) }
        guard awaitedCount == 0, let first = heap.first else { return nil }
        guard heap.count > 1 else { return Turn(partition: first.partition, limit: .max, clock: first.key) }
        let next = heap.count > 2 && isLess(heap[2], heap[1]) ? heap[2] : heap[1]
        // Its key is above that of the first where its number is lower.
        let limit = next.partition < first.partition ? next.key - 1 : next.key
        return Turn(partition: first.partition, limit: limit, clock: first.key)
    }

    /// The turn is over.
    /// - Parameter time: of the next line of the partition; nil: it is not there yet.
    package mutating func end(_ turn: Turn, next time: Int64?, at now: Int64) {
        let place = Int(turn.partition)
        // The partitions may be another's by now.
        guard heap.first?.partition == turn.partition, partitions[place].state == .ready else { return }
        partitions[place].clock = turn.clock
        if let time {
            heap[0].key = max(turn.clock, time)
        } else {
            partitions[place].state = .awaited
            partitions[place].awaitedSince = now
            partitions[place].isAtEnd = false
            awaitedCount += 1
            let last = heap.removeLast()
            if heap.isEmpty { return }
            heap[0] = last
        }
        siftDown()
    }

    /// When the wait for a partition is over although nothing happens; nil: there is none, or it has no end.
    package func nextWake() -> Int64? {
        guard awaitedCount > 0 else { return nil }
        return partitions.lazy.filter { $0.state == .awaited && $0.isAtEnd }.map { $0.awaitedSince + idle }.min()
    }

    // MARK: States

    private mutating func leave(_ number: Int32, for state: State) {
        if partitions[Int(number)].state == .awaited { awaitedCount -= 1 }
        partitions[Int(number)].state = state
    }

    private mutating func passOverIdle(at now: Int64) {
        for place in partitions.indices where partitions[place].state == .awaited && partitions[place].isAtEnd {
            if now - partitions[place].awaitedSince >= idle { leave(Int32(place), for: .idle) }
        }
    }

    // MARK: The heap

    private mutating func push(_ entry: (key: Int64, partition: Int32)) {
        heap.append(entry)
        var place = heap.count - 1
        while place > 0, isLess(heap[place], heap[(place - 1) / 2]) {
            heap.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    private mutating func siftDown() {
        var place = 0
        while true {
            var least = 2 * place + 1
            guard least < heap.count else { return }
            if least + 1 < heap.count, isLess(heap[least + 1], heap[least]) { least += 1 }
            guard isLess(heap[least], heap[place]) else { return }
            heap.swapAt(place, least)
            place = least
        }
    }

    /// Among equal keys by number: so the same partitions give the same stream, whatever is there when.
    private func isLess(_ one: (key: Int64, partition: Int32), _ other: (key: Int64, partition: Int32)) -> Bool {
        one.key < other.key || one.key == other.key && one.partition < other.partition
    }
}
