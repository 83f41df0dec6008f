import Bytes
import CBytes
import CRDKafka
import Glibc
public import ToolRuntime

/// What `kcat-in` reads, and how messages become lines.
public struct ReadPlan: Sendable {
    public enum EmbeddedLF: String, CaseIterable, Sendable { case split, escape, fail }

    public var topic = ""
    public var group: String?
    public var start: StartOffset = .stored
    /// nil: all of them.
    public var partitions: [Int32]?
    public var untilEnd = false
    /// Ends when each partition has had so many end-of-stream records.
    public var untilEndOfStream: Int?
    /// Ends after so many lines.
    public var limit: Int?
    public var wantsSummary = false
    public var wantsProgress = false
    public var with: [MessageField] = []
    public var embeddedLF: EmbeddedLF = .split

    public init() {}
}

/// Reads a topic and writes its messages as lines. Offsets are committed only for lines that standard output accepted.
public final class TopicReader {
    let client: Client
    private let plan: ReadPlan
    private var assigned: [AssignedPartition] = []
    /// In a group: whether a first assignment with partitions has come.
    private var hasAssignment = false
    private var renderer: MessageRenderer
    private let output: AcceptedOutput
    private var messages: [UnsafeMutablePointer<rd_kafka_message_t>?]
    private var nextCommit: Int64 = 0
    public private(set) var readLines = 0
    public private(set) var committedOffsets = 0
    private var hasFailedWriter = false
    private var progress: Progress

    public init(_ settings: Settings, _ plan: ReadPlan) throws(Failure) {
        var settings = settings
        self.plan = plan
        progress = Progress("kcat-in", isWanted: plan.wantsProgress)
        renderer = MessageRenderer(with: plan.with, embeddedLF: plan.embeddedLF)
        settings.setDefaults([
            ("enable.auto.commit", "false"), ("enable.auto.offset.store", "false"), ("enable.partition.eof", "true"),
            ("isolation.level", "read_committed"), ("auto.offset.reset", "earliest"), ("allow.auto.create.topics", "false"),
            ("partition.assignment.strategy", "range,roundrobin"), ("queued.min.messages", "1000000"),
            ("group.id", plan.group ?? "kcat-in"),
        ])
        for name in ["enable.auto.commit", "enable.auto.offset.store"] where settings.value(of: name) != "false" {
            throw Failure(.configuration, "\(name) must stay false: else lines that nobody has read would be committed")
        }
        guard settings.value(of: "enable.partition.eof") == "true" else {
            throw Failure(.configuration, "enable.partition.eof must stay true: the end of a partition is told by it")
        }
        client = try Client(
            RD_KAFKA_CONSUMER, settings, events: RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_OFFSET_COMMIT)
        output = AcceptedOutput()
        messages = Array(repeating: nil, count: 1024)
    }

    /// Reads until the plan says that it is enough, standard output is closed, or a signal asks for the end.
    public func run() throws(Failure) {
        let partitions = try client.partitionCounts(of: [plan.topic])[plan.topic] ?? 0
        try begin(partitions)
        var result: Result<Void, Failure>
        do throws(Failure) {
            try pump()
            try flush()
            result = .success(())
        } catch {
            result = .failure(error)
        }
        do throws(Failure) { try commit(wait: true) } catch { result = result.flatMap { .failure(error) } }
        progress.end()
        if plan.wantsSummary { summarize() }
        rd_kafka_consumer_close(client.handle)
        if output.isClosed { Signals.die(by: SIGPIPE) }
        Signals.dieIfAsked()
        try result.get()
        if hasFailedWriter { throw Failure(.inputOutput, "the input of a writer of \"\(plan.topic)\" had failed") }
    }

