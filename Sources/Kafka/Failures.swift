import CRDKafka
import ToolRuntime

extension Failure {
    /// A librdkafka error, worded with what was tried. The one place that maps its codes to exit statuses.
    static func kafka(_ attempt: String, _ code: rd_kafka_resp_err_t, _ detail: String? = nil) -> Failure {
        Failure(ExitStatus(code), "\(attempt): \(detail ?? String(cString: rd_kafka_err2str(code)))")
    }

    /// The same for an error object, which is freed.
    static func kafka(_ attempt: String, consuming error: OpaquePointer) -> Failure {
        defer { rd_kafka_error_destroy(error) }
        return .kafka(attempt, rd_kafka_error_code(error), String(cString: rd_kafka_error_string(error)))
    }
}

extension ExitStatus {
    init(_ code: rd_kafka_resp_err_t) {
        self =
            switch code {
            case RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED,
                RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
                RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
                RD_KAFKA_RESP_ERR__SSL:
                .notPermitted
            case RD_KAFKA_RESP_ERR__INVALID_ARG, RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR,
                RD_KAFKA_RESP_ERR_INVALID_PARTITIONS, RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION,
                RD_KAFKA_RESP_ERR_POLICY_VIOLATION, RD_KAFKA_RESP_ERR_INVALID_CONFIG:
                .configuration
            case RD_KAFKA_RESP_ERR__FENCED, RD_KAFKA_RESP_ERR_PRODUCER_FENCED, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH,
                RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION,
                RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS,
                RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST, RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED:
                .tryAgain
            case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE: .malformedData
            default: .unavailable
            }
    }
}
