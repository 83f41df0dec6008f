import CRDKafka
import ToolRuntime

extension Client {
    /// Makes a topic with the broker's replication factor; one that is there already is left as it is.
    func create(_ topic: String, partitions: Int) throws(Failure) {
        var reason = [CChar](repeating: 0, count: 512)
        guard let new = rd_kafka_NewTopic_new(topic, CInt(partitions), -1, &reason, reason.count) else {
            throw Failure(.usage, "cannot create topic \"\(topic)\" with \(partitions) partitions")
        }
        defer { rd_kafka_NewTopic_destroy(new) }
        let queue = rd_kafka_queue_new(handle)
        defer { rd_kafka_queue_destroy(queue) }
        var topics: [OpaquePointer?] = [new]
        rd_kafka_CreateTopics(handle, &topics, 1, nil, queue)
        guard let event = rd_kafka_queue_poll(queue, 15_000) else {
            throw .kafka("cannot create topic \"\(topic)\"", RD_KAFKA_RESP_ERR__TIMED_OUT, lastComplaint?.text)
        }
        defer { rd_kafka_event_destroy(event) }
        var code = rd_kafka_event_error(event)
        var detail = rd_kafka_event_error_string(event).map { String(cString: $0) }
        var count = 0
        if code == RD_KAFKA_RESP_ERR_NO_ERROR, let results = rd_kafka_CreateTopics_result_topics(event, &count), count == 1 {
            code = rd_kafka_topic_result_error(results[0])
            detail = rd_kafka_topic_result_error_string(results[0]).map { String(cString: $0) }
        }
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS else {
            try serve { _ in }
            throw .kafka("cannot create topic \"\(topic)\"", code, lastComplaint?.text ?? detail)
        }
        // It is there for the controller; the brokers hear of it a little later.
        let deadline = Self.monotonicMilliseconds() + 10_000
        while Self.monotonicMilliseconds() < deadline {
            if (try? partitionCounts(of: [topic])) != nil { return }
        }
    }
}
