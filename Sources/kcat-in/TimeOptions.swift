import Bytes
import Kafka
import ToolRuntime

/// The options of kcat-in that have to do with the times of lines.
enum TimeOptions {
    static let inTimeOrder = Option.flag(
        "in-time-order", help: "Merge the partitions by the time of their lines (--time-field), the earliest first.")
    static let timeField = Option<Field?>(
        "time-field", nil, "N|message", default: nil, expected: "the number of a field, or message",
        help: "Where a line has its time: in field N of it as it lies in its message, or it is the message's timestamp."
    ) { text in
        text == "message" ? .message : Int(text).flatMap { $0 >= 1 ? .number($0) : nil }
    }
    static let timeFormat = CommonOptions.timeFormat
    static let idle = Option.duration(
        "idle", default: 1000, help: "How long a partition with nothing to read is waited for; default 1s.")
    static let maxAhead = Option.duration(
        "max-ahead", default: 3_600_000,
        help: "A time that is further ahead of the clock than this moves neither order nor watermark; default 1h.")

    static let eventTime = Option<Source?>(
        "event-time", nil, "N|message|topic", default: nil, expected: "the number of a field, message, or topic",
        help: """
            With --exactly-once: tell in the barriers how far the stream has come in event time, by the time in field N, the \
            message's timestamp, or what kcat-out has written into the topic for stages after the first.
            """
    ) { text in
        switch text {
        case "topic": .topic
        case "message": .lines(.message)
        default: Int(text).flatMap { $0 >= 1 ? .lines(.number($0)) : nil }
        }
    }
    static let disorder = Option.duration(
        "disorder", default: 0,
        help: "With --event-time: how far a line may be behind the latest of its partition; default 0.")

    enum Source: Equatable, Sendable {
        case lines(Field)
        case topic
    }

    enum Field: Equatable, Sendable {
        case number(Int)
        case message
    }

    static let all: [any OptionRow] = [inTimeOrder, timeField, timeFormat, eventTime, disorder, idle, maxAhead]

    static func add(to plan: inout ReadPlan, _ arguments: Arguments) throws(Failure) {
        plan.idle = arguments[idle] ?? plan.idle
        plan.maxAhead = arguments[maxAhead] ?? plan.maxAhead
        if let source = arguments[eventTime] {
            guard plan.epochMilliseconds != nil else {
                throw Failure(.usage, "--event-time needs --exactly-once: it is barriers that carry watermarks")
            }
            plan.eventTime = try eventTimeSource(source, arguments)
        } else if arguments.has(disorder) {
            throw Failure(.usage, "--disorder needs --event-time")
        }
        guard arguments[inTimeOrder] else {
            if arguments.has(timeField) { throw Failure(.usage, "--time-field needs --in-time-order") }
            let needsTimes: [any OptionRow] = plan.eventTime == nil ? [timeFormat, idle, maxAhead] : []
            for row in needsTimes where arguments.has(row) {
                throw Failure(.usage, "--\(row.name) needs --in-time-order or --event-time")
            }
            return
        }
        guard let field = arguments[timeField] else {
            throw Failure(.usage, "--in-time-order needs --time-field: where the time of a line is")
        }
        if plan.epochMilliseconds != nil {
            throw Failure(
                .usage,
                "--in-time-order and barriers exclude each other: an epoch ends with whole messages of all partitions")
        }
        plan.timeOrder = try timeSource(field, arguments)
    }

    private static func eventTimeSource(_ source: Source, _ arguments: Arguments) throws(Failure) -> EventTimeSource {
        switch source {
        case .lines(let field):
            return .lines(try timeSource(field, arguments), disorder: arguments[disorder] ?? 0)
        case .topic:
            for row: any OptionRow in [timeFormat, disorder, idle, maxAhead] where arguments.has(row) {
                throw Failure(.usage, "--\(row.name) is for the stage that makes watermarks: --event-time N or message")
            }
            return .topic
        }
    }

    private static func timeSource(_ field: Field, _ arguments: Arguments) throws(Failure) -> TimeSource {
        switch field {
        case .message:
            if arguments.has(timeFormat) {
                throw Failure(.usage, "--time-format is for times in a field, not for those of messages")
            }
            return .message
        case .number(let number): return .field(number, arguments[timeFormat])
        }
    }
}
