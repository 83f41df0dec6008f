import CRDKafka
internal import Delivery
import Glibc
import ToolRuntime

extension Client {
    /// Makes a topic with the broker's replication factor, unless it is there already, whatever its partitions. It is there for
    /// the controller then; the brokers hear of it a little later, which whoever uses it waits for.
    func create(_ topic: String, partitions: Int, _ patience: Patience) throws(Failure) {
        var waiting = Waiting(patience)
        if try findTopic(topic, &waiting, waitsForIt: false) != nil { return }
        while true {
            let (code, detail) = try createOnce(topic, partitions)
            if code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS { return }
            let reason = oneLine(detail ?? String(cString: rd_kafka_err2str(code)))
            try waiting.note(ErrorCode(code), "cannot make topic \"\(topic)\": \(reason)")
        }
    }

    private func createOnce(_ topic: String, _ partitions: Int) throws(Failure) -> (rd_kafka_resp_err_t, String?) {
        var reason = [CChar](repeating: 0, count: 512)
        guard let new = rd_kafka_NewTopic_new(topic, CInt(partitions), -1, &reason, reason.count) else {
            throw Failure(.usage, "cannot make topic \"\(topic)\" with \(partitions) partitions: \(text(of: reason))")
        }
        defer { rd_kafka_NewTopic_destroy(new) }
        let queue: OpaquePointer = rd_kafka_queue_new(handle)
        defer { rd_kafka_queue_destroy(queue) }
        var topics: [OpaquePointer?] = [new]
        rd_kafka_CreateTopics(handle, &topics, 1, nil, queue)
        let deadline = Self.monotonicMilliseconds() + 15_000
        while !Signals.isAsked, Self.monotonicMilliseconds() < deadline {
            try serve { _ in }
            guard let event = rd_kafka_queue_poll(queue, 100) else { continue }
            defer { rd_kafka_event_destroy(event) }
            var count = 0
            if let results = rd_kafka_CreateTopics_result_topics(event, &count), count == 1 {
                let detail = rd_kafka_topic_result_error_string(results[0]).map { String(cString: $0) }
                return (rd_kafka_topic_result_error(results[0]), detail)
            }
            return (rd_kafka_event_error(event), rd_kafka_event_error_string(event).map { String(cString: $0) })
        }
        return (RD_KAFKA_RESP_ERR__TIMED_OUT, lastComplaint)
    }
}
