import Bytes
import Filters
import ToolRuntime

/// The options of cms-topk that have to do with windows.
enum WindowOptions {
    static let window = Option.duration("window", help: "Count in windows of this length, such as 10s.")
    static let hop = Option.duration(
        "hop", help: "Begin a window at each multiple of this; default: the window's length.")
    static let offset = Option.duration(
        "window-offset", default: 0, help: "Begin windows so much later than at a multiple; default 0.")
    static let zone = Option.text(
        "zone", nil, "NAME",
        help: "Windows are whole days, or weeks from Monday on, of a time zone, such as Europe/Berlin.")
    static let every = Option.integer("every", in: 1...Int.max, default: 1, help: "Count in windows of N lines.")
    static let timeField = Option.integer(
        "time-field", in: 1...Int.max, default: 1,
        help: "Field N is the time of a line, and not part of its key; default: the time is that of processing.")
    static let timeFormat = CommonOptions.timeFormat
    static let windowField = Option.integer(
        "window-field", in: 1...Int.max, default: 1,
        help: "Field N is the label of the line's window; print each window's list once, when it is complete.")
    static let latest = Option.flag(
        "latest", help: "With --window-field: the input is totals, of which the last one of a key counts.")
    static let grace = Option.duration(
        "grace", default: 0, help: "How far a line may be behind the latest and still count; default 0.")
    static let maxAhead = Option.duration(
        "max-ahead", default: 3_600_000,
        help: "A time that is further ahead of the clock than this closes no window; default 1h.")
    static let late = Option.file("late", help: "Write lines that came too late for their window to FILE.")
    static let idle = Option.duration("idle", help: "Close the open windows when no line has come for so long.")

    static let all: [any OptionRow] = [
        window, hop, offset, zone, every, timeField, timeFormat, windowField, latest, grace, maxAhead, late, idle,
    ]

    static func windowing(_ arguments: Arguments) throws(Failure) -> Windowing {
        if !arguments.has(timeField) {
            try refuse(arguments, timeFormat, without: "--time-field")
            if !arguments.has(windowField) {
                try refuse(arguments, grace, without: "--time-field or --window-field")
                try refuse(arguments, maxAhead, without: "--time-field or --window-field")
                try refuse(arguments, late, without: "--time-field or --window-field")
            }
        } else if arguments.has(windowField) {
            throw Failure(.usage, "--time-field and --window-field do not go together")
        }
        if !arguments.has(windowField) { try refuse(arguments, latest, without: "--window-field") }
        guard let size = arguments[window] else {
            try refuse(arguments, hop, without: "--window")
            try refuse(arguments, offset, without: "--window")
            try refuse(arguments, zone, without: "--window")
            try refuse(arguments, timeField, without: "--window")
            try refuse(arguments, windowField, without: "--window")
            if arguments.has(every) { return .lines(arguments[every]) }
            try refuse(arguments, idle, without: "--window or --every")
            return .none
        }
        if arguments.has(every) { throw Failure(.usage, "--window and --every do not go together") }
        let shape = try shape(arguments, size)
        if arguments.has(windowField) {
            return .eventTime(
                shape, EventTime(field: arguments[windowField], format: nil, maxAhead: arguments[maxAhead]))
        }
        guard arguments.has(timeField) else { return .processingTime(shape) }
        return .eventTime(
            shape,
            EventTime(field: arguments[timeField], format: arguments[timeFormat], maxAhead: arguments[maxAhead]))
    }

    private static func shape(_ arguments: Arguments, _ size: Int64) throws(Failure) -> WindowShape {
        let grace = arguments[grace] ?? 0
        let zone = try zone(arguments)
        do throws(WindowShape.Problem) {
            // A label is the start of a window wherever that lies; with --hop or --zone it says which.
            if arguments.has(windowField), zone == nil, !arguments.has(hop), !arguments.has(offset) {
                return try WindowShape(labelsOf: size, grace: grace)
            }
            return try WindowShape(
                size: size, hop: arguments[hop], grace: grace, offset: arguments[offset] ?? 0, zone: zone)
        } catch { throw Failure(.usage, error.description) }
    }

    private static func zone(_ arguments: Arguments) throws(Failure) -> Zone? {
        guard let name = arguments[zone] else { return nil }
        guard let zone = Zone(file: try TimeZoneFile.read(name)) else {
            throw Failure(.cannotOpenInput, "the file of the time zone \"\(name)\" cannot be understood")
        }
        return zone
    }

    private static func refuse<Value>(
        _ arguments: Arguments, _ option: Option<Value>, without other: String
    ) throws(Failure) {
        if arguments.has(option) { throw Failure(.usage, "--\(option.name) needs \(other)") }
    }
}
