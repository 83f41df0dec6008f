import Bytes
import CBytes
import CRDKafka
internal import Delivery
public import ToolRuntime

/// An idempotent producer for one topic: what it takes is written once and in order, or reported as failed.
///
/// Only failures are reported back by librdkafka (`delivery.report.only.error`): a message that was taken, is no longer
/// in its queue and has not failed was acknowledged by all in-sync replicas.
///
/// In a partition nothing overtakes, also not what the broker has refused. Left to itself librdkafka gives a refused batch
/// back and goes on with the next. With `enable.gapless.guarantee` it stops for good instead: all that is not written comes
/// back, goes again in small pieces (`Producer+Refusals`), and the lines after that through a new client.
public final class Producer {
    /// What librdkafka may hold, unless the user says otherwise: two of the longest lines.
    static let kilobytesUnderWay = 131_072
    /// librdkafka's `batch.size`, if nobody sets it.
    private static let usualBatchBytes = 1_000_000

    public private(set) var client: Client
    private(set) var topic: OpaquePointer
    let name: String
    private(set) var settings: Settings
    /// Lines taken by librdkafka, and those of them that could not be delivered.
    var takenLines = 0
    var failedLines = 0
    /// How many of the lines are in transactions that were committed.
    private var committedLines = 0
    let isTransactional: Bool
    /// The first line that could not be delivered, and why; line 0 is an end-of-stream record.
    private(set) var firstFailure: (line: Int, failure: Failure)?
    /// Whether it only went with others: then whatever says why is said first.
    private var isByPurge = false
    /// Whether messages that the broker refuses for what they are wait to be put aside; else they are failures.
    let keepsRefused: Bool
    private var outage = Outage()
    let patience: Patience
    private var lastUnderWay = 0
    private var lastComplaints = 0
    /// One line each, to be put aside.
    var refused: [(line: Int, code: rd_kafka_resp_err_t, value: [UInt8])] = []
    /// What has come back, and waits for `settle`.
    var returned: [ReturnedMessage] = []
    var isSettling = false
    var single: SingleBatches?
    /// What is known of the topic: a message that does not fit goes alone, for the broker to judge, or not into a transaction.
    private(set) var limits: TopicLimits?
    var introductions = Introductions(partitions: 0)
    private(set) var partitions = 0
    let partitioner: Partitioner
    /// The most bytes of a batch: what the user says, and what refusals have shown.
    private var batchBytes: Int
    /// The lines of packs that may be under way, by the first, where they need not be in a row.
    var numbersOfPacks: [Int: LineNumbers] = [:]
    var bytesOfNumbers = 0

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
        settings = try Self.complete(settings, longestMessage: longestMessage, pack: pack)
        if transactions == nil { settings.setDefaults([("enable.gapless.guarantee", "true")]) }
        (self.name, self.settings) = (name, settings)
        partitioner = Partitioner(settings.value(of: "partitioner") ?? "")
        batchBytes = settings.value(of: "batch.size").flatMap { Int($0) } ?? Self.usualBatchBytes
        (client, topic) = try Self.connect(settings, name)
    }

    static func connect(_ settings: Settings, _ name: String) throws(Failure) -> (Client, OpaquePointer) {
        let client = try Client(RD_KAFKA_PRODUCER, settings, events: RD_KAFKA_EVENT_DR)
        guard let topic = rd_kafka_topic_new(client.handle, name, nil) else {
            throw .kafka("cannot use topic \"\(name)\"", rd_kafka_last_error())
        }
        return (client, topic)
    }

    private static func complete(_ settings: Settings, longestMessage: Int, pack: Int?) throws(Failure) -> Settings {
        var settings = settings
        // Twice what five requests under way hold: more only makes the caches miss.
        let messages = pack.map { max(64, (8 << 20) / $0) } ?? 100_000
        let limit = min(1_000_000_000, max(1_000_000, longestMessage + 1024))
        settings.setDefaults([
            ("enable.idempotence", "true"), ("delivery.report.only.error", "true"), ("partitioner", "murmur2_random"),
            ("allow.auto.create.topics", "false"), ("topic.metadata.refresh.interval.ms", "10000"),
            ("message.max.bytes", "\(limit)"),
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
        try client.serve(waiting: milliseconds) { complaint throws(Failure) in
            // That it has stopped, to go on after `settle`.
            if complaint.code == RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE { return }
            if complaint.isHopeless(afterContact: self.client.hasMetBroker) { throw complaint.failure }
        } _: { event throws(Failure) in
            guard rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR else { return }
            while let message = rd_kafka_event_message_next(event) {
                if message.pointee.err != RD_KAFKA_RESP_ERR_NO_ERROR { takeFailed(message) }
            }
        }
        lookForOutage()
        if !returned.isEmpty, !isSettling { try settle() }
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

    /// The messages that the broker has refused since the last call.
    func takeRefused() -> [(line: Int, code: rd_kafka_resp_err_t, value: [UInt8])] {
        defer { refused = [] }
        return refused
    }

    func fail(line: Int, _ code: rd_kafka_resp_err_t) {
        let wentWithTransaction =
            isTransactional && (code == RD_KAFKA_RESP_ERR__PURGE_QUEUE || code == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)
        if let (first, _) = firstFailure, wentWithTransaction || !isByPurge {
            // An end-of-stream record comes last, whatever its number.
            if first > 0, line == 0 || first <= line { return }
            if wentWithTransaction, !isByPurge { return }
        }
        isByPurge = wentWithTransaction
        if wentWithTransaction {
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
        if isTransactional, code.isOfTheMessage { return firstFailure = (line, refusedInTransaction(code)) }
        var detail = String(cString: rd_kafka_err2str(code))
        if let complaint = client.lastComplaint, !code.isOfTheMessage { detail += " (\(complaint))" }
        let failure = Failure.kafka("not delivered", code, detail)
        firstFailure = (line, isTransactional ? failure.ofAbortedTransaction : failure)
    }

    /// What is in a transaction cannot be taken out of it again. Where the topic's limits are known, they have changed since.
    private func refusedInTransaction(_ code: rd_kafka_resp_err_t) -> Failure {
        let words = "the broker refuses the batch that begins here: \(String(cString: rd_kafka_err2str(code)))"
        if limits != nil { return Failure(.tryAgain, words) }
        return Failure(
            .malformedData,
            "\(words); the topic's limits are not known here: allow DESCRIBE_CONFIGS, or give its max.message.bytes as "
                + "-X message.max.bytes")
    }

    func throwFirst() throws(Failure) {
        guard let (line, failure) = firstFailure else { return }
        throw Failure(failure.status, "\(line > 0 ? "line \(line)" : "end-of-stream record"): \(failure.message)")
    }

    func noteCommitted() { committedLines = takenLines }

    /// Lines that have come to the topic, once nothing is under way.
    var deliveredLines: Int { isTransactional ? committedLines : takenLines - failedLines }

    /// Messages that are neither acknowledged nor failed.
    var underWay: Int { Int(rd_kafka_outq_len(client.handle)) }

    // MARK: The topic

    /// Asks what the topic takes, and keeps batches below that, so that none is refused for what its messages are together.
    func meet(partitions count: Int32) throws(Failure) {
        partitions = Int(count)
        limits = try client.limits(of: name)
        if fitBatches() { try renew() } else { greet() }
    }

    /// There are more now.
    func use(partitions count: Int32) {
        partitions = Int(count)
        greet()
    }

    /// How often to look whether partitions were added.
    var refreshMilliseconds: Int64 {
        let set = settings.value(of: "topic.metadata.refresh.interval.ms").flatMap { Int64($0) } ?? 0
        return set > 0 ? set : 10_000
    }

    /// - Returns: whether it takes a new client: librdkafka's settings are for good.
    private func fitBatches() -> Bool {
        // librdkafka counts some hundred bytes of the request with it.
        let size = min(batchBytes, max(1, (limits?.batchBytes ?? .max) - TopicLimits.batchHeader))
        let before = settings.value(of: "batch.size").flatMap { Int($0) } ?? Self.usualBatchBytes
        if size != before { settings.replace("batch.size", by: "\(size)") }
        return size != before
    }

    /// A batch of more was refused.
    func keepBatches(below bytes: Int) { batchBytes = min(batchBytes, bytes) }

    private func renew() throws(Failure) {
        let old = client
        rd_kafka_topic_destroy(topic)
        (client, topic) = try Self.connect(settings, name)
        client.hasMetBroker = old.hasMetBroker
        old.retire()
        greet()
    }

    private func greet() { introductions = Introductions(partitions: isTransactional ? 0 : partitions) }

    /// Whether the client has stopped after a refusal.
    var hasStopped: Bool {
        !isTransactional
            && rd_kafka_fatal_error(client.handle, nil, 0) == RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE
    }

    /// Before anything is sent: what has come back goes first.
    func makeReady() throws(Failure) {
        guard hasStopped else { return }
        try settle()
        if let single { limits = try single.client.limits(of: name) }
        _ = fitBatches()
        try renew()
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
