import Bytes
import CBytes
import CRDKafka
internal import Delivery
public import ToolRuntime

/// An idempotent producer for one topic: what it takes is written once and in order, or reported as failed.
///
/// Only failures are reported back by librdkafka (`delivery.report.only.error`): a message that was taken, is no longer
/// in its queue and has not failed was acknowledged by all in-sync replicas.
public final class Producer {
    /// What librdkafka may hold, unless the user says otherwise: two of the longest lines.
    static let kilobytesUnderWay = 131_072

    public let client: Client
    let topic: OpaquePointer
    /// Lines taken by librdkafka, and those of them that could not be delivered.
    private(set) var takenLines = 0
    private(set) var failedLines = 0
    /// How many of the lines are in transactions that were committed.
    private var committedLines = 0
    private let isTransactional: Bool
    /// The first line that could not be delivered, and why; line 0 is an end-of-stream record.
    private(set) var firstFailure: (line: Int, failure: Failure)?
    /// Whether messages that the broker refuses for what they are wait to be put aside; else they are failures.
    private let keepsRefused: Bool
    private var outage = Outage()
    private let patience: Patience
    private var lastUnderWay = 0
    private var lastComplaints = 0
    private(set) var refused: [(line: Int, code: rd_kafka_resp_err_t, value: [UInt8])] = []

    /// - Parameters:
    ///   - longestMessage: in bytes. Whether a topic takes so much is for its broker to say.
    ///   - pack: the usual size of a message where lines are put together.
    ///   - patience: how long a message may wait for its broker.
    ///   - transactions: their id, and how many milliseconds one may take before the broker aborts it; nil: none.
    init(
        _ settings: Settings, topic name: String, longestMessage: Int, pack: Int?, keepsRefused: Bool,
        patience: Patience,
        transactions: (id: String, timeout: Int64)? = nil
    ) throws(Failure) {
        (self.keepsRefused, self.patience) = (keepsRefused, patience)
        isTransactional = transactions != nil
        guard settings.value(of: "transactional.id") == nil else {
            throw Failure(.configuration, "transactional.id: give it as --transactional-id")
        }
        var settings = settings
        if let (id, timeout) = transactions {
            try settings.add("transactional.id=\(id)")
            settings.setDefaults([("transaction.timeout.ms", "\(timeout)")])
        } else {
            settings.setDefaults([("message.timeout.ms", "\(patience.milliseconds)")])
        }
        client = try Client(
            RD_KAFKA_PRODUCER, try Self.complete(settings, longestMessage: longestMessage, pack: pack),
            events: RD_KAFKA_EVENT_DR)
        guard let topic = rd_kafka_topic_new(client.handle, name, nil) else {
            throw .kafka("cannot use topic \"\(name)\"", rd_kafka_last_error())
        }
        self.topic = topic
    }

    private static func complete(_ settings: Settings, longestMessage: Int, pack: Int?) throws(Failure) -> Settings {
        var settings = settings
        // Twice what five requests under way hold: more only makes the caches miss.
        let messages = pack.map { max(64, (8 << 20) / $0) } ?? 100_000
        let limit = min(1_000_000_000, max(1_000_000, longestMessage + 1024))
        settings.setDefaults([
            ("enable.idempotence", "true"), ("delivery.report.only.error", "true"), ("partitioner", "murmur2_random"),
            ("allow.auto.create.topics", "false"), ("message.max.bytes", "\(limit)"),
            ("queue.buffering.max.messages", "\(messages)"),
            ("queue.buffering.max.kbytes", "\(max(kilobytesUnderWay, 2 * (limit >> 10)))"),
        ])
        for (name, wanted) in [("enable.idempotence", "true"), ("delivery.report.only.error", "true")] {
            guard settings.value(of: name) == wanted else {
                throw Failure(.configuration, "\(name) must stay \(wanted): else a line could be lost unseen")
            }
        }
        return settings
    }

    // MARK: Reports

    /// Takes delivery reports.
    public func serve(waiting milliseconds: CInt = 0) throws(Failure) {
        try client.serve(waiting: milliseconds) { event throws(Failure) in
            guard rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR else { return }
            while let message = rd_kafka_event_message_next(event)?.pointee {
                if message.err != RD_KAFKA_RESP_ERR_NO_ERROR { takeFailed(message) }
            }
        }
        lookForOutage()
    }

    /// How many milliseconds may pass until what is under way is looked at again: acknowledgements do not wake.
    var patienceUntilLook: Int64? { underWay > 0 ? 1000 : nil }

