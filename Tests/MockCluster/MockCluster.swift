import CRDKafka
import Glibc

/// Serves librdkafka's mock cluster on ports of this machine, for other programs to meet its faults:
///
///     mock-cluster BROKERS
///
/// It prints the brokers' addresses. Then each line of standard input is an order, answered by "ok":
///
///     topic NAME PARTITIONS          make a topic
///     error REQUEST CODE COUNT       answer the next COUNT requests of this kind (Kafka's numbers) with this error
///     delay BROKER MILLISECONDS      answer so much later
///     down BROKER, up BROKER         break off and refuse connections, or not
///     leader TOPIC PARTITION BROKER  change the leader
///     coordinator GROUP BROKER       change the coordinator of a group
///
/// It ends with its input. A partition keeps the last 5 MiB.
@main
enum MockCluster {
    static func main() {
        var reason = [CChar](repeating: 0, count: 512)
        let words = CommandLine.arguments
        guard words.count == 2, let brokers = Int32(words[1]), brokers > 0,
            let client = rd_kafka_new(RD_KAFKA_PRODUCER, nil, &reason, reason.count),
            let cluster = rd_kafka_mock_cluster_new(client, brokers),
            let addresses = rd_kafka_mock_cluster_bootstraps(cluster)
        else {
            say("usage: mock-cluster BROKERS")
            exit(64)
        }
        say(String(cString: addresses))
        while let line = readLine() {
            let code = obey(line.split(separator: " ").map(String.init), cluster)
            say(code == RD_KAFKA_RESP_ERR_NO_ERROR ? "ok" : "error: \(String(cString: rd_kafka_err2str(code)))")
        }
        _exit(0)
    }

    private static func say(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = write(1, bytes, bytes.count)
    }

    private static func obey(_ words: [String], _ cluster: OpaquePointer) -> rd_kafka_resp_err_t {
        let numbers = words.map { Int32($0) ?? -1 }
        switch (words.first, words.count) {
        case ("topic", 3): return rd_kafka_mock_topic_create(cluster, words[1], numbers[2], 1)
        case ("error", 4):
            let errors = Array(repeating: rd_kafka_resp_err_t(numbers[2]), count: Int(numbers[3]))
            rd_kafka_mock_push_request_errors_array(cluster, Int16(numbers[1]), errors.count, errors)
            return RD_KAFKA_RESP_ERR_NO_ERROR
        case ("delay", 3): return rd_kafka_mock_broker_set_rtt(cluster, numbers[1], numbers[2])
        case ("down", 2): return rd_kafka_mock_broker_set_down(cluster, numbers[1])
        case ("up", 2): return rd_kafka_mock_broker_set_up(cluster, numbers[1])
        case ("leader", 4): return rd_kafka_mock_partition_set_leader(cluster, words[1], numbers[2], numbers[3])
        case ("coordinator", 3): return rd_kafka_mock_coordinator_set(cluster, "group", words[1], numbers[2])
        default: return RD_KAFKA_RESP_ERR__INVALID_ARG
        }
    }
}
