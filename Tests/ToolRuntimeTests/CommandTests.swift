import Testing
import ToolRuntime

/// Help, manual page and completions, which are made from one table.
@Suite struct CommandTests {
    static let command = Command(
        name: "cms-topk", summary: "Prints the most frequent lines.",
        details: [".profile and 'quotes' and \\n and - dashes -k are plain text. A second sentence."],
        operands: "[NAME] ...",
        examples: [.init("tokenize | cms-topk -k 20", "The twenty most frequent words."), .init(".x 'y' \\n", "Odd.")],
        options: [
            ArgumentsTests.top, ArgumentsTests.emit, ArgumentsTests.file, ArgumentsTests.set,
            Option.flag("odd", "o", help: "Isn't [this] a:b \"test\" \\ of $HOME `quoting`? It has a second sentence."),
        ] + CommonOptions.all)

    @Test(arguments: ["man", "bash", "zsh", "fish"])
    func everyOptionIsInAllThatIsGenerated(_ kind: String) throws {
        let text = try #require(Self.command.generated(kind))
        for row in Self.command.table {
            let name =
                kind == "fish"
                ? "-l \(row.name)"
                : kind == "man" ? "\\-\(row.name.split(separator: "-").joined(separator: "\\-"))" : "--\(row.name)"
            #expect(text.contains(name))
            if let short = row.short {
                #expect(text.contains(kind == "fish" ? "-s \(short)" : kind == "man" ? "Fl \(short)" : "-\(short)"))
            }
        }
        #expect(text.hasSuffix("\n"))
        #expect(!text.contains("\n\n"))
    }

    @Test func everyOptionIsInTheHelpWithItsValue() {
        for row in Self.command.table {
            #expect(Self.command.help.contains("--\(row.name)\(row.placeholder.map { " \($0)" } ?? "")"))
        }
        #expect(
            Self.command.help.hasPrefix("usage: cms-topk [OPTION]... [NAME] ...\n\nPrints the most frequent lines.\n"))
        #expect(Self.command.help.contains("  tokenize | cms-topk -k 20\n      The twenty most frequent words.\n"))
        for line in Self.command.help.split(separator: "\n") { #expect(line.count <= 80) }
    }

    @Test func theManualTakesNoTextForARequest() throws {
        let lines = try #require(Self.command.generated("man")).split(separator: "\n")
        #expect(lines.contains("\\&.profile and 'quotes' and \\en and \\- dashes \\-k are plain text."))
        #expect(lines.contains("A second sentence."))
        #expect(lines.contains("\\&.x 'y' \\en"))
        #expect(lines.contains(".Nd prints the most frequent lines"))
        #expect(lines.contains(".It Fl k Ar N , Fl \\-top Ar N"))
    }

    @Test func completionsKnowValues() throws {
        #expect(try #require(Self.command.generated("bash")).contains("--emit) words='top partials' ;;"))
        #expect(try #require(Self.command.generated("bash")).contains("--file) files=yes ;;"))
        #expect(try #require(Self.command.generated("zsh")).contains("'*--emit=[What comes out]:emit:(top partials)'"))
        #expect(
            try #require(Self.command.generated("fish")).contains("-l emit -x -a 'top partials' -d 'What comes out'"))
    }

    @Test func completionsQuoteTheHelp() throws {
        #expect(
            try #require(Self.command.generated("zsh")).contains(
                #"'*--odd[Isn'\''t \[this\] a\:b "test" \\ of $HOME `quoting`? It has a second sentence]'"#))
        #expect(
            try #require(Self.command.generated("fish")).contains(
                #"-d 'Isn\'t [this] a:b "test" \\ of $HOME `quoting`? It has a second sentence'"#))
    }

    @Test func nothingElseIsGenerated() {
        #expect(Self.command.generated("html") == nil)
    }
}
