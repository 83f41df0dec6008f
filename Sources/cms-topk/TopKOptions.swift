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
    static let all: [any OptionRow] =
        [top, emit, counts, bounds, memory, epsilon, delta, seed] + WindowOptions.all

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
        settings.idle = arguments[WindowOptions.idle]
        settings.windows = try WindowOptions.windowing(arguments)
        if arguments[WindowOptions.latest] {
            (settings.readsCounts, settings.readsTotals) = (true, true)
            if settings.emission == .partials {
                throw Failure(.usage, "--latest reads totals, which make lists: --emit partials does not go with it")
            }
        }
        if settings.emission == .partials, arguments.has(top) || arguments.has(bounds) {
            throw Failure(.usage, "--emit partials prints all that is held: --top and --bounds do not go with it")
        }
        return settings
    }
}
