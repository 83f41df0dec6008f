public import Bytes
import CBytes
import Glibc

/// The options that every filter has, and one that several have.
public enum CommonOptions {
    public static let reject = Option.file(
        "reject",
        help: "Write malformed lines, with the reason, to FILE and go on; without it the first one ends the tool.")
    public static let maxLine = Option.size(
        "max-line", in: 1...(1 << 40), default: 64 << 20, help: "The longest line taken, in bytes; default 64M.")
    public static let summary = Option.flag(
        "summary", help: "At the end print one line of JSON about the run on standard error.")
    public static let all: [any OptionRow] = [reject, maxLine, summary, Statistics.option]

    /// Of the tools that read times.
    public static let timeFormat = Option<TimeFormat>.choice(
        "time-format", default: .rfc3339,
        help: """
            How the time is written: s, ms, us or ns since 1970, RFC 3339, as in the Common Log Format (clf), or any of \
            these; default rfc3339.
            """)
}

/// The main function of a tool that is a filter.
public enum FilterTool {
    /// Reads the command line, makes the filter, runs it between standard input and output, and ends the process.
    /// - Parameters:
    ///   - late: the option that names the file for late lines, where the tool has one.
    ///   - make: turns the command line into the filter.
    public static func main<F: Filter & ~Copyable>(
        _ command: Command, late: Option<String?>? = nil, _ make: (Arguments) throws(Failure) -> F
    ) -> Never {
        Descriptor.fillStandardGaps()
        cbytes_return_freed_memory()
        let arguments = command.parse()
        do throws(Failure) {
            let filter = try make(arguments)
            command.refuseTerminal()
            let wantsSummary = arguments[CommonOptions.summary]
            let statistics = Statistics(command.name, arguments)
            var loop = FilterLoop<F>(
                command.name, maxLine: arguments[CommonOptions.maxLine],
                standardOutput: Sink(.standardOutput, countsLines: wantsSummary || statistics != nil),
                rejects: try sink(arguments[CommonOptions.reject]),
                late: try late.flatMap { option throws(Failure) in try sink(arguments[option]) },
                statistics: statistics)
            Signals.install()
            Descriptor.standardInput.enlargePipe(to: 1 << 20)
            Descriptor.standardOutput.enlargePipe(to: 1 << 20)
            let result = loop.run(filter)
            loop.reportEnd()
            if wantsSummary {
                var summary = Summary()
                summary.add("tool", command.name)
                summary.add(contentsOf: loop.lineCounts)
                if case .success(let facts) = result { summary.add(contentsOf: facts) }
                Descriptor.standardError.writeIgnoringErrors(summary.json + "\n")
            }
            if late.flatMap({ arguments[$0] }) == nil, loop.lateLines > 0 {
                complain(command.name, "\(loop.lateLines) late lines were not counted (--late FILE keeps them)")
            }
            _ = try result.get()
            exit(0)
        } catch {
            command.end(with: error)
        }
    }

    private static func sink(_ path: String?) throws(Failure) -> Sink? {
        guard let path else { return nil }
        return Sink(try Descriptor.create(path))
    }
}
