import CRDKafka
import Delivery
import Kafka
import Testing
import ToolRuntime

@Suite struct FailuresTests {
    @Test func codesBecomeExitStatuses() {
        for (code, status) in [
            (RD_KAFKA_RESP_ERR__TRANSPORT, .unavailable), (RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, .unavailable),
            (RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, .unavailable), (RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, .unavailable),
            (RD_KAFKA_RESP_ERR__AUTHENTICATION, .notPermitted), (RD_KAFKA_RESP_ERR__SSL, .notPermitted),
            (RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, .notPermitted),
            (RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, .notPermitted),
            (RD_KAFKA_RESP_ERR__INVALID_ARG, .configuration), (RD_KAFKA_RESP_ERR_POLICY_VIOLATION, .configuration),
            (RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT, .configuration),
            (RD_KAFKA_RESP_ERR__FENCED, .tryAgain), (RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, .tryAgain),
            (RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, .malformedData),
        ] as [(rd_kafka_resp_err_t, ToolRuntime.ExitStatus)] {
            #expect(Failure.kafka("", code).status == status, "\(String(cString: rd_kafka_err2name(code)))")
        }
    }

    @Test func everyErrorThatLibrdkafkaKnowsIsJudged() {
        var (descriptions, count): (UnsafePointer<rd_kafka_err_desc>?, Int) = (nil, 0)
        rd_kafka_get_err_descs(&descriptions, &count)
        #expect(count > 200)
        for place in 0..<count {
            guard let row = descriptions?[place], row.desc != nil, row.code != RD_KAFKA_RESP_ERR_NO_ERROR else {
                continue
            }
            #expect(ErrorCode(row.code).judgement != nil, "\(String(cString: row.name)) \(row.code.rawValue)")
        }
    }

    @Test func aMessageIsOneLine() {
        let failure = Failure.kafka("cannot log in", RD_KAFKA_RESP_ERR__SSL, "first\nsecond\r\nthird")
        #expect(failure == Failure(.notPermitted, "cannot log in: first second third"))
    }

    @Test func ratesHaveThreeFigures() {
        for (number, text) in [
            (0, "0"), (999, "999"), (1000, "1.0k"), (1250, "1.2k"), (35_400_000, "35M"), (2e12, "2.0T"),
        ] {
            #expect(Progress.short(number) == text)
        }
    }
}