    private func begin(_ partitions: Int32) throws(Failure) {
        if plan.group != nil {
            let list = PartitionList(plan.topic, [(RD_KAFKA_PARTITION_UA, 0)])
            let code = rd_kafka_subscribe(client.handle, list.pointer)
            if code != RD_KAFKA_RESP_ERR_NO_ERROR { throw .kafka("cannot subscribe to \"\(plan.topic)\"", code) }
            return
        }
        let numbers = plan.partitions ?? Array(0..<partitions)
        for number in numbers where number >= partitions {
            throw Failure(
                .configuration, "topic \"\(plan.topic)\" has \(partitions) partitions: there is no partition \(number)")
        }
        try assign(numbers.map { ($0, nil) })
    }

    private var isDone: Bool {
        if let limit = plan.limit, readLines >= limit { return true }
        return hasAssignment && assigned.allSatisfy(\.isDone)
    }

    private func pump() throws(Failure) {
        while !isDone, !Signals.isAsked, !output.isClosed {
            try serve()
            progress.show(lines: readLines, bytes: output.acceptedBytes) { progressOfPartitions() }
            var count = 0
            for partition in assigned where !partition.isDone {
                count += try read(partition)
                if isDone || output.isClosed { break }
            }
            if count > 0 { continue }
            try flush()
            try commitIfDue()
            if !isDone, !output.isClosed { output.waitWhileOpen(wake: client.wakeDescriptor, milliseconds: 500) }
        }
    }

    /// Takes a batch of messages of one partition into the output. Returns how many there were.
    private func read(_ partition: AssignedPartition) throws(Failure) -> Int {
        let count = rd_kafka_consume_batch_queue(partition.queue, 0, &messages, messages.count)
        guard count > 0 else { return 0 }
        defer { for place in 0..<count { rd_kafka_message_destroy(messages[place]) } }
        for place in 0..<count {
            guard let message = messages[place] else { continue }
            if message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR {
                try take(message, partition)
            } else if message.pointee.err == RD_KAFKA_RESP_ERR__PARTITION_EOF {
                if plan.untilEnd { partition.isDone = true }
            } else if message.pointee.err != RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED {
                throw .kafka("cannot read partition \(partition.number)", message.pointee.err)
            }
            if partition.isDone || isDone || output.isClosed { break }
        }
        return count
    }

    private func take(
        _ message: UnsafeMutablePointer<rd_kafka_message_t>, _ partition: AssignedPartition
    ) throws(Failure) {
        let offset = message.pointee.offset
        if let end = partition.end, offset >= end {
            partition.isDone = true
            return
        }
        if message.pointee.len == 0, let isOK = MessageRenderer.endOfStream(message) {
            partition.endsRead.count += 1
            partition.endsRead.hasFailed = partition.endsRead.hasFailed || !isOK
            if let writers = plan.untilEndOfStream {
                hasFailedWriter = hasFailedWriter || !isOK
                if partition.endsRead.count >= writers { partition.isDone = true }
            }
        } else {
            if !output.hasRoom(for: message.pointee.len + 4096) { try flush() }
            let room = plan.limit.map { $0 - readLines } ?? Int.max
            let lines = try renderer.append(message, to: &output.buffer, limit: room)
            readLines += lines.count
            if !lines.isWhole { return }
        }
        output.mark(partition, next: offset + 1, ends: partition.endsRead)
    }

    /// Writes what is in the output. While standard output is blocked the client is served, to stay in the group.
    private func flush() throws(Failure) {
        try output.write { () throws(Failure) in
            try serve()
            return !Signals.isAsked
        }
        try commitIfDue()
    }

