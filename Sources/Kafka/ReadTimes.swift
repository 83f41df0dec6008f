public import Bytes
import CBytes
import CRDKafka
internal import Delivery

/// Where the time of a line is, for `kcat-in`.
public enum TimeSource: Equatable, Sendable {
    /// The timestamp of its message.
    case message
    /// A field of the line as it lies in the message, from 1.
    case field(Int, TimeFormat)
}

/// Where the watermarks of a stream come from, for `kcat-in`.
public enum EventTimeSource: Equatable, Sendable {
    /// The times of lines, which may be so many milliseconds behind one that came before.
    case lines(TimeSource, disorder: Int64)
    /// What kcat-out has written into the topic.
    case topic

    var lines: TimeSource? { if case .lines(let source, _) = self { source } else { nil } }

    var decisions: EventTimes.Source {
        if case .lines(_, let disorder) = self { .lines(disorder: disorder) } else { .records }
    }
}

/// Reads the times of lines, and notes what looks wrong about them.
struct ReadTimes {
    private let isMessage: Bool
    private var reader: LineTime
    private let source: TimeSource
    /// The highest time that moves a clock: one that is further ahead is wrong.
    var ceiling = Int64.max
    /// Lines in which there is no time, and lines whose time is past the ceiling.
    private(set) var missing = 0
    private(set) var ahead = 0
    private var (hasSaidMissing, hasSaidAhead) = (false, false)

    init(_ source: TimeSource) {
        self.source = source
        isMessage = source == .message
        if case .field(let number, let format) = source {
            reader = LineTime(field: number, format)
        } else {
            reader = LineTime(field: 1, .ms)
        }
    }

    /// The time of a line; `TimeOrder.noTime` where it has none to go by.
    @inline(__always)
    mutating func time(
        of line: UnsafeRawBufferPointer, in message: UnsafeMutablePointer<rd_kafka_message_t>
    ) -> Int64 {
        guard let time = isMessage ? Self.timestamp(of: message) : reader.milliseconds(in: line) else {
            missing += 1
            return TimeOrder.noTime
        }
        guard time <= ceiling else {
            ahead += 1
            return TimeOrder.noTime
        }
        return time
    }

    /// The highest time of the lines of a message.
    mutating func highest(in message: UnsafeMutablePointer<rd_kafka_message_t>, splits: Bool) -> Int64 {
        let value = UnsafeRawBufferPointer(start: message.pointee.payload, count: message.pointee.len)
        guard splits, !isMessage, let base = value.baseAddress else { return time(of: value, in: message) }
        var (highest, start) = (TimeOrder.noTime, 0)
        while start <= value.count {
            // In bounds: start is at most the count.
            let count = cbytes_first(base + start, 0x0A, value.count - start)
            highest = max(highest, time(of: UnsafeRawBufferPointer(start: base + start, count: count), in: message))
            start += count + 1
        }
        return highest
    }

    private static func timestamp(of message: UnsafeMutablePointer<rd_kafka_message_t>) -> Int64? {
        var type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        let time = rd_kafka_message_timestamp(message, &type)
        return type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? nil : time
    }

    /// What is to be said of what is odd: of the first line that is, once for each kind.
    mutating func takeRemarks() -> [String] {
        guard missing > 0 && !hasSaidMissing || ahead > 0 && !hasSaidAhead else { return [] }
        var remarks: [String] = []
        if missing > 0, !hasSaidMissing {
            hasSaidMissing = true
            let place = if case .field(let number, _) = source { "no time in field \(number)" } else { "no timestamp" }
            remarks.append("a line has \(place): such lines move neither order nor watermark")
        }
        if ahead > 0, !hasSaidAhead {
            hasSaidAhead = true
            remarks.append(
                "a time is further ahead of the clock than --max-ahead: it moves neither order nor watermark")
        }
        return remarks
    }

    /// What looks wrong about all of them.
    var doubt: String? { isMessage ? nil : reader.doubt }
}