    /// Says in one line that brokers do not take what is under way, and in one that they do again.
    private func lookForOutage() {
        let (now, underWay) = (Client.monotonicMilliseconds(), underWay)
        if underWay == 0 || underWay < lastUnderWay, let words = outage.end(at: now) { patience.say(words) }
        // A broker that hangs gives nothing to complain of for a minute.
        let complaint = client.complaints != lastComplaints ? client.lastComplaint : nil
        if underWay > 0, let reason = complaint ?? (outage.isOpen ? nil : "no broker acknowledges what was sent") {
            outage.note(reason, at: now)
        }
        if let words = outage.words(at: now) { patience.say(words) }
        (lastUnderWay, lastComplaints) = (underWay, client.complaints)
    }

    private func takeFailed(_ message: rd_kafka_message_t) {
        let line = Int(bitPattern: message._private)
        if line > 0 {
            let lines = message.payload.map { cbytes_count($0, 0x0A, message.len) + 1 } ?? 1
            if keepsRefused, message.err.isOfTheMessage {
                takenLines -= lines
                let value = Array(UnsafeRawBufferPointer(start: message.payload, count: message.len))
                return refused.append((line, message.err, value))
            }
            failedLines += lines
        }
        fail(line: line, message.err)
    }

    /// The messages that the broker has refused since the last call.
    func takeRefused() -> [(line: Int, code: rd_kafka_resp_err_t, value: [UInt8])] {
        defer { refused = [] }
        return refused
    }

    func fail(line: Int, _ code: rd_kafka_resp_err_t) {
        // An end-of-stream record comes last, whatever its number.
        if let (first, _) = firstFailure, first > 0, line == 0 || first <= line { return }
        if isTransactional, code == RD_KAFKA_RESP_ERR__PURGE_QUEUE || code == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT {
            // The lines went with their transaction; why it was given up, the client has complained of before.
            let reason = client.lastComplaint ?? String(cString: rd_kafka_err2str(code))
            firstFailure = (line, Failure(.tryAgain, "the transaction was given up: \(reason)"))
            return
        }
        // A newer one, librdkafka says, also where the brokers gave the transaction up by themselves.
        if isTransactional, let words = WriterSession.wordsOfFencing(ErrorCode(code)) {
            firstFailure = (line, Failure(.tryAgain, "not delivered: \(words)"))
            return
        }
        var detail = String(cString: rd_kafka_err2str(code))
        if let complaint = client.lastComplaint, !code.isOfTheMessage { detail += " (\(complaint))" }
        let failure = Failure.kafka("not delivered", code, detail)
        firstFailure = (line, isTransactional ? failure.ofAbortedTransaction : failure)
    }

    func noteCommitted() { committedLines = takenLines }

    /// Lines that have come to the topic, once nothing is under way.
    var deliveredLines: Int { isTransactional ? committedLines : takenLines - failedLines }

    /// Messages that are neither acknowledged nor failed.
    var underWay: Int { Int(rd_kafka_outq_len(client.handle)) }

    // MARK: Sending

    /// Sends copies of the messages. `_private` of each is its line number. Waits while too much is under way.
    /// - Parameters:
    ///   - partition: of all of them; nil: each says its own, which may be `RD_KAFKA_PARTITION_UA`, for the partitioner to
    ///     choose by the key.
    ///   - refuse: gets the messages that can never be delivered.
    func send(
        _ messages: UnsafeMutableBufferPointer<rd_kafka_message_t>, partition: Int32?,
        refuse: (rd_kafka_message_t) throws(Failure) -> Void
    ) throws(Failure) {
        let flags = RD_KAFKA_MSG_F_COPY | (partition == nil ? RD_KAFKA_MSG_F_PARTITION : 0)
        var rest = messages[...]
        while let first = rest.first {
            let base = UnsafeMutableBufferPointer(rebasing: rest)
            let taken = rd_kafka_produce_batch(
                topic, partition ?? RD_KAFKA_PARTITION_UA, flags, base.baseAddress, CInt(base.count))
            takenLines += Int(taken)
            if Int(taken) == rest.count { return }
            // When the queue is full, this goes for all messages behind the first that did not fit: the order stays.
            let full = rest.firstIndex { $0.err == RD_KAFKA_RESP_ERR__QUEUE_FULL } ?? rest.endIndex
            for message in rest[..<full] where message.err != RD_KAFKA_RESP_ERR_NO_ERROR {
                try check(message.err, line: Int(bitPattern: message._private))
                try refuse(message)
            }
            rest = rest[full...]
            if rest.count == base.count, try !waitForRoom(line: Int(bitPattern: first._private)) {
                // It does not fit even where nothing else is under way.
                var message = first
                message.err = RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE
                try refuse(message)
                rest = rest.dropFirst()
            }
        }
    }

