import CRDKafka
import Glibc
import ToolRuntime

/// A librdkafka client and its main event queue. The handles stay in this module.
public final class Client {
    let handle: OpaquePointer
    /// Delivery reports, errors and, for a consumer, changes of the assignment.
    let events: OpaquePointer
    /// Becomes readable when something is put into a queue that was empty.
    public let wakeDescriptor: CInt
    private let wakeWriter: CInt
    /// The last thing that the client complained about by itself, such as a broker that refuses connections.
    private(set) var lastComplaint: (code: rd_kafka_resp_err_t, text: String)?

    init(_ kind: rd_kafka_type_t, _ settings: Settings, events wanted: CInt) throws(Failure) {
        let configuration = try settings.configuration()
        rd_kafka_conf_set_events(configuration, wanted | RD_KAFKA_EVENT_ERROR)
        // What the user must know comes as one line of ours; librdkafka's log speaks only when asked to (-X debug=…).
        if settings.value(of: "debug") == nil { rd_kafka_conf_set_log_cb(configuration) { _, _, _, _ in } }
        var reason = [CChar](repeating: 0, count: 512)
        guard let handle = rd_kafka_new(kind, configuration, &reason, reason.count) else {
            rd_kafka_conf_destroy(configuration)
            let text = String(decoding: reason.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            throw Failure(.configuration, "librdkafka refuses the configuration: \(text)")
        }
        self.handle = handle
        if kind == RD_KAFKA_CONSUMER { rd_kafka_poll_set_consumer(handle) }
        events = kind == RD_KAFKA_CONSUMER ? rd_kafka_queue_get_consumer(handle) : rd_kafka_queue_get_main(handle)
        var ends: [CInt] = [-1, -1]
        guard pipe(&ends) == 0 else { throw Failure(.internalError, "cannot make a pipe") }
        for end in ends { _ = (fcntl(end, F_SETFL, O_NONBLOCK), fcntl(end, F_SETFD, FD_CLOEXEC)) }
        (wakeDescriptor, wakeWriter) = (ends[0], ends[1])
        wake(on: events)
    }

    deinit {
        rd_kafka_queue_destroy(events)
        rd_kafka_destroy(handle)
        close(wakeDescriptor)
        close(wakeWriter)
    }

    /// Makes what is put into `queue` wake whoever polls the wake descriptor.
    func wake(on queue: OpaquePointer) {
        rd_kafka_queue_io_event_enable(queue, wakeWriter, "w", 1)
    }

    /// To be called before the queues are read, so that what comes later wakes again.
    func clearWake() {
        var bytes: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        while read(wakeDescriptor, &bytes, MemoryLayout.size(ofValue: bytes)) == MemoryLayout.size(ofValue: bytes) {}
    }

    /// Takes events until none is waiting. Errors of the client are kept as the last complaint; fatal ones are thrown.
    func serve(_ take: (OpaquePointer) throws(Failure) -> Void) throws(Failure) {
        clearWake()
        while let event = rd_kafka_queue_poll(events, 0) {
            defer { rd_kafka_event_destroy(event) }
            if rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR {
                try note(event)
            } else {
                try take(event)
            }
        }
    }

    private func note(_ event: OpaquePointer) throws(Failure) {
        let code = rd_kafka_event_error(event)
        let text = rd_kafka_event_error_string(event).map { String(cString: $0) } ?? String(cString: rd_kafka_err2str(code))
        if code == RD_KAFKA_RESP_ERR__FATAL {
            var reason = [CChar](repeating: 0, count: 512)
            let cause = rd_kafka_fatal_error(handle, &reason, reason.count)
            throw .kafka("fatal error", cause, text)
        }
        switch code {
        case RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, RD_KAFKA_RESP_ERR__SSL:
            throw .kafka("cannot log in", code, text)
        case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN where lastComplaint != nil: return  // the complaints before say more
        default: lastComplaint = (code, text)
        }
    }

    /// How many partitions each of `topics` has.
    /// - Throws: `unavailable` when no broker answers within the time or a topic does not exist.
    func partitionCounts(of topics: [String], milliseconds: Int32 = 10_000) throws(Failure) -> [String: Int32] {
        let deadline = Int64(milliseconds) + Self.monotonicMilliseconds()
        while true {
            var metadata: UnsafePointer<rd_kafka_metadata>?
            // All topics: asking for one by name makes a broker with auto.create.topics.enable create it.
            let code = rd_kafka_metadata(handle, 1, nil, &metadata, 1000)
            try serve { _ in }
            if let metadata, code == RD_KAFKA_RESP_ERR_NO_ERROR {
                defer { rd_kafka_metadata_destroy(metadata) }
                return try Self.counts(of: topics, in: metadata.pointee)
            }
            if Self.monotonicMilliseconds() >= deadline || Signals.isAsked {
                throw .kafka("no broker answers", code, lastComplaint?.text)
            }
            // Without a connection the call comes back at once.
            usleep(50_000)
        }
    }

    private static func counts(of topics: [String], in metadata: rd_kafka_metadata) throws(Failure) -> [String: Int32] {
        var counts: [String: Int32] = [:]
        for topic in UnsafeBufferPointer(start: metadata.topics, count: Int(metadata.topic_cnt)) {
            counts[String(cString: topic.topic)] = topic.partition_cnt
        }
        for topic in topics where counts[topic] ?? 0 == 0 {
            throw Failure(.unavailable, "there is no topic \"\(topic)\"")
        }
        return counts
    }

    static func monotonicMilliseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
