import CRDKafka
import ToolRuntime

/// Where reading a partition begins, as `-o` says it.
public enum StartOffset: Equatable, Sendable {
    case beginning
    case end
    /// What the group has committed; where it has not, the beginning.
    case stored
    case offset(Int64)
    /// So many offsets before the end.
    case fromEnd(Int64)
    /// The first message with this timestamp or a later one; milliseconds since the Unix epoch.
    case time(Int64)

    /// `beginning`, `end`, `stored`, `N`, `-N` or `@TIME`; nil for anything else.
    public init?(_ text: String) {
        switch text {
        case "beginning": self = .beginning
        case "end": self = .end
        case "stored": self = .stored
        default:
            let sign = text.first.flatMap { "@-".contains($0) ? $0 : nil }
            let digits = sign == nil ? text[...] : text.dropFirst()
            guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int64(digits) else { return nil }
            self = sign == "@" ? .time(number) : sign == "-" ? .fromEnd(number) : .offset(number)
        }
    }

    /// The offset in a partition whose messages are in `there`; `byTime` is what the broker says to the time asked for.
    package func offset(in there: Range<Int64>, byTime: Int64?) -> Int64 {
        switch self {
        case .beginning, .stored: there.lowerBound
        case .end: there.upperBound
        // An offset that is no longer or not yet there would be taken for the beginning.
        case .offset(let offset): min(max(offset, there.lowerBound), there.upperBound)
        case .fromEnd(let count): there.upperBound - min(count, Int64(there.count))
        // A time behind the last message has no offset: the end.
        case .time: byTime.map { $0 < 0 ? there.upperBound : $0 } ?? there.upperBound
        }
    }
}

extension Client {
    /// For each of the partitions where reading begins, and the offset behind the last message that a reader of committed
    /// messages may see.
    /// - Cost: two or three requests to each broker, however many partitions there are.
    func offsets(of topic: String, _ partitions: [Int32], from start: StartOffset) throws(Failure) -> [Range<Int64>] {
        let first = try lookUp(topic, partitions, Int64(RD_KAFKA_OFFSET_BEGINNING))
        let end = try lookUp(topic, partitions, Int64(RD_KAFKA_OFFSET_END))
        var byTime: [Int64]?
        if case .time(let time) = start { byTime = try lookUp(topic, partitions, time) }
        return partitions.indices.map { place in
            let there = Range(uncheckedBounds: (first[place], max(first[place], end[place])))
            return start.offset(in: there, byTime: byTime?[place])..<there.upperBound
        }
    }

    /// Kafka's ListOffsets request, in which -1 and -2, librdkafka's logical offsets, stand for the end and the beginning.
    private func lookUp(_ topic: String, _ partitions: [Int32], _ time: Int64) throws(Failure) -> [Int64] {
        guard !partitions.isEmpty else { return [] }
        let list = PartitionList(topic, partitions.map { ($0, time) })
        let code = rd_kafka_offsets_for_times(handle, list.pointer, 10_000)
        if code != RD_KAFKA_RESP_ERR_NO_ERROR { throw .kafka("cannot look up the offsets of \"\(topic)\"", code) }
        var found: [Int32: Int64] = [:]
        for entry in list.entries {
            if entry.err != RD_KAFKA_RESP_ERR_NO_ERROR {
                throw .kafka("cannot look up the offsets of partition \(entry.partition)", entry.err)
            }
            found[entry.partition] = entry.offset
        }
        return partitions.map { found[$0] ?? -1 }
    }
}
