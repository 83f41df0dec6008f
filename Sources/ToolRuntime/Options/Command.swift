import Bytes
import Glibc

/// What a tool is, to its user: the table that the parser, `--help`, the manual page and the completions are made from.
public struct Command: Sendable {
    public struct Example: Sendable {
        public let command: String
        public let explanation: String

        public init(_ command: String, _ explanation: String) {
            self.command = command
            self.explanation = explanation
        }
    }

    public static let version = "0.1.0"
    /// When, as manual pages write it.
    static let released = "November 23, 2026"

    public let name: String
    /// One sentence.
    public let summary: String
    /// Paragraphs of plain text on what the options leave open; for the manual page and the end of `--help`.
    public let details: [String]
    /// How operands appear in the usage line; nil where the tool takes none.
    public let operands: String?
    public let examples: [Example]
    public let options: [any OptionRow]

    public init(
        name: String, summary: String, details: [String] = [], operands: String? = nil, examples: [Example],
        options: [any OptionRow]
    ) {
        self.name = name
        self.summary = summary
        self.details = details
        self.operands = operands
        self.examples = examples
        self.options = options
    }

    static let helpOption = Option.flag("help", "h", help: "Show this help and exit.")
    static let versionOption = Option.flag("version", help: "Show the version and exit.")

    /// The rows of the tool, then those that every tool has.
    public var table: [any OptionRow] { options + [Self.helpOption, Self.versionOption] }

    /// Reads the command line of this process. Ends it for `--help`, `--version` and errors of usage.
    public func parse() -> Arguments {
        do throws(Failure) {
            let words = try Self.words()
            if words.count == 2, words[0] == "--generate", let text = generated(words[1]) { show(text) }
            let arguments = try Arguments(words, table: table)
            if arguments[Self.helpOption] { show(help) }
            if arguments[Self.versionOption] { show("\(name) \(Self.version)\n") }
            if operands == nil, let operand = arguments.operands.first {
                throw Failure(.usage, "unexpected operand \"\(operand)\": input comes from standard input (< FILE)")
            }
            return arguments
        } catch {
            complain(name, "\(error.message) (try '\(name) --help')")
            exit(error.status.rawValue)
        }
    }

    /// What `--generate KIND`, which `bin/install` uses, prints: the manual page or the completions of a shell.
    public func generated(_ kind: String) -> String? {
        switch kind {
        case "man": manual
        case "bash": bashCompletion
        case "zsh": zshCompletion
        case "fish": fishCompletion
        default: nil
        }
    }

    /// The command line without the tool's name. `CommandLine.arguments` would repair what is not UTF-8 in silence.
    private static func words() throws(Failure) -> [String] {
        var words: [String] = []
        // argc entries of argv are strings of C that live as long as the process.
        for argument in UnsafeBufferPointer(start: CommandLine.unsafeArgv, count: Int(CommandLine.argc)).dropFirst() {
            guard let argument else { break }
            guard let word = String(validatingCString: argument) else {
                let bytes = UnsafeRawBufferPointer(start: argument, count: strlen(argument))
                throw Failure(.usage, "not valid UTF-8: \(quoted(bytes))")
            }
            words.append(word)
        }
        return words
    }

    private func show(_ text: String) -> Never {
        let sink = Sink(.standardOutput)
        var text = text
        text.withUTF8 { sink.take(UnsafeRawBufferPointer($0)) }
        if let failure = sink.failure {
            complain(name, failure.message)
            exit(failure.status.rawValue)
        }
        exit(0)
    }
}
