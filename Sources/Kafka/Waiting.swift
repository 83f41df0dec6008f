import CRDKafka
internal import Delivery
import Glibc
import ToolRuntime

/// How long what may pass is waited out, and who says so.
struct Patience {
    let milliseconds: Int64
    let tool: String

    func say(_ words: String) { Descriptor.standardError.writeIgnoringErrors("\(tool): \(words)\n") }
}

/// A wait for an answer, before there is anything else to do.
struct Waiting {
    private let patience: Patience
    private var outage = Outage()

    init(_ patience: Patience) { self.patience = patience }

    /// The last try has failed. Waits a little, or says that it is of no use.
    mutating func note(_ code: ErrorCode, _ words: String) throws(Failure) {
        let now = Client.monotonicMilliseconds()
        outage.note(words, at: now)
        if let words = outage.words(at: now) { patience.say(words) }
        // Nothing was taken yet that could be lost.
        Signals.dieIfAsked()
        guard code.passes(after: outage.milliseconds, patience: patience.milliseconds) else {
            throw Failure(Ending(code.kind, words))
        }
        usleep(50_000)
    }

    mutating func end() {
        if let words = outage.end(at: Client.monotonicMilliseconds()) { patience.say(words) }
    }
}

extension Client {
    /// How many partitions `topic` has.
    func partitionCount(of topic: String, _ patience: Patience) throws(Failure) -> Int32 {
        var waiting = Waiting(patience)
        return try findTopic(topic, &waiting, waitsForIt: true) ?? 0
    }

    /// The same.
    /// - Returns: nil if brokers say that there is no such topic, and that is not waited for.
    func findTopic(_ topic: String, _ waiting: inout Waiting, waitsForIt: Bool) throws(Failure) -> Int32? {
        while true {
            let answer = describe(topic, milliseconds: 1000)
            try serve { _ in }
            switch answer {
            case .failure(.unknownTopic, _) where !waitsForIt: return nil
            case .failure(let code, let text): try waiting.note(code, explained(code, text))
            case .partitionCount(let count):
                hasMetBroker = true
                waiting.end()
                return count
            case .ranges, .offsets: preconditionFailure("the answer is another question's")
            }
        }
    }

    /// Asks any broker. May be called from any thread.
    func describe(_ topic: String, milliseconds: CInt) -> Answer {
        func failure(_ code: rd_kafka_resp_err_t, _ text: String? = nil) -> Answer {
            .failure(
                ErrorCode(code), text ?? "cannot use topic \"\(topic)\": \(String(cString: rd_kafka_err2str(code)))")
        }
        guard let named = rd_kafka_topic_new(handle, topic, nil) else { return failure(rd_kafka_last_error()) }
        defer { rd_kafka_topic_destroy(named) }
        var metadata: UnsafePointer<rd_kafka_metadata>?
        // That nobody wants a missing topic to be made, our clients say by allow.auto.create.topics.
        let code = rd_kafka_metadata(handle, 0, named, &metadata, milliseconds)
        guard let metadata else { return failure(code) }
        defer { rd_kafka_metadata_destroy(metadata) }
        let found = metadata.pointee.topic_cnt > 0 ? metadata.pointee.topics[0] : nil
        switch found?.err {
        case RD_KAFKA_RESP_ERR_NO_ERROR where found?.partition_cnt ?? 0 > 0:
            return .partitionCount(found?.partition_cnt ?? 0)
        case nil, RD_KAFKA_RESP_ERR_NO_ERROR, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
            return failure(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "there is no topic \"\(topic)\"")
        case .some(let code): return failure(code)
        }
    }

    /// Where no broker has answered, what the client has complained of says more than that.
    func explained(_ code: ErrorCode, _ text: String) -> String {
        guard [.timedOut, .transport, .allBrokersDown].contains(code) else { return text }
        return "no broker answers: \(oneLine(lastComplaint ?? text))"
    }
}
