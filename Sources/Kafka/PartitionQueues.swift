import Bytes
import CBytes
import CRDKafka
internal import Delivery

/// The messages of all partitions in the order of time (`--in-time-order`).
///
/// Each partition has a queue of its own. What comes of one that is ahead stays there, and when its queue is full librdkafka
/// fetches no more of it: so a partition takes 10 MiB at most, in its queue and out of it, and what is ahead by days costs no more
/// than what is ahead by a second.
struct PartitionQueues: ~Copyable {
    /// Of each partition, in KiB; librdkafka goes past it by one answer (`fetch.message.max.bytes`). With less a partition runs
    /// dry: it is fetched again only some time after its queue was full. Of the unordered rate, a line a message, four
    /// partitions: 79 % with 1 MiB, 88 % with 2, 97 % with 4.
    static let kilobytesFetchedAhead = 4096

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

    /// By pointer: a line must not cost a copy.
    private var partitions: [UnsafeMutablePointer<Partition>?] = []
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
        let partition = UnsafeMutablePointer<Partition>.allocate(capacity: 1)
        partition.initialize(to: Partition(queue: queue, batch: batch))
        partitions[Int(number)] = partition
        order.add(number, at: now)
    }

    /// They are another's; so is what is held of them.
    mutating func removeAll() {
        for partition in partitions { partition.map(Self.free) }
        partitions = []
        order.removeAll()
    }

    private static func free(_ partition: UnsafeMutablePointer<Partition>) {
        let (first, end, batch) = (partition.pointee.first, partition.pointee.end, partition.pointee.batch)
        for place in first..<end { batch[place].map { rd_kafka_message_destroy($0) } }
        batch.deallocate()
        rd_kafka_queue_destroy(partition.pointee.queue)
        partition.deallocate()
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
            guard let partition = partitions[number], let head = partition.pointee.head,
                partition.pointee.printedLines > 0
            else { continue }
            var turn = TimeOrder.Turn(partition: Int32(number), limit: .max, clock: .max)
            _ = takeLines(of: head, partition, &turn, intake, room: .max)
        }
    }

    /// Tells the order what the partition's next line is, if that is wanted.
    private mutating func load(_ number: Int, _ intake: UnsafeMutablePointer<Intake>) {
        guard order.wants(Int32(number)), let partition = partitions[number] else { return }
        if let time = nextHead(partition, intake) {
            order.offer(Int32(number), time)
        } else if intake.pointee.session.isFinished(Int32(number)) {
            order.finish(Int32(number))
        } else if partition.pointee.isAtEnd, !endSaysNothing {
            order.noteEnd(Int32(number))
        }
    }

    /// Goes to the next message that holds lines. Returns the time of the first; nil: there is none yet.
    private mutating func nextHead(
        _ partition: UnsafeMutablePointer<Partition>, _ intake: UnsafeMutablePointer<Intake>
    ) -> Int64? {
        while true {
            if partition.pointee.first == partition.pointee.end {
                let count = rd_kafka_consume_batch_queue(
                    partition.pointee.queue, 0, partition.pointee.batch, Self.batchCount)
                (partition.pointee.first, partition.pointee.end) = (0, max(0, count))
            }
            guard partition.pointee.first < partition.pointee.end,
                let message = partition.pointee.batch[partition.pointee.first]
            else { return nil }
            partition.pointee.isAtEnd = message.pointee.err == RD_KAFKA_RESP_ERR__PARTITION_EOF
            if intake.pointee.admits(message) {
                let value = Self.value(of: message)
                let end = lineEnd(in: value, from: 0)
                partition.pointee.head = message
                (partition.pointee.lineStart, partition.pointee.lineEnd, partition.pointee.printedLines) = (0, end, 0)
                return times.time(of: UnsafeRawBufferPointer(rebasing: value[..<end]), in: message)
            }
            partition.pointee.first += 1
            rd_kafka_message_destroy(message)
        }
    }

    /// Takes the lines of a turn. Returns the time of the partition's next line; nil: it is not there yet.
    private mutating func take(
        _ turn: TimeOrder.Turn, _ intake: UnsafeMutablePointer<Intake>
    ) -> (turn: TimeOrder.Turn, time: Int64?) {
        var turn = turn
        guard let partition = partitions[Int(turn.partition)] else { return (turn, nil) }
        while let head = partition.pointee.head {
            let room = intake.pointee.room
            if let time = takeLines(of: head, partition, &turn, intake, room: room) { return (turn, time) }
            guard let time = nextHead(partition, intake) else { return (turn, nil) }
            if intake.pointee.isFull || !turn.takes(time) { return (turn, time) }
        }
        return (turn, nil)
    }

    /// Takes lines of the head, the first of which belongs to the turn. Returns the time of the next line of the message; nil:
    /// that was all of it.
    private mutating func takeLines(
        of head: Message, _ partition: UnsafeMutablePointer<Partition>, _ turn: inout TimeOrder.Turn,
        _ intake: UnsafeMutablePointer<Intake>, room: Int
    ) -> Int64? {
        let value = Self.value(of: head)
        let start = partition.pointee.lineStart
        var (lines, end) = (1, partition.pointee.lineEnd)
        var next: Int64?
        while end < value.count, next == nil {
            let begin = end + 1
            let nextEnd = lineEnd(in: value, from: begin)
            let time = times.time(of: UnsafeRawBufferPointer(rebasing: value[begin..<nextEnd]), in: head)
            if lines >= room || !turn.takes(time) {
                next = time
                (partition.pointee.lineStart, partition.pointee.lineEnd) = (begin, nextEnd)
            } else {
                lines += 1
                end = nextEnd
            }
        }
        let part = UnsafeRawBufferPointer(rebasing: value[start..<end])
        intake.pointee.take(part, of: head, lines: lines, after: partition.pointee.printedLines, isLast: next == nil)
        partition.pointee.printedLines += lines
        if next == nil {
            partition.pointee.head = nil
            partition.pointee.first += 1
            rd_kafka_message_destroy(head)
        }
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
