import CRDKafka
internal import Delivery
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
    /// For each of the partitions what is there, and where reading begins. May be called from any thread.
    /// - Cost: two or three requests to each broker, however many partitions there are.
    func ranges(of topic: String, _ numbers: [Int32], from start: StartOffset) -> Answer {
        var found: [Int64: [Int32: Int64]] = [:]
        var wanted = [Int64(RD_KAFKA_OFFSET_BEGINNING), Int64(RD_KAFKA_OFFSET_END)]
        if case .time(let time) = start { wanted.append(time) }
        for time in wanted {
            let list = PartitionList(topic, numbers.map { ($0, time) })
            let code = rd_kafka_offsets_for_times(handle, list.pointer, Inquirer.milliseconds)
            if code != RD_KAFKA_RESP_ERR_NO_ERROR {
                return .failure(ErrorCode(code), String(cString: rd_kafka_err2str(code)))
            }
            for entry in list.entries {
                if entry.err != RD_KAFKA_RESP_ERR_NO_ERROR {
                    let text = "partition \(entry.partition): \(String(cString: rd_kafka_err2str(entry.err)))"
                    return .failure(ErrorCode(entry.err), text)
                }
                found[time, default: [:]][entry.partition] = entry.offset
            }
        }
        var ranges: [Int32: LogRange] = [:]
        for number in numbers {
            guard let low = found[wanted[0]]?[number], let high = found[wanted[1]]?[number], low >= 0, high >= 0 else {
                return .failure(.timedOut, "partition \(number): no answer")
            }
            let there = Range(uncheckedBounds: (low, max(low, high)))
            let byTime = wanted.count > 2 ? found[wanted[2]]?[number] : nil
            ranges[number] = LogRange(low: low, high: there.upperBound, start: start.offset(in: there, byTime: byTime))
        }
        return .ranges(ranges)
    }
}