    /// Sends a copy of one message that has a timestamp or headers. Waits while too much is under way.
    /// - Parameters:
    ///   - timestamp: milliseconds since the Unix epoch, not 0, which librdkafka takes for now; nil: now.
    ///   - line: its number, and how many lines are in it.
    /// - Returns: why it can never be delivered; nil: it was taken.
    func send(
        value: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer?, partition: Int32, timestamp: Int64?,
        headers: [Header], line: Int, lines: Int = 1
    ) throws(Failure) -> rd_kafka_resp_err_t? {
        while true {
            let code = sendAtOnce(value, key, partition, timestamp, headers, line)
            switch code {
            case RD_KAFKA_RESP_ERR_NO_ERROR:
                takenLines += line > 0 ? lines : 0
                return nil
            case RD_KAFKA_RESP_ERR__QUEUE_FULL:
                if try !waitForRoom(line: line) { return RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE }
            default:
                try check(code, line: line)
                return code
            }
        }
    }

    private func sendAtOnce(
        _ value: UnsafeRawBufferPointer, _ key: UnsafeRawBufferPointer?, _ partition: Int32, _ timestamp: Int64?,
        _ headers: [Header], _ line: Int
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
        let list = headers.isEmpty ? nil : Header.list(headers)
        add(RD_KAFKA_VTYPE_RKT) { $0.u.rkt = topic }
        add(RD_KAFKA_VTYPE_PARTITION) { $0.u.i32 = partition }
        add(RD_KAFKA_VTYPE_MSGFLAGS) { $0.u.i = RD_KAFKA_MSG_F_COPY }
        add(RD_KAFKA_VTYPE_VALUE) { memory(value, in: &$0) }
        if let key { add(RD_KAFKA_VTYPE_KEY) { memory(key, in: &$0) } }
        if let timestamp { add(RD_KAFKA_VTYPE_TIMESTAMP) { $0.u.i64 = timestamp } }
        if let list { add(RD_KAFKA_VTYPE_HEADERS) { $0.u.headers = list } }
        add(RD_KAFKA_VTYPE_OPAQUE) { $0.u.ptr = UnsafeMutableRawPointer(bitPattern: line) }
        guard let error = rd_kafka_produceva(client.handle, parts, parts.count) else {
            return RD_KAFKA_RESP_ERR_NO_ERROR
        }
        defer { rd_kafka_error_destroy(error) }
        if let list { rd_kafka_headers_destroy(list) }  // only success hands them over
        return rd_kafka_error_code(error)
    }

    /// Waits a little for messages to leave.
    /// - Returns: false when none is under way that could leave.
    /// - Throws: when a line has failed, or a signal asks for the end: nothing more is sent.
    private func waitForRoom(line: Int) throws(Failure) -> Bool {
        let isAlone = underWay == 0
        // Acknowledgements do not wake: only failures are reported.
        try serve(waiting: 2)
        if let firstFailure { throw firstFailure.failure }
        if Signals.isAsked { throw Failure(.tryAgain, "line \(line): not delivered: stopped by a signal") }
        return !isAlone
    }

    /// Goes on only if the refusal is of the message.
    private func check(_ code: rd_kafka_resp_err_t, line: Int) throws(Failure) {
        if !code.isOfTheMessage { throw .kafka("line \(line): not delivered", code) }
    }

    /// Waits until every message was acknowledged or has failed. A signal bounds the wait; what is left then has failed.
    public func flush() throws(Failure) {
        var deadline: Int64?
        // What is in a transaction with a line that has failed is given up with it.
        while underWay > 0, !(isTransactional && firstFailure != nil) {
            rd_kafka_flush(client.handle, 50)  // sends at once, whatever linger.ms says
            try serve()
            let now = Client.monotonicMilliseconds()
            if Signals.isAsked, deadline == nil { deadline = now + 5000 }
            if let deadline, now >= deadline {
                rd_kafka_purge(client.handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
                if now >= deadline + 2000 { return }
            }
        }
        try serve()
    }
}
