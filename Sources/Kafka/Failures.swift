import CRDKafka
package import Delivery
import ToolRuntime

extension Failure {
    /// The one place where the ends that `Delivery` decides on get their exit statuses.
    package init(_ ending: Ending) {
        let status: ExitStatus =
            switch ending.kind {
            case .malformed: .malformedData
            case .unavailable: .unavailable
            case .internalError: .internalError
            case .inputOutput: .inputOutput
            case .tryAgain: .tryAgain
            case .notPermitted: .notPermitted
            case .configuration: .configuration
            }
        self.init(status, ending.message)
    }

    /// A librdkafka error, worded with what was tried.
    package static func kafka(_ attempt: String, _ code: rd_kafka_resp_err_t, _ detail: String? = nil) -> Failure {
        let reason = detail ?? String(cString: rd_kafka_err2str(code))
        return Failure(Ending(ErrorCode(code).kind, "\(attempt): \(oneLine(reason))"))
    }

    /// The same of a transaction that comes to nothing: where nothing else is wrong, the whole may be tried again.
    var ofAbortedTransaction: Failure { status == .unavailable ? Failure(.tryAgain, message) : self }
}

extension Ending {
    init(_ failure: Failure) {
        let kind: Kind =
            switch failure.status {
            case .malformedData, .usage: .malformed
            case .unavailable, .cannotOpenInput: .unavailable
            case .inputOutput: .inputOutput
            case .tryAgain: .tryAgain
            case .notPermitted: .notPermitted
            case .configuration: .configuration
            case .internalError, .success: .internalError
            }
        self.init(kind, failure.message)
    }
}

extension ErrorCode {
    package init(_ code: rd_kafka_resp_err_t) { self.init(rawValue: code.rawValue) }
}

extension rd_kafka_resp_err_t {
    /// What an error keeps the client from; the rest is its broker's to say.
    var attempt: String {
        switch self {
        case RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, RD_KAFKA_RESP_ERR__SSL,
            RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM, RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE:
            "cannot log in"
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
            RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
            "cannot use the topic"
        case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_INVALID_GROUP_ID,
            RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT, RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL,
            RD_KAFKA_RESP_ERR_GROUP_MAX_SIZE_REACHED, RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
            "cannot be a member of the group"
        case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED: "not permitted"
        default: "cannot go on"
        }
    }

    /// Whether a message can never be delivered, whenever it is tried.
    var isOfTheMessage: Bool { ErrorCode(self).isOfTheContent }
}

/// Some of librdkafka's texts are of several lines.
func oneLine(_ text: String) -> String { String(text.map { $0.isNewline ? " " : $0 }) }
