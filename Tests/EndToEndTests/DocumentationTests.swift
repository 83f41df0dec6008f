import TestSupport
import Testing

/// A document whose `console` blocks show commands and what they print:
///
///     ```console
///     $ echo one two | tokenize
///     one
///     two
///     ```
///
/// A command starts behind `$ ` and goes on in the next line where a line ends in `\` or `|`. It is run by bash in the
/// root of the tree, with the release tools in PATH and nothing to read; standard error is shown where it comes, as on
/// a terminal.
enum ConsoleDocument {
    /// The document as it should be: what the commands really print, below each.
    static func rendered(_ text: String) throws -> String {
        var (lines, command) = ([Substring](), "")
        var isConsole = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") {
                isConsole = line == "```console"
                lines.append(line)
            } else if !isConsole {
                lines.append(line)
            } else if line.hasPrefix("$ ") || !command.isEmpty {
                command += (line.hasPrefix("$ ") ? line.dropFirst(2) : line) + "\n"
                lines.append(line)
                if line.hasSuffix("\\") || line.hasSuffix("|") { continue }
                let ended = try bash("exec 2>&1\n" + command, folder: Repository.root)
                // What is printed ends in a line end; none of it is no line at all.
                lines += ended.outputText.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
                command = ""
            }
        }
        return lines.joined(separator: "\n")
    }
}

@Suite struct DocumentationTests {
    static let documents = [
        "README.md", "ARCHITECTURE.md", "docs/barriers.md", "docs/exactly-once.md", "docs/json.md", "docs/time.md",
        "examples/README.md",
    ]

    @Test(arguments: documents)
    func itsCommandsPrintWhatItShows(_ document: String) throws {
        let path = "\(Repository.root)/\(document)"
        let text = String(decoding: try contents(of: path), as: UTF8.self)
        let rendered = try ConsoleDocument.rendered(text)
        if environmentVariable("UPDATE_GOLDEN") == "1" { try write(rendered.utf8, to: path) }
        #expect(rendered == text, "\(difference(text, rendered))")
    }

    /// `run` in a folder of examples/ is a script that reads `input` and prints `expected`.
    @Test(
        arguments: entries(of: "\(Repository.root)/examples").filter {
            exists("\(Repository.root)/examples/\($0)/expected")
        })
    func theExamplePrintsWhatItsFolderSays(_ name: String) throws {
        let folder = "\(Repository.root)/examples/\(name)"
        let ended = try bash("./run", input: .file("\(folder)/input"), folder: folder)
        if environmentVariable("UPDATE_GOLDEN") == "1" { try write(ended.output, to: "\(folder)/expected") }
        #expect(ended.ending == .status(0), "\(ended.errorText)")
        let expected = String(decoding: try contents(of: "\(folder)/expected"), as: UTF8.self)
        #expect(ended.outputText == expected, "\(difference(expected, ended.outputText))")
    }
}
