import TestSupport
import Testing

/// One of the six filters, with what the tests need to know to run it.
struct FilterCase: Sendable, CustomTestStringConvertible {
    let name: String
    /// The least that a command line must have.
    var arguments: [String] = []
    /// Arguments that make it put out each line, or what it changed, before the next one comes.
    var flowing: [String] = []
    /// Arguments that make it put out all that it has taken.
    var everything: [String] = []
    /// Arguments and a line that it then cannot take.
    let malformed: (arguments: [String], line: String, reason: String)
    /// A line that holds one word, and what comes out for it.
    let input: @Sendable (String) -> String
    let output: @Sendable (String) -> String
    /// Whether it keeps what it reads until the end or a barrier, or until a batch is full.
    var isAggregator = false

    /// What comes out for the word of line `number` with the arguments `flowing`: a window begins with its first line.
    func flowed(_ word: String, line number: Int) -> String {
        (flowing.contains("--every") ? "\(number)\t" : "") + output(word)
    }

    var testDescription: String { name }
    var path: String { Repository.tool(name) }
    func command(_ more: [String] = []) -> [String] { [path] + arguments + more }

    /// Runs it with its least arguments and `more`.
    func run(_ more: [String] = [], input: Source, output: Target = .kept, deadline: Double = 60) throws -> Ended {
        try TestSupport.run(command(more), input: input, output: output, deadline: deadline)
    }

    /// The command line in bash; no argument needs more than single quotes.
    func shell(_ more: [String] = []) -> String {
        ([name] + (arguments + more).map { "'\($0)'" }).joined(separator: " ")
    }

    /// Lines with the numbers up to `count`, which no tool shortens.
    func numbers(_ count: Int) -> [UInt8] { Array((1...count).map { input(String($0)) + "\n" }.joined().utf8) }

    static let all: [FilterCase] = [
        FilterCase(
            name: "tokenize",
            malformed: (["--carry", "2"], "one", "fewer than 2 fields"),
            input: { $0 }, output: { "\($0)\n" }),
        FilterCase(
            name: "cms-topk", flowing: ["--every", "1"], everything: ["-k", "0"],
            malformed: (["--counts"], "word\t12x", "count is not a number: \"12x\""),
            input: { $0 }, output: { "\($0)\t1\n" }, isAggregator: true),
        FilterCase(
            name: "merge-counts", flowing: ["--updates"],
            malformed: ([], "word\t12x", "count is not a number: \"12x\""),
            input: { "\($0)\t1" }, output: { "\($0)\t1\n" }, isAggregator: true),
        FilterCase(
            name: "to-json", arguments: ["word"],
            malformed: (["count:int"], "word\t12x", "field 2 (count) is not an int: \"12x\""),
            input: { $0 }, output: { "{\"word\":\"\($0)\"}\n" }),
        FilterCase(
            name: "from-json", arguments: ["word"],
            malformed: ([], "{\"word\":", "not JSON: "),
            input: { "{\"word\":\"\($0)\"}" }, output: { "\($0)\n" }),
        FilterCase(
            name: "es-bulk", arguments: ["--index", "words"], flowing: ["--max-docs", "1"],
            malformed: ([], "{\"word\":", "not JSON: "),
            input: { "{\"word\":\"\($0)\"}" },
            output: { "{\"index\":{\"_index\":\"words\"}}\n{\"word\":\"\($0)\"}\n\n" }, isAggregator: true),
    ]

    static func named(_ name: String) -> FilterCase {
        guard let found = all.first(where: { $0.name == name }) else { preconditionFailure("no filter \(name)") }
        return found
    }
}
