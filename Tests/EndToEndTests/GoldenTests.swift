import TestSupport
import Testing

/// One folder of Tests/Golden: a command line and what it must do.
///
/// `cmd` is run by bash in that folder, with the tools in PATH, LC_ALL=C, `stdin` (absent: empty) as standard input and
/// $TMP, an empty folder, for outputs. It must write `stdout` and `stderr` (absent: nothing) and end with `status`
/// (absent: 0). With UPDATE_GOLDEN=1 in the environment of the tests, what it does is written there instead.
struct GoldenCase: Sendable, CustomTestStringConvertible {
    let tool: String
    let name: String

    var folder: String { "\(Repository.root)/Tests/Golden/\(tool)/\(name)" }
    var testDescription: String { "\(tool): \(name.map { $0 == "-" ? " " : $0 }.map(String.init).joined())" }

    static let all = entries(of: "\(Repository.root)/Tests/Golden").flatMap { tool in
        entries(of: "\(Repository.root)/Tests/Golden/\(tool)").map { GoldenCase(tool: tool, name: $0) }
    }

    /// What is expected, as one text that shows every difference.
    var expected: String {
        get throws {
            let status = exists("\(folder)/status") ? try trimmed("status") : "0"
            return Self.text(status: status, output: try bytes("stdout"), errors: try bytes("stderr"))
        }
    }

    func run() throws -> (status: String, ended: Ended) {
        let scratch = try TemporaryFolder()
        let environment = Repository.environment.merging(["TMP": scratch.path]) { $1 }
        let input = exists("\(folder)/stdin") ? Source.file("\(folder)/stdin") : .nothing
        let ended = try bash(try trimmed("cmd"), input: input, environment: environment, folder: folder)
        switch ended.ending {
        case .status(let status): return (String(status), ended)
        case .signal(let signal): return ("signal \(signal)", ended)
        case .deadline: return ("deadline", ended)
        }
    }

    static func text(status: String, output: [UInt8], errors: [UInt8]) -> String {
        "status \(status)\nstdout:\n\(String(decoding: output, as: UTF8.self))\nstderr:\n\(String(decoding: errors, as: UTF8.self))"
    }

    func update(_ status: String, _ ended: Ended) throws {
        for (name, bytes) in [("stdout", ended.output), ("stderr", ended.errors)]
        where !bytes.isEmpty || exists("\(folder)/\(name)") {
            try write(bytes, to: "\(folder)/\(name)")
        }
        if status != "0" || exists("\(folder)/status") { try write("\(status)\n".utf8, to: "\(folder)/status") }
    }

    private func bytes(_ name: String) throws -> [UInt8] {
        exists("\(folder)/\(name)") ? try contents(of: "\(folder)/\(name)") : []
    }

    private func trimmed(_ name: String) throws -> String {
        var text = String(decoding: try bytes(name), as: UTF8.self)
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}

@Suite struct GoldenTests {
    @Test(arguments: GoldenCase.all)
    func doesWhatItsFolderSays(_ golden: GoldenCase) throws {
        let (status, ended) = try golden.run()
        if environmentVariable("UPDATE_GOLDEN") == "1" { try golden.update(status, ended) }
        let found = GoldenCase.text(status: status, output: ended.output, errors: ended.errors)
        let expected = try golden.expected
        #expect(found == expected, "\(difference(expected, found))")
        // Text can hide a difference in bytes that are not UTF-8.
        #expect(ended.output == (try? contents(of: "\(golden.folder)/stdout")) ?? [])
    }

    @Test func everyToolHasCases() {
        #expect(Set(GoldenCase.all.map(\.tool)).isSuperset(of: Repository.filters))
    }
}

/// What diff -u shows.
func difference(_ expected: String, _ found: String) -> String {
    guard expected != found, let folder = try? TemporaryFolder() else { return "" }
    try? write(expected.utf8, to: folder.file("expected"))
    try? write(found.utf8, to: folder.file("found"))
    let ended = try? run(["/usr/bin/diff", "-u", "expected", "found"], folder: folder.path)
    return "\n" + (ended?.outputText ?? "")
}
