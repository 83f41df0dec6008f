import CRDKafka

/// One partition that this reader has, and how far it has come.
///
/// Its messages come through a queue of their own, so that the main queue, which must be polled to stay in the group, can
/// be polled while nobody takes lines. What is not taken stays in librdkafka's bounded buffer, or with the broker.
final class AssignedPartition {
    let number: Int32
    let queue: OpaquePointer
    /// The next offset that standard output has not accepted; nil until it has accepted anything.
    var accepted: Int64?
    /// The one that was committed last.
    var committed: Int64?
    /// Where `--until-end` ends.
    var end: Int64?
    /// End-of-stream records that standard output's lines have come past.
    var ends = EndsOfStream()
    /// The same, with those that are still in the buffer.
    var endsRead = EndsOfStream()
    var isDone = false

    init(_ client: Client, topic: String, number: Int32) {
        self.number = number
        queue = rd_kafka_queue_get_partition(client.handle, topic, number)
        rd_kafka_queue_forward(queue, nil)
        client.wake(on: queue)
    }

    deinit {
        rd_kafka_queue_io_event_enable(queue, -1, nil, 0)
        rd_kafka_queue_destroy(queue)
    }
}

/// How many writers have ended their part of a partition, and whether one of them had failed. It is committed with the
/// offset, as its metadata: who gets the partition next must not wait for records that are behind that offset.
struct EndsOfStream: Equatable {
    var count = 0
    var hasFailed = false

    init() {}

    /// From a commit's metadata: `end-of-stream COUNT ok|failed`.
    init(metadata: UnsafeRawBufferPointer) {
        let words = String(decoding: metadata, as: UTF8.self).split(separator: " ")
        guard words.count == 3, words[0] == EndOfStream.header, let count = Int(words[1]) else { return }
        self.count = count
        hasFailed = words[2] == EndOfStream.failed
    }

    var metadata: String {
        count == 0 ? "" : "\(EndOfStream.header) \(count) \(hasFailed ? EndOfStream.failed : EndOfStream.ok)"
    }
}