    private func serve() throws(Failure) {
        try client.serve { event throws(Failure) in
            guard rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE else { return }
            let list = PartitionList(copying: rd_kafka_event_topic_partition_list(event))
            if rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
                try assignFromGroup(list)
            } else {
                try revoke()
            }
        }
    }

    private func assignFromGroup(_ list: PartitionList) throws(Failure) {
        let code = list.entries.isEmpty ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_committed(client.handle, list.pointer, 10_000)
        if code != RD_KAFKA_RESP_ERR_NO_ERROR { throw .kafka("cannot look up the group's offsets", code) }
        try assign(list.entries.map { entry in
            let metadata = UnsafeRawBufferPointer(start: entry.metadata, count: entry.metadata_size)
            return (entry.partition, entry.offset >= 0 ? (entry.offset, EndsOfStream(metadata: metadata)) : nil)
        })
    }

    private func assign(_ partitions: [(number: Int32, stored: (offset: Int64, ends: EndsOfStream)?)]) throws(Failure) {
        let starts = try client.offsets(plan.start, topic: plan.topic, partitions: partitions.map(\.number))
        var offsets: [(Int32, Int64)] = []
        for (start, (number, stored)) in zip(starts, partitions) {
            let partition = AssignedPartition(client, topic: plan.topic, number: number)
            if plan.untilEnd { partition.end = try client.watermarks(plan.topic, number).high }
            if let stored {
                (partition.committed, partition.ends, partition.endsRead) = (stored.offset, stored.ends, stored.ends)
                if let writers = plan.untilEndOfStream, stored.ends.count >= writers {
                    partition.isDone = true
                    hasFailedWriter = hasFailedWriter || stored.ends.hasFailed
                }
            }
            assigned.append(partition)
            offsets.append((number, stored?.offset ?? start))
        }
        let list = PartitionList(plan.topic, offsets)
        let code = rd_kafka_assign(client.handle, list.pointer)
        if code != RD_KAFKA_RESP_ERR_NO_ERROR { throw .kafka("cannot take partitions", code) }
        hasAssignment = hasAssignment || !partitions.isEmpty
    }

    /// The group takes the partitions away: what was read of them is written and committed first, so that their next
    /// owner neither misses nor repeats a line. If standard output stays blocked, it repeats those that wait here.
    private func revoke() throws(Failure) {
        if rd_kafka_assignment_lost(client.handle) == 0 {
            let deadline = Client.monotonicMilliseconds() + 5_000
            try output.write { Client.monotonicMilliseconds() < deadline && !Signals.isAsked }
            try commit(wait: true)
        }
        assigned = []
        rd_kafka_assign(client.handle, nil)
    }

    /// Lag and, where the end is known, the time left.
    private func progressOfPartitions() -> String {
        var (lag, left): (Int64, Int64) = (0, 0)
        for partition in assigned {
            var (low, high): (Int64, Int64) = (0, 0)
            guard let position = partition.accepted ?? partition.committed,
                rd_kafka_get_watermark_offsets(client.handle, plan.topic, partition.number, &low, &high)
                    == RD_KAFKA_RESP_ERR_NO_ERROR
            else { continue }
            lag += max(0, high - position)
            left += max(0, (partition.end ?? high) - position)
        }
        let text = ", lag \(Progress.short(Double(lag)))"
        guard plan.untilEnd, let seconds = progress.secondsFor(left, lines: readLines) else { return text }
        return text + ", \(seconds) s left"
    }

    private func summarize() {
        var summary = Summary()
        summary.add("tool", "kcat-in")
        summary.add("read", readLines)
        summary.add("bytes", output.acceptedBytes)
        summary.add("committed", committedOffsets)
        Descriptor.standardError.writeIgnoringErrors(summary.json + "\n")
    }

    private func commitIfDue() throws(Failure) {
        let now = Client.monotonicMilliseconds()
        guard now >= nextCommit else { return }
        nextCommit = now + 1000
        try commit(wait: false)
    }

    private func commit(wait: Bool) throws(Failure) {
        guard plan.group != nil else { return }
        let moved = assigned.filter { $0.accepted != nil && $0.accepted != $0.committed }
        guard !moved.isEmpty else { return }
        let list = PartitionList(plan.topic, moved.map { ($0.number, $0.accepted ?? 0) })
        for (place, partition) in moved.enumerated() { list.set(metadata: partition.ends.metadata, at: place) }
        let code = rd_kafka_commit(client.handle, list.pointer, wait ? 0 : 1)
        if wait, code != RD_KAFKA_RESP_ERR_NO_ERROR { throw .kafka("cannot commit", code) }
        for partition in moved { partition.committed = partition.accepted }
        committedOffsets += moved.count
    }
}
