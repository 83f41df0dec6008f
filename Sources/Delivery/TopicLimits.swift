/// What a topic takes, by its settings: what is known of a message before a broker judges it. `nil` is not known.
///
/// The brokers have the last word: settings may change between the question and the message.
package struct TopicLimits: Equatable, Sendable {
    /// `max.message.bytes`: of a batch, compressed, all of its overhead included.
    package var batchBytes: Int?
    /// How much earlier and later than its broker's clock a message's own time may be, in milliseconds.
    package var earlier: Int64?
    package var later: Int64?
    /// A compacted topic takes no message without a key.
    package var needsKey = false

    package init() {}

    /// - Parameter setting: the value of a topic's setting; nil where the broker has none of that name.
    package init(_ setting: (String) -> String?) {
        batchBytes = setting("max.message.bytes").flatMap { Int($0) }
        needsKey = setting("cleanup.policy")?.split(separator: ",").contains { $0 == "compact" } ?? false
        // With the time of the append the message's own does not matter.
        if setting("message.timestamp.type") == "LogAppendTime" { return }
        // Brokers before 3.6 have one limit for both.
        let both = setting("message.timestamp.difference.max.ms").flatMap { Int64($0) }
        earlier = setting("message.timestamp.before.max.ms").flatMap { Int64($0) } ?? both
        later = setting("message.timestamp.after.max.ms").flatMap { Int64($0) } ?? both
    }

    /// Which error the brokers would have for this message, alone in a batch that is not compressed; nil: none is known.
    /// - Parameters:
    ///   - size: of the batch: `batchBytes(value:key:headers:)`.
    ///   - time: its own; nil: now.
    ///   - now: both in milliseconds since the Unix epoch.
    package func refusal(size: Int, hasKey: Bool, time: Int64?, now: Int64) -> ErrorCode? {
        if let batchBytes, size > batchBytes { return .messageTooLarge }
        if needsKey, !hasKey { return .invalidRecord }
        guard let time else { return nil }
        if let earlier, time < 0 || now.subtractingReportingOverflow(time).partialValue > earlier {
            return .invalidTimestamp
        }
        if let later, time > now, time - now > later { return .invalidTimestamp }
        return nil
    }

    /// What a batch has besides its records, in version 2 of the format.
    package static let batchHeader = 61
    /// The most that a batch of one message has besides key, value and headers.
    package static let mostOverhead = batchHeader + 5 + 3 + 5 + 5 + 1

    /// The bytes of a batch that holds only this message: the header, then the record
    /// (https://kafka.apache.org/documentation/#recordbatch).
    /// - Parameters:
    ///   - key, value: their lengths; nil: there is no key.
    ///   - headers: the lengths of the names and values; a value that is missing is nil.
    package static func batchBytes(value: Int, key: Int?, headers: [(name: Int, value: Int?)] = []) -> Int {
        var record = 1 + 1 + 1  // attributes; its time and number, which are those of the batch: 0
        record += varintBytes(Int64(key ?? -1)) + (key ?? 0) + varintBytes(Int64(value)) + value
        record += varintBytes(Int64(headers.count))
        for (name, value) in headers {
            record += varintBytes(Int64(name)) + name + varintBytes(Int64(value ?? -1)) + (value ?? 0)
        }
        return batchHeader + varintBytes(Int64(record)) + record
    }

    /// In zigzag.
    private static func varintBytes(_ number: Int64) -> Int {
        var rest = UInt64(bitPattern: (number << 1) ^ (number >> 63))
        var count = 1
        while rest >= 0x80 { (rest, count) = (rest >> 7, count + 1) }
        return count
    }
}

extension ErrorCode {
    package static let messageTooLarge = ErrorCode(10)
    package static let invalidTimestamp = ErrorCode(32)
    package static let invalidRecord = ErrorCode(87)
}
