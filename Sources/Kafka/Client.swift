import Bytes
import CRDKafka
import Glibc
import ToolRuntime

/// A librdkafka client and its main event queue. The handles stay in this module.
///
/// A process has one, and another where it restores state. It is never destroyed: `rd_kafka_destroy` waits for threads
/// that may be waiting for a broker, and has nothing to save that the end of the process does not.
public final class Client {
    let handle: OpaquePointer
    /// Delivery reports, errors and, for a consumer, changes of the assignment and results of commits.
    let events: OpaquePointer
    /// Becomes readable when something is put into a queue that was empty.
    public let wakeDescriptor: CInt
    private let wakeWriter: CInt
    /// The last thing that the client complained about by itself, such as a broker that refuses connections.
    private(set) var lastComplaint: String?
    /// Whether a broker has answered: what it refuses from then on may be a restart.
    private var hasMetBroker = false

    init(_ kind: rd_kafka_type_t, _ settings: Settings, events wanted: CInt) throws(Failure) {
        let configuration = try settings.configuration()
        rd_kafka_conf_set_events(configuration, wanted | RD_KAFKA_EVENT_ERROR)
        // What the user must know comes as one line of ours; librdkafka's log speaks only when asked to (-X debug=…).
        if settings.value(of: "debug") == nil { rd_kafka_conf_set_log_cb(configuration) { _, _, _, _ in } }
        var reason = [CChar](repeating: 0, count: 512)
        guard let handle = rd_kafka_new(kind, configuration, &reason, reason.count) else {
            rd_kafka_conf_destroy(configuration)
            throw Failure(.configuration, "librdkafka refuses the properties: \(text(of: reason))")
        }
        self.handle = handle
        if kind == RD_KAFKA_CONSUMER { rd_kafka_poll_set_consumer(handle) }
        events = kind == RD_KAFKA_CONSUMER ? rd_kafka_queue_get_consumer(handle) : rd_kafka_queue_get_main(handle)
        var ends: [CInt] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw Failure(.internalError, "cannot make a pipe: \(String(cString: strerror(errno)))")
        }
        for end in ends { _ = (fcntl(end, F_SETFL, O_NONBLOCK), fcntl(end, F_SETFD, FD_CLOEXEC)) }
        (wakeDescriptor, wakeWriter) = (ends[0], ends[1])
        wake(on: events)
    }

    /// Makes what is put into `queue` wake whoever polls the wake descriptor.
    func wake(on queue: OpaquePointer) {
        rd_kafka_queue_io_event_enable(queue, wakeWriter, "w", 1)
    }

    /// Takes events until none is waiting. Errors of the client itself are kept as the last complaint, or thrown where
    /// waiting cannot help.
    /// - Parameter milliseconds: how long to wait for the first one.
    func serve(waiting milliseconds: CInt = 0, _ take: (OpaquePointer) throws(Failure) -> Void) throws(Failure) {
        // Before the queues are read, so that what comes later wakes again.
        clearWake()
        var patience = milliseconds
        while let event = rd_kafka_queue_poll(events, patience) {
            defer { rd_kafka_event_destroy(event) }
            patience = 0
            if rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR {
                try note(event)
            } else {
                try take(event)
            }
        }
    }

    private func clearWake() {
        var bytes: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        while read(wakeDescriptor, &bytes, MemoryLayout.size(ofValue: bytes)) == MemoryLayout.size(ofValue: bytes) {}
    }

    private func note(_ event: OpaquePointer) throws(Failure) {
        var code = rd_kafka_event_error(event)
        let message =
            rd_kafka_event_error_string(event).map { String(cString: $0) } ?? String(cString: rd_kafka_err2str(code))
        if code == RD_KAFKA_RESP_ERR__FATAL {
            var reason = [CChar](repeating: 0, count: 512)
            code = rd_kafka_fatal_error(handle, &reason, reason.count)
            throw .kafka("cannot go on", code, text(of: reason))
        }
        // With TLS 1.3 a broker refuses a client's certificate behind the handshake: to librdkafka a lost connection.
        if code == RD_KAFKA_RESP_ERR__TRANSPORT, message.contains("SSL alert number") { code = RD_KAFKA_RESP_ERR__SSL }
        if let attempt = code.hopelessAttempt(afterContact: hasMetBroker) { throw .kafka(attempt, code, message) }
        // That all brokers are down says less than what was said of each before.
        if code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || lastComplaint == nil { lastComplaint = message }
    }

    /// How many partitions `topic` has.
    /// - Throws: `unavailable` when no broker answers within the time or there is no such topic.
    func partitionCount(of topic: String) throws(Failure) -> Int32 {
        guard let count = try findTopic(topic) else { throw Failure(.unavailable, "there is no topic \"\(topic)\"") }
        return count
    }

    /// The same; nil if there is no such topic.
    func findTopic(_ topic: String, milliseconds: Int64 = 10_000) throws(Failure) -> Int32? {
        guard let named = rd_kafka_topic_new(handle, topic, nil) else {
            throw .kafka("cannot use topic \"\(topic)\"", rd_kafka_last_error())
        }
        defer { rd_kafka_topic_destroy(named) }
        let deadline = milliseconds + Self.monotonicMilliseconds()
        while true {
            var metadata: UnsafePointer<rd_kafka_metadata>?
            // That nobody wants a missing topic to be made, our clients say by allow.auto.create.topics.
            var code = rd_kafka_metadata(handle, 0, named, &metadata, 1000)
            try serve { _ in }
            if let metadata {
                defer { rd_kafka_metadata_destroy(metadata) }
                hasMetBroker = true
                guard metadata.pointee.topic_cnt > 0 else { return nil }
                let found = metadata.pointee.topics[0]
                code = found.err
                switch code {
                case RD_KAFKA_RESP_ERR_NO_ERROR: if found.partition_cnt > 0 { return found.partition_cnt }
                case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART: return nil
                case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE: break  // it is being made
                default: throw .kafka("cannot use topic \"\(topic)\"", code)
                }
            }
            if Self.monotonicMilliseconds() >= deadline || Signals.isAsked {
                throw Failure(
                    .unavailable, "no broker answers: \(lastComplaint ?? String(cString: rd_kafka_err2str(code)))")
            }
            usleep(50_000)  // without a connection the call comes back at once
        }
    }

    static func monotonicMilliseconds() -> Int64 { Moment.now().monotonicMilliseconds }
}

/// What C has put into a buffer.
func text(of buffer: [CChar]) -> String {
    String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}
