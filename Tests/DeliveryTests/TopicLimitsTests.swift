import Delivery
import Testing

@Suite struct TopicLimitsTests {
    private static func limits(_ settings: [String: String]) -> TopicLimits { TopicLimits { settings[$0] } }

    private static func refusal(
        _ limits: TopicLimits, size: Int = 100, hasKey: Bool = true, time: Int64? = nil
    ) -> ErrorCode? {
        limits.refusal(size: size, hasKey: hasKey, time: time, now: 1_000_000)
    }

    @Test func theyAreTheTopicsSettings() {
        let limits = Self.limits([
            "max.message.bytes": "1000", "cleanup.policy": "compact,delete", "message.timestamp.type": "CreateTime",
            "message.timestamp.before.max.ms": "9223372036854775807", "message.timestamp.after.max.ms": "3600000",
        ])
        #expect(Self.refusal(limits, size: 1000) == nil)
        #expect(Self.refusal(limits, size: 1001) == .messageTooLarge)
        #expect(Self.refusal(limits, hasKey: false) == .invalidRecord)
        #expect(Self.refusal(limits, time: 4_600_000) == nil)
        #expect(Self.refusal(limits, time: 4_600_001) == .invalidTimestamp)
        #expect(Self.refusal(limits, time: .max) == .invalidTimestamp)
        #expect(Self.refusal(limits, time: 1) == nil)
    }

    @Test func olderBrokersHaveOneLimitForBothTimes() {
        let limits = Self.limits(["message.timestamp.difference.max.ms": "1000"])
        #expect(Self.refusal(limits, time: 999_000) == nil)
        #expect(Self.refusal(limits, time: 998_999) == .invalidTimestamp)
        #expect(Self.refusal(limits, time: 1_001_001) == .invalidTimestamp)
    }

    @Test func theTimeOfAnAppendIsNotTheMessages() {
        let limits = Self.limits([
            "message.timestamp.type": "LogAppendTime", "message.timestamp.after.max.ms": "1",
            "cleanup.policy": "delete",
        ])
        #expect(Self.refusal(limits, hasKey: false, time: .max) == nil)
        #expect(Self.limits([:]) == TopicLimits())
    }

    /// As Apache Kafka 4.1.2 counts: the batch of a value of 1000 bytes without a key is just taken with this limit.
    @Test func aBatchOfOneMessageIsCountedToTheByte() {
        #expect(TopicLimits.batchBytes(value: 1000, key: nil) == 61 + 2 + 3 + 1 + 2 + 1000 + 1)
        #expect(TopicLimits.batchBytes(value: 0, key: 0) == 61 + 1 + 3 + 1 + 1 + 1)
        #expect(
            TopicLimits.batchBytes(value: 3, key: 2, headers: [(1, 4), (1, nil)]) == 61 + 1 + 3 + 3 + 4 + 1 + 7 + 3)
        for value in [0, 63, 64, 8191, 8192, 1 << 20] {
            #expect(TopicLimits.batchBytes(value: value, key: nil) - value <= TopicLimits.mostOverhead)
        }
    }

    @Test func numbersOfLinesComeBack() {
        var (numbers, all) = (LineNumbers(first: 7), [7])
        for step in [1, 1, 255, 256, 257, 65_536, 1 << 40, 1] {
            all.append((all.last ?? 0) + step)
            numbers.append(all.last ?? 0)
        }
        #expect(numbers.all == all)
        #expect(LineNumbers(first: 0).all == [0])
    }
}
