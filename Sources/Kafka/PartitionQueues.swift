import Bytes
import CBytes
import CRDKafka
internal import Delivery

/// The messages of all partitions in the order of time (`--in-time-order`).
///
/// Each partition has a queue of its own. What comes of one that is ahead stays there, and when its queue is full librdkafka
/// fetches no more of it: so a partition holds at most what `bytesFetchedAhead` says, twice over, and what is ahead by days
/// costs no more than what is ahead by a second.
struct PartitionQueues: ~Copyable {
    /// Of each partition, in KiB; librdkafka goes past it by one answer (`fetch.message.max.bytes`).
    static let kilobytesFetchedAhead = 2048

    /// Messages that are taken out of a queue at once: a lock each, and a wake of ours in all.
    private static let batchCount = 128

    private typealias Message = UnsafeMutablePointer<rd_kafka_message_t>

    private struct Partition {
        let queue: OpaquePointer
        let batch: UnsafeMutablePointer<UnsafeMutablePointer<rd_kafka_message_t>?>
        /// The first message of the batch that is not done with, and the end.
        var first = 0
        var end = 0
        /// Of the head, the message whose lines are next: where its next line begins, where that ends, and how many of its
        /// lines are printed. nil: there is no head.
        var head: Message?
        var lineStart = 0
        var lineEnd = 0
        var printedLines = 0
        /// Its leader has said that there is nothing after the last message.
        var isAtEnd = false
    }

    private var partitions: [Partition?] = []
    private var order: TimeOrder
    private var times: ReadTimes
    private let maxAhead: Int64
    private let splits: Bool
    private let endSaysNothing: Bool

    init(_ plan: ReadPlan, _ source: TimeSource) {
        order = TimeOrder(idle: plan.idle)
        times = ReadTimes(source)
        maxAhead = plan.maxAhead
        splits = plan.embeddedLF == .split
        // Up to where the topic goes is known then, whatever an open transaction hides for now.
        endSaysNothing = plan.untilEnd
    }

    deinit { for partition in partitions { partition.map(Self.free) } }

    mutating func takeRemarks() -> [String] { times.takeRemarks() }
    var doubt: String? { times.doubt }
    func nextWake() -> Int64? { order.nextWake() }

    /// Whether the partition's queue is here.
    func has(_ number: Int32) -> Bool { partitions.indices.contains(Int(number)) && partitions[Int(number)] != nil }

    /// - Parameter queue: of the partition; it is given back with the partitions.
    mutating func add(_ number: Int32, _ queue: OpaquePointer, at now: Int64) {
        while partitions.count <= Int(number) { partitions.append(nil) }
        let batch = UnsafeMutablePointer<UnsafeMutablePointer<rd_kafka_message_t>?>.allocate(capacity: Self.batchCount)
        partitions[Int(number)] = Partition(queue: queue, batch: batch)
        order.add(number, at: now)
    }

    /// They are another's; so is what is held of them.
    mutating func removeAll() {
        for partition in partitions { partition.map(Self.free) }
        partitions = []
        order.removeAll()
    }

    private static func free(_ partition: Partition) {
        for place in partition.first..<partition.end { partition.batch[place].map { rd_kafka_message_destroy($0) } }
        partition.batch.deallocate()
        rd_kafka_queue_destroy(partition.queue)
    }

    // MARK: Reading

    /// Takes lines as long as there is room and it is known which comes next.
    mutating func fill(_ intake: UnsafeMutablePointer<Intake>, wallClock: Int64) {
        times.ceiling = wallClock + maxAhead
        for number in partitions.indices { load(number, intake) }
        while !intake.pointee.isFull, let turn = order.turn(at: intake.pointee.now) {
            let next = take(turn, intake)
            order.end(next.turn, next: next.time, at: intake.pointee.now)
            if next.time == nil { load(Int(turn.partition), intake) }
        }
    }

    /// Prints the rest of the messages of which some lines are printed, since an offset is that of a message.
    mutating func finishBegun(_ intake: UnsafeMutablePointer<Intake>) {
        for number in partitions.indices {
            guard let head = partitions[number]?.head, partitions[number]?.printedLines ?? 0 > 0 else { continue }
            var turn = TimeOrder.Turn(partition: Int32(number), limit: .max, clock: .max)
            _ = takeLines(of: head, number, &turn, intake, room: .max)
        }
    }

