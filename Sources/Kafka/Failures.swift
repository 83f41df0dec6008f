import CRDKafka
import ToolRuntime

extension Failure {
    /// A librdkafka error, worded with what was tried. The one place that maps its codes to exit statuses.
    package static func kafka(_ attempt: String, _ code: rd_kafka_resp_err_t, _ detail: String? = nil) -> Failure {
        let reason = detail ?? String(cString: rd_kafka_err2str(code))
        // Some of its texts are of several lines.
        return Failure(ExitStatus(code), "\(attempt): " + String(reason.map { $0.isNewline ? " " : $0 }))
    }

    /// The same of a transaction that comes to nothing: where nothing else is wrong, the whole may be tried again.
    var ofAbortedTransaction: Failure { status == .unavailable ? Failure(.tryAgain, message) : self }
}

extension ExitStatus {
    package init(_ code: rd_kafka_resp_err_t) {
        self =
            switch code {
            case RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED,
                RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM, RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE,
                RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
                RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
                RD_KAFKA_RESP_ERR__SSL:
                .notPermitted
            case RD_KAFKA_RESP_ERR__INVALID_ARG, RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE,
                RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR, RD_KAFKA_RESP_ERR_INVALID_PARTITIONS,
                RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, RD_KAFKA_RESP_ERR_POLICY_VIOLATION, RD_KAFKA_RESP_ERR_INVALID_CONFIG,
                RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT, RD_KAFKA_RESP_ERR_INVALID_GROUP_ID,
                RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL, RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE:
                .configuration
            case RD_KAFKA_RESP_ERR__FENCED, RD_KAFKA_RESP_ERR_PRODUCER_FENCED, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH,
                RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION,
                RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS,
                RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST, RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED:
                .tryAgain
            case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE,
                RD_KAFKA_RESP_ERR_INVALID_RECORD:
                .malformedData
            default: .unavailable
            }
    }
}

extension rd_kafka_resp_err_t {
    /// What cannot be done, where waiting and trying again, which librdkafka does by itself, cannot help; nil: it may.
    /// - Parameter afterContact: a broker that has answered before and now breaks off a handshake may be restarting.
    package func hopelessAttempt(afterContact: Bool) -> String? {
        switch self {
        case RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED,
            RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM, RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE:
            "cannot log in"
        case RD_KAFKA_RESP_ERR__SSL: afterContact ? nil : "cannot log in"
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
            RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
            "cannot use the topic"
        case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_INVALID_GROUP_ID,
            RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT, RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL,
            RD_KAFKA_RESP_ERR_GROUP_MAX_SIZE_REACHED, RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
            "cannot be a member of the group"
        case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED: "not permitted"
        default: nil
        }
    }

    /// Whether a message can never be delivered, whenever it is tried.
    var isOfTheMessage: Bool {
        self == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE || self == RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE
            || self == RD_KAFKA_RESP_ERR_INVALID_RECORD
    }
}
