import CRDKafka
internal import Delivery
import ToolRuntime

/// Reads the state that belongs to partitions of the input: the same partitions of another topic, from the beginning to
/// their end, as a reader of committed messages sees it.
final class StateReader {
    private let client: Client
    private let topic: String
    private let patience: Patience
    private let messages: OpaquePointer
    private var renderer = MessageRenderer(with: [], embeddedLF: .split)
    /// Partitions whose end has not come, and what it is once it is known.
    private var open: Set<Int32> = []
    private var ends: [Int32: Int64] = [:]
    /// Where to stop before that; lines from there on are no state.
    private var limits: [Int32: Int64] = [:]
    private var hasEnded = false
    private var begun: Int64 = 0
    /// Lines and milliseconds of all restores so far.
    private(set) var lineCount = 0
    private(set) var milliseconds: Int64 = 0

    init(_ settings: Settings, _ topic: String, _ patience: Patience) throws(Failure) {
        (self.topic, self.patience) = (topic, patience)
        // With the settings of the reader of the input, which must fit together, but in no group.
        var plan = ReadPlan()
        plan.epochMilliseconds = 0
        var settings = try TopicReader.complete(settings, plan)
        // Reading begins at the beginning, which deletion may move.
        settings.replace("auto.offset.reset", by: "earliest")
        // So long it takes a broker to say that a partition has no more, and partitions may be read one after the other.
        settings.setDefaults([("fetch.wait.max.ms", "50")])
        client = try Client(RD_KAFKA_CONSUMER, settings, events: 0)
        messages = rd_kafka_queue_new(client.handle)
    }

    var isBusy: Bool { !open.isEmpty }

    /// - Parameters:
    ///   - limits: where the state of a partition ends; without one: at the end of the partition.
    ///   - input: the topic that the partitions are of.
    func begin(_ partitions: [Int32], _ limits: [Int32: Int64], for input: String) throws(Failure) {
        let own = try client.partitionCount(of: topic, patience)
        let count = try client.partitionCount(of: input, patience)
        guard own == count else {
            throw Failure(
                .configuration,
                "topic \"\(topic)\" has \(own) partitions and \"\(input)\" \(count): state belongs to its partition's number"
            )
        }
        begun = Client.monotonicMilliseconds()
        for partition in partitions {
            let queue: OpaquePointer = rd_kafka_queue_get_partition(client.handle, topic, partition)
            rd_kafka_queue_forward(queue, messages)
            rd_kafka_queue_destroy(queue)
        }
        let list = PartitionList(topic, partitions.map { ($0, Int64(RD_KAFKA_OFFSET_BEGINNING)) })
        let code = rd_kafka_assign(client.handle, list.pointer)
        if code != RD_KAFKA_RESP_ERR_NO_ERROR { throw .kafka("cannot read topic \"\(topic)\"", code) }
        open = Set(partitions)
        (ends, self.limits) = ([:], limits)
        hasEnded = partitions.isEmpty
    }

    /// Leaves the rest: the partitions are another's.
    func stop() {
        open = []
        rd_kafka_assign(client.handle, nil)
    }

    /// Whether the end has come since the last call.
    func takeEnd() -> Bool {
        defer { hasEnded = false }
        return hasEnded
    }

    /// Writes what has come, as long as there is room. Returns whether there may be more.
    func fill(_ output: inout LineOutput) throws(Failure) -> Bool {
        guard isBusy else { return false }
        try client.serve { _ in }
        while output.hasRoom {
            guard let message = rd_kafka_consume_queue(messages, 20) else { return true }
            defer { rd_kafka_message_destroy(message) }
            let partition = message.pointee.partition
            guard open.contains(partition) else { continue }
            let isPast = message.pointee.offset >= limits[partition] ?? .max
            switch message.pointee.err {
            case RD_KAFKA_RESP_ERR_NO_ERROR where isPast:
                if finish(partition) { return true }
            case RD_KAFKA_RESP_ERR__PARTITION_EOF:
                guard isPast || message.pointee.offset >= end(of: partition) else { continue }
                if finish(partition) { return true }
            case RD_KAFKA_RESP_ERR_NO_ERROR:
                // Neither a deleted key nor the end of a stream is a total.
                if message.pointee.len == 0 { continue }
                lineCount += try renderer.append(message, to: &output, limit: .max).count
            case let code where ErrorCode(code).meaning == .passes: continue
            case let code:
                throw .kafka("cannot read topic \"\(topic)\"", code)
            }
        }
        return true
    }

    /// All state of a partition is there. Returns whether that of all is.
    private func finish(_ partition: Int32) -> Bool {
        open.remove(partition)
        guard open.isEmpty else { return false }
        milliseconds += Client.monotonicMilliseconds() - begun
        hasEnded = true
        rd_kafka_assign(client.handle, nil)
        return true
    }

    /// The end of a partition as it was when this reader first came to where it may not read on. What a killed process has
    /// left in an open transaction hides what others have committed behind it, until the broker aborts it.
    private func end(of partition: Int32) -> Int64 {
        var (low, high): (Int64, Int64) = (0, 0)
        if ends[partition] == nil,
            rd_kafka_get_watermark_offsets(client.handle, topic, partition, &low, &high) == RD_KAFKA_RESP_ERR_NO_ERROR
        {
            ends[partition] = high
        }
        return ends[partition] ?? 0
    }
}
