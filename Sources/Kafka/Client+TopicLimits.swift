import CRDKafka
internal import Delivery
import ToolRuntime

extension Client {
    /// What the topic takes.
    /// - Returns: nil where nobody says so: not permitted, not known to such a broker, or no answer in time.
    func limits(of topic: String) throws(Failure) -> TopicLimits? {
        guard let resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic) else { return nil }
        defer { rd_kafka_ConfigResource_destroy(resource) }
        let queue: OpaquePointer = rd_kafka_queue_new(handle)
        defer { rd_kafka_queue_destroy(queue) }
        var resources: [OpaquePointer?] = [resource]
        rd_kafka_DescribeConfigs(handle, &resources, 1, nil, queue)
        let deadline = Self.monotonicMilliseconds() + 3000
        while !Signals.isAsked, Self.monotonicMilliseconds() < deadline {
            guard let event = rd_kafka_queue_poll(queue, 100) else { continue }
            defer { rd_kafka_event_destroy(event) }
            guard let result = rd_kafka_event_DescribeConfigs_result(event) else { return nil }
            var count = 0
            guard let found = rd_kafka_DescribeConfigs_result_resources(result, &count), count == 1,
                let found = found[0],
                rd_kafka_ConfigResource_error(found) == RD_KAFKA_RESP_ERR_NO_ERROR
            else { return nil }
            return TopicLimits(of: found)
        }
        return nil
    }
}

extension TopicLimits {
    fileprivate init(of resource: OpaquePointer) {
        var (count, values) = (0, [String: String]())
        let entries = rd_kafka_ConfigResource_configs(resource, &count)
        for number in 0..<count {
            guard let entry = entries?[number], let name = rd_kafka_ConfigEntry_name(entry) else { continue }
            values[String(cString: name)] = rd_kafka_ConfigEntry_value(entry).map { String(cString: $0) }
        }
        self.init { values[$0] }
    }
}