    /// Tells the order what the partition's next line is, if that is wanted.
    private mutating func load(_ number: Int, _ intake: UnsafeMutablePointer<Intake>) {
        guard order.wants(Int32(number)), partitions[number] != nil else { return }
        if let time = nextHead(number, intake) {
            order.offer(Int32(number), time)
        } else if intake.pointee.session.isFinished(Int32(number)) {
            order.finish(Int32(number))
        } else if partitions[number]?.isAtEnd == true, !endSaysNothing {
            order.noteEnd(Int32(number))
        }
    }

    /// Goes to the next message that holds lines. Returns the time of the first; nil: there is none yet.
    private mutating func nextHead(_ number: Int, _ intake: UnsafeMutablePointer<Intake>) -> Int64? {
        while var partition = partitions[number] {
            if partition.first == partition.end {
                let count = rd_kafka_consume_batch_queue(partition.queue, 0, partition.batch, Self.batchCount)
                (partition.first, partition.end) = (0, max(0, count))
                partitions[number] = partition
                if count <= 0 { return nil }
            }
            guard let message = partition.batch[partition.first] else { return nil }
            partition.isAtEnd = message.pointee.err == RD_KAFKA_RESP_ERR__PARTITION_EOF
            if intake.pointee.admits(message) {
                let value = Self.value(of: message)
                partition.head = message
                (partition.lineStart, partition.printedLines) = (0, 0)
                partition.lineEnd = lineEnd(in: value, from: 0)
                partitions[number] = partition
                return times.time(of: UnsafeRawBufferPointer(rebasing: value[..<partition.lineEnd]), in: message)
            }
            partition.first += 1
            partitions[number] = partition
            rd_kafka_message_destroy(message)
        }
        return nil
    }

    /// Takes the lines of a turn. Returns the time of the partition's next line; nil: it is not there yet.
    private mutating func take(
        _ turn: TimeOrder.Turn, _ intake: UnsafeMutablePointer<Intake>
    ) -> (turn: TimeOrder.Turn, time: Int64?) {
        let number = Int(turn.partition)
        var turn = turn
        while let head = partitions[number]?.head {
            let room = intake.pointee.room
            if let time = takeLines(of: head, number, &turn, intake, room: room) { return (turn, time) }
            guard let time = nextHead(number, intake) else { return (turn, nil) }
            if intake.pointee.isFull { return (turn, time) }
            guard turn.takes(time) else { return (turn, time) }
        }
        return (turn, nil)
    }

    /// Takes lines of the head, the first of which belongs to the turn. Returns the time of the next line of the message; nil:
    /// that was all of it.
    private mutating func takeLines(
        of head: Message, _ number: Int, _ turn: inout TimeOrder.Turn, _ intake: UnsafeMutablePointer<Intake>, room: Int
    ) -> Int64? {
        guard var partition = partitions[number] else { return nil }
        let value = Self.value(of: head)
        let start = partition.lineStart
        var lines = 0
        var next: Int64?
        while true {
            lines += 1
            if partition.lineEnd == value.count { break }
            let begin = partition.lineEnd + 1
            let end = lineEnd(in: value, from: begin)
            let time = times.time(of: UnsafeRawBufferPointer(rebasing: value[begin..<end]), in: head)
            if lines >= room || !turn.takes(time) { next = time }
            (partition.lineStart, partition.lineEnd) = (begin, end)
            if next != nil { break }
        }
        let part = UnsafeRawBufferPointer(
            rebasing: value[start..<(next == nil ? value.count : partition.lineStart - 1)])
        intake.pointee.take(part, of: head, lines: lines, after: partition.printedLines, isLast: next == nil)
        partition.printedLines += lines
        if next == nil {
            partition.head = nil
            partition.first += 1
            rd_kafka_message_destroy(head)
        }
        partitions[number] = partition
        return next
    }

    private static func value(of message: Message) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: message.pointee.payload, count: message.pointee.len)
    }

    /// Where the line ends that begins at `start`; all of the message is one where line ends are not to be split.
    private func lineEnd(in value: UnsafeRawBufferPointer, from start: Int) -> Int {
        guard splits, let base = value.baseAddress else { return value.count }
        // In bounds: start is at most the count.
        return start + cbytes_first(base + start, 0x0A, value.count - start)
    }
}
