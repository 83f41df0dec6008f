import Bytes
import CRDKafka
internal import Delivery
import Glibc
import ToolRuntime

/// A librdkafka client and its main event queue. The handles stay in this module.
///
/// A process has one, and another where it restores state. The last is never destroyed: `rd_kafka_destroy` waits for threads
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
    /// How often it has complained.
    private(set) var complaints = 0
    /// Whether a broker has answered: what it refuses from then on may be a restart.
    var hasMetBroker = false

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
        let isInGroup = kind == RD_KAFKA_CONSUMER && settings.value(of: "group.id") != nil
        if isInGroup { rd_kafka_poll_set_consumer(handle) }
        events = isInGroup ? rd_kafka_queue_get_consumer(handle) : rd_kafka_queue_get_main(handle)
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

    /// Takes events until none is waiting. What the client complains of by itself is kept as the last complaint.
    /// - Parameters:
    ///   - milliseconds: how long to wait for the first one.
    ///   - complain: takes complaints; without it those are thrown that waiting cannot help.
    func serve(
        waiting milliseconds: CInt = 0, complain: ((Complaint) throws(Failure) -> Void)? = nil,
        _ take: (OpaquePointer) throws(Failure) -> Void
    ) throws(Failure) {
        // Before the queues are read, so that what comes later wakes again.
        clearWake()
        var patience = milliseconds
        while let event = rd_kafka_queue_poll(events, patience) {
            defer { rd_kafka_event_destroy(event) }
            patience = 0
            guard rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR else {
                try take(event)
                continue
            }
            let complaint = note(event)
            if let complain {
                try complain(complaint)
            } else if complaint.isHopeless(afterContact: hasMetBroker) {
                throw complaint.failure
            }
        }
    }

    private func clearWake() {
        var bytes: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        while read(wakeDescriptor, &bytes, MemoryLayout.size(ofValue: bytes)) == MemoryLayout.size(ofValue: bytes) {}
    }

    /// Wakes who waits for the wake descriptor.
    func wake() {
        var byte: UInt8 = 0
        _ = write(wakeWriter, &byte, 1)
    }

    private func note(_ event: OpaquePointer) -> Complaint {
        var code = rd_kafka_event_error(event)
        var message =
            rd_kafka_event_error_string(event).map { String(cString: $0) } ?? String(cString: rd_kafka_err2str(code))
        let isFatal = code == RD_KAFKA_RESP_ERR__FATAL
        if isFatal {
            var reason = [CChar](repeating: 0, count: 512)
            code = rd_kafka_fatal_error(handle, &reason, reason.count)
            message = text(of: reason)
        }
        // With TLS 1.3 a broker refuses a client's certificate after the handshake: to librdkafka a lost connection.
        if code == RD_KAFKA_RESP_ERR__TRANSPORT, message.contains("SSL alert number") { code = RD_KAFKA_RESP_ERR__SSL }
        let complaint = Complaint(code: code, text: oneLine(message), isFatal: isFatal)
        // It was told to stop then, and is no news.
        if code == RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE { return complaint }
        complaints += 1
        // That all brokers are down says less than what was said of each before.
        if code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || lastComplaint == nil { lastComplaint = message }
        return complaint
    }

    /// Ends it, for another in its place. Its topics are destroyed, and nothing is under way.
    func retire() {
        nonisolated(unsafe) let (handle, events) = (handle, events)
        let ends = [wakeDescriptor, wakeWriter]
        runDetached {
            rd_kafka_queue_destroy(events)
            rd_kafka_destroy(handle)
            for end in ends { close(end) }
        }
    }

    static func monotonicMilliseconds() -> Int64 { Moment.now().monotonicMilliseconds }
}

/// What a client says by itself.
struct Complaint {
    let code: rd_kafka_resp_err_t
    let text: String
    /// It will do nothing more.
    let isFatal: Bool

    /// Whether waiting, and trying again, which librdkafka does by itself, cannot help.
    /// - Parameter afterContact: a broker that has answered before and now breaks off a handshake may be restarting.
    func isHopeless(afterContact: Bool) -> Bool {
        switch ErrorCode(code).meaning {
        case .lasting(.notPermitted), .lasting(.configuration):
            isFatal || ErrorCode(code) != .brokenHandshake || !afterContact
        default: isFatal
        }
    }

    var failure: Failure { .kafka(code.attempt, code, text) }
}

/// What C has put into a buffer.
func text(of buffer: [CChar]) -> String {
    String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}
