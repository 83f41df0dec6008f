import Bytes
import CBytes
import CRDKafka
import Glibc
public import ToolRuntime

/// An idempotent producer for one topic: what it takes is written once and in order, or reported as failed.
///
/// Only failures are reported back by librdkafka (`delivery.report.only.error`): a message that was taken, is no longer
/// in the queue and has not failed was acknowledged by all in-sync replicas.
public final class Producer {
    public let client: Client
    let topic: OpaquePointer
    /// Bytes that may wait in librdkafka.
    private let budget: Int
    private let messageLimit: Int
    /// The longest message so far: with it, `room` bounds the bytes that wait by their number.
    private var longest = 1
    public private(set) var failedLines = 0
    /// The first line that could not be delivered, and why.
    public private(set) var firstFailure: (line: Int, failure: Failure)?

    public init(_ settings: Settings, topic name: String) throws(Failure) {
        var settings = settings
        settings.setDefaults([
            ("enable.idempotence", "true"), ("delivery.report.only.error", "true"), ("partitioner", "murmur2_random"),
            ("queue.buffering.max.messages", "500000"), ("queue.buffering.max.kbytes", "131072"),
        ])
        for (name, wanted) in [("enable.idempotence", "true"), ("delivery.report.only.error", "true")] {
            guard settings.value(of: name) == wanted else {
                throw Failure(.configuration, "\(name) must stay \(wanted): else a line could be lost unseen")
            }
        }
        messageLimit = settings.value(of: "queue.buffering.max.messages").flatMap { Int($0) } ?? 500_000
        budget = (settings.value(of: "queue.buffering.max.kbytes").flatMap { Int($0) } ?? 131_072) << 10
        client = try Client(RD_KAFKA_PRODUCER, settings, events: RD_KAFKA_EVENT_DR)
        guard let topic = rd_kafka_topic_new(client.handle, name, nil) else {
            throw .kafka("cannot use topic \"\(name)\"", rd_kafka_last_error())
        }
        self.topic = topic
    }

    deinit { rd_kafka_topic_destroy(topic) }

    /// Takes delivery reports.
    public func serve() throws(Failure) {
        try client.serve { event throws(Failure) in take(event) }
    }

    private func take(_ event: OpaquePointer) {
        guard rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR else { return }
        while let message = rd_kafka_event_message_next(event)?.pointee {
            guard message.err != RD_KAFKA_RESP_ERR_NO_ERROR else { continue }
            let lines = message.payload.map { cbytes_count($0, 0x0A, message.len) + 1 } ?? 1
            fail(line: Int(bitPattern: message._private), lines: lines, message.err)
        }
    }

    func fail(line: Int, lines: Int = 1, _ code: rd_kafka_resp_err_t) {
        failedLines += lines
        if firstFailure.map({ line < $0.line }) ?? true {
            let detail = client.lastComplaint.map { "\(String(cString: rd_kafka_err2str(code))) (\($0.text))" }
            firstFailure = (line, .kafka("not delivered", code, detail))
        }
    }

    /// Waits until `count` more messages of at most `length` bytes may wait. A signal ends the wait.
    ///
    /// librdkafka's own limit is never reached: in a batch it would turn down some messages and take later ones.
    func room(for count: Int, length: Int) throws(Failure) {
        longest = max(longest, length + 64)  // 64: what librdkafka keeps with a message
        let limit = max(count, min(messageLimit, budget / longest))
        while Int(rd_kafka_outq_len(client.handle)) + count > limit, firstFailure == nil, !Signals.isAsked {
            if let event = rd_kafka_queue_poll(client.events, 5) {
                take(event)
                rd_kafka_event_destroy(event)
            }
        }
    }

    /// Sends copies of the messages. `_private` of each is its line number.
    /// - Parameter partition: of all of them; nil: each says its own, which may be `RD_KAFKA_PARTITION_UA`, for the
    ///   partitioner to choose by the key.
    /// - Returns: the places of the messages that can never be delivered, with the reason. The others were taken.
    func produce(
        _ messages: UnsafeMutableBufferPointer<rd_kafka_message_t>, partition: Int32?
    ) -> [(place: Int, code: rd_kafka_resp_err_t)] {
        guard let first = messages.baseAddress, !messages.isEmpty else { return [] }
        let flags = RD_KAFKA_MSG_F_COPY | (partition == nil ? RD_KAFKA_MSG_F_PARTITION : 0)
        let taken = rd_kafka_produce_batch(
            topic, partition ?? RD_KAFKA_PARTITION_UA, flags, first, CInt(messages.count))
        if taken == messages.count { return [] }
        return messages.enumerated().filter { $1.err != RD_KAFKA_RESP_ERR_NO_ERROR }.map { ($0, $1.err) }
    }

    /// Sends a copy of one message with a timestamp or headers, which are taken over.
    /// - Parameter timestamp: milliseconds since the Unix epoch; nil: now.
    func produce(
        value: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer?, partition: Int32, timestamp: Int64?,
        headers: OpaquePointer?, line: Int
    ) -> rd_kafka_resp_err_t {
        var parts: [rd_kafka_vu_t] = []
        func add(_ type: rd_kafka_vtype_t, _ fill: (inout rd_kafka_vu_t) -> Void) {
            var part = rd_kafka_vu_t()
            part.vtype = type
            fill(&part)
            parts.append(part)
        }
        func memory(_ bytes: UnsafeRawBufferPointer, in part: inout rd_kafka_vu_t) {
            // An empty value is not a missing one: it needs an address.
            part.u.mem.ptr = UnsafeMutableRawPointer(mutating: bytes.baseAddress) ?? UnsafeMutableRawPointer(topic)
            part.u.mem.size = bytes.count
        }
        add(RD_KAFKA_VTYPE_RKT) { $0.u.rkt = topic }
        add(RD_KAFKA_VTYPE_PARTITION) { $0.u.i32 = partition }
        add(RD_KAFKA_VTYPE_MSGFLAGS) { $0.u.i = RD_KAFKA_MSG_F_COPY }
        add(RD_KAFKA_VTYPE_VALUE) { memory(value, in: &$0) }
        if let key { add(RD_KAFKA_VTYPE_KEY) { memory(key, in: &$0) } }
        if let timestamp { add(RD_KAFKA_VTYPE_TIMESTAMP) { $0.u.i64 = timestamp } }
        if let headers { add(RD_KAFKA_VTYPE_HEADERS) { $0.u.headers = headers } }
        add(RD_KAFKA_VTYPE_OPAQUE) { $0.u.ptr = UnsafeMutableRawPointer(bitPattern: line) }
        guard let error = rd_kafka_produceva(client.handle, parts, parts.count) else { return RD_KAFKA_RESP_ERR_NO_ERROR }
        defer { rd_kafka_error_destroy(error) }
        if let headers { rd_kafka_headers_destroy(headers) }  // only success hands them over
        return rd_kafka_error_code(error)
    }

    /// Waits until every message was acknowledged or has failed. Gives up when a signal asks a second time.
    public func flush() throws(Failure) {
        while rd_kafka_outq_len(client.handle) > 0 {
            if let event = rd_kafka_queue_poll(client.events, 50) {
                take(event)
                rd_kafka_event_destroy(event)
            }
            _ = rd_kafka_flush(client.handle, 0)  // sends at once, whatever linger.ms says
        }
        try serve()
    }
}
