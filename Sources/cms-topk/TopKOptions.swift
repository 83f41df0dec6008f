import Filters
import ToolRuntime

enum TopKOptions {
    static let top = Option.integer(
        "top", "k", default: 10, help: "How many keys to print; default 10, 0 for all held.")
    static let emit = Option<TopKSettings.Emission>.choice(
        "emit", default: .top, help: "Print the top list, or partials, which can be merged; default top.")
    static let counts = Option.flag(
        "counts", help: "The input is count lines: add the count, the last field, to the key before it.")
    static let bounds = Option.flag("bounds", help: "Print key, low end and high end of each count.")
    static let memory = Option.size(
        "memory", default: 64 << 20, help: "What keys, counts and sketch may take, in bytes; default 64M.")
    static let epsilon = share(
        "epsilon",
        help: "Size the sketch so that an estimate is too high by at most this share of all that was counted.")
    static let delta = share("delta", help: "The chance that an estimate is further off than that; default 0.0183.")
    static let seed = Option<UInt64>(
        "seed", nil, "N", default: 0, expected: "a whole number below 2^64",
        help: "Seed of the sketch's hash; default 0."
    ) { UInt64($0) }
    static let window = Option.duration("window", help: "Count in windows of this length, such as 10s.")
    static let hop = Option.duration(
        "hop", help: "Begin a window at each multiple of this; default: the window's length.")
    static let every = Option.integer("every", in: 1...Int.max, default: 1, help: "Count in windows of N lines.")
    static let timeField = Option.integer(
        "time-field", in: 1...Int.max, default: 1,
        help: "Field N is the time of a line, and not part of its key; default: the time is that of processing.")
    static let timeFormat = Option<TimeFormat>.choice(
        "time-format", default: .rfc3339,
        help: "How the time is written: ms or s since 1970, or RFC 3339; default rfc3339.")
    static let grace = Option.duration(
        "grace", help: "How far a line may be behind the latest and still count; default 0.")
    static let late = Option.file("late", help: "Write lines that came too late for their window to FILE.")
    static let idle = Option.duration("idle", help: "Close the open windows when no line has come for so long.")

    static let all: [any OptionRow] = [
        top, emit, counts, bounds, memory, epsilon, delta, seed, window, hop, every, timeField, timeFormat, grace, late,
        idle,
    ]

    private static func share(_ name: String, help: String) -> Option<Double?> {
        Option(name, nil, "X", default: nil, expected: "a number above 0 and below 1, such as 0.0001", help: help) {
            text in
            guard let share = Double(text), share > 0, share < 1 else { return nil }
            return .some(share)
        }
    }

    static func settings(_ arguments: Arguments) throws(Failure) -> TopKSettings {
        var settings = TopKSettings()
        settings.top = arguments[top] == 0 ? nil : arguments[top]
        settings.emission = arguments[emit]
        settings.showsBounds = arguments[bounds]
        settings.readsCounts = arguments[counts]
        settings.memory = arguments[memory]
        settings.epsilon = arguments[epsilon]
        settings.delta = arguments[delta]
        settings.seed = arguments[seed]
        settings.idle = arguments[idle]
        settings.windows = try windows(arguments)
        if settings.emission == .partials, arguments.has(top) || arguments.has(bounds) {
            throw Failure(.usage, "--emit partials prints all that is held: --top and --bounds do not go with it")
        }
        return settings
    }

    private static func windows(_ arguments: Arguments) throws(Failure) -> TopKSettings.Windows {
        if !arguments.has(timeField) {
            try refuse(arguments, timeFormat, without: "--time-field")
            try refuse(arguments, grace, without: "--time-field")
            try refuse(arguments, late, without: "--time-field")
        }
        guard let size = arguments[window] else {
            try refuse(arguments, hop, without: "--window")
            try refuse(arguments, timeField, without: "--window")
            if arguments.has(every) { return .lines(arguments[every]) }
            try refuse(arguments, idle, without: "--window or --every")
            return .none
        }
        if arguments.has(every) { throw Failure(.usage, "--window and --every do not go together") }
        let shape: WindowShape
        do throws(WindowShape.Problem) {
            shape = try WindowShape(size: size, hop: arguments[hop], grace: arguments[grace] ?? 0)
        } catch { throw Failure(.usage, error.description) }
        guard arguments.has(timeField) else { return .processingTime(shape) }
        return .eventTime(shape, field: arguments[timeField], arguments[timeFormat])
    }

    private static func refuse<Value>(
        _ arguments: Arguments, _ option: Option<Value>, without other: String
    ) throws(Failure) {
        if arguments.has(option) { throw Failure(.usage, "--\(option.name) needs \(other)") }
    }
}
