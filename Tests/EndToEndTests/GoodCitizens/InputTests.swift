import Glibc
import TestSupport
import Testing

/// Whatever comes in: the right bytes out, or a message that says what is wrong.
@Suite struct InputTests {
    @Test(arguments: FilterCase.all)
    func emptyInputIsNoError(_ filter: FilterCase) throws {
        let ended = try filter.run(input: .nothing)
        #expect(ended.ending == .status(0))
        #expect(ended.outputText == "")
        #expect(ended.errorText == "")
    }

    @Test(arguments: FilterCase.all)
    func aLastLineWithoutLFIsALine(_ filter: FilterCase) throws {
        let line = filter.input("word")
        for text in ["\(line)\n", line] {
            let ended = try filter.run(input: .text(text))
            #expect(ended.ending == .status(0))
            #expect(ended.outputText == filter.output("word"))
        }
    }

    @Test(arguments: FilterCase.all)
    func whereReadsAreCutDoesNotShow(_ filter: FilterCase) throws {
        let words = (1...300).map { "w\($0 * 7919 % 1000)" }
        let input = words.map { filter.input($0) + "\n" }.joined()
        let whole = try filter.run(input: .text(input))
        #expect(whole.ending == .status(0))
        let cut = try bash("dd status=none ibs=7 obs=7 | \(filter.shell())", input: .text(input))
        #expect(cut.outputText == whole.outputText)
    }

    @Test(arguments: FilterCase.all)
    func aLineOfTenMegabytesPasses(_ filter: FilterCase) throws {
        let word = String(repeating: "x", count: 10_000_000)
        let ended = try filter.run(input: .text(filter.input(word) + "\n"))
        #expect(ended.ending == .status(0))
        #expect(ended.errorText == "")
        let isRight = ended.outputText == filter.output(word)  // not in #expect, which would print it
        #expect(isRight)
    }

    @Test(arguments: FilterCase.all)
    func aLineOverTheLimitIsNamedByItsNumber(_ filter: FilterCase) throws {
        let limit = filter.input("four").utf8.count
        let lines = [filter.input("four"), filter.input("fives"), filter.input("four")]
        let long = try filter.run(["--max-line", "\(limit)"], input: .text(lines.joined(separator: "\n") + "\n"))
        #expect(long.ending == .status(65))
        #expect(long.errorText == "\(filter.name): line 2: longer than \(limit) bytes (--max-line)\n")
        #expect(long.outputText == (filter.isAggregator ? "" : filter.output("four")))
        let atLimit = try filter.run(["--max-line", "\(limit)"], input: .text(lines[0] + "\n"))
        #expect(atLimit.ending == .status(0))
    }

    @Test(arguments: FilterCase.all)
    func aClosedInputIsAFailedRead(_ filter: FilterCase) throws {
        let ended = try filter.run(input: .closed)
        #expect(ended.ending == .status(74))
        #expect(ended.errorText == "\(filter.name): cannot read standard input: Bad file descriptor\n")
    }

    @Test(arguments: FilterCase.all)
    func aFolderIsAFailedRead(_ filter: FilterCase) throws {
        let ended = try filter.run(input: .file("/"))
        #expect(ended.ending == .status(74))
        #expect(ended.errorText == "\(filter.name): cannot read standard input: Is a directory\n")
    }

    /// Some programs that share the terminal or a socket leave it in that state.
    @Test(arguments: FilterCase.all)
    func nonBlockingPipesAreWaitedFor(_ filter: FilterCase) throws {
        let (pipes, folder) = (try Pipes(), try TemporaryFolder())
        for end in [pipes.inputReader, pipes.outputWriter] { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
        let program = try Program(
            filter.command(filter.everything), input: .descriptor(pipes.inputReader),
            output: .descriptor(pipes.outputWriter))
        // The first read finds nothing; then the output is full before the first of it is taken.
        try write(filter.numbers(100_000), to: folder.file("numbers"))
        let source = try Program(
            ["/bin/sh", "-c", "sleep 0.05; cat \(folder.file("numbers"))"], output: .descriptor(pipes.input))
        pipes.leaveFarEnds()
        pipes.endInput()
        usleep(100_000)
        let output = try contents(of: pipes.output)
        #expect(try source.wait().ending == .status(0))
        let ended = try program.wait()
        #expect(ended.ending == .status(0))
        #expect(ended.errorText == "")
        #expect(try output == filter.run(filter.everything, input: .bytes(filter.numbers(100_000))).output)
    }

    @Test(arguments: FilterCase.all)
    func onATerminalItShowsShortHelp(_ filter: FilterCase) throws {
        // script(1) runs the command on a terminal of its own, where standard error appears as well.
        let ended = try bash(#"script --quiet --return --command "\#(filter.shell())" /dev/null"#, deadline: 10)
        #expect(ended.ending == .status(64))
        #expect(ended.outputText.hasPrefix("usage: \(filter.name) [OPTION]..."))
        #expect(ended.outputText.hasSuffix("Try '\(filter.name) --help'.\r\n"))
    }

    /// What each tool makes of bytes that are not plain text.
    static let oddBytes: [(String, String, String)] = [
        ("tokenize", "a\r\nb\r\n", "a\nb\n"),
        ("cms-topk", "a\r\na\r\n", "a\r\t2\n"),
        ("merge-counts", "a\r\t1\na\r\t2\n", "a\r\t3\n"),
        ("to-json", "a\r\n", "{\"word\":\"a\\r\"}\n"),
        ("tokenize", "a\0b c\n", "a\0b\nc\n"),
        ("cms-topk", "\0\n\0\n", "\0\t2\n"),
        ("merge-counts", "a\0b\t2\n", "a\0b\t2\n"),
        ("to-json", "a\0b\n", "{\"word\":\"a\\u0000b\"}\n"),
        ("cms-topk", "\n\n\n", "\t3\n"),
        ("merge-counts", "\t3\n", "\t3\n"),
        ("to-json", "\n", "{\"word\":\"\"}\n"),
        ("from-json", "\n{\"word\":\"a\\u0000b\\r\"}\r\n\r\n", "a\0b\r\n"),
    ]

    @Test(arguments: oddBytes.indices)  // not the bytes themselves, which would get into the report
    func oddBytesAreData(_ index: Int) throws {
        let (name, input, output) = Self.oddBytes[index]
        let ended = try FilterCase.named(name).run(input: .text(input))
        #expect(ended.ending == .status(0))
        #expect(ended.outputText == output)
    }

    @Test(arguments: ["tokenize", "cms-topk", "merge-counts"])
    func invalidUTF8PassesByteForByte(_ name: String) throws {
        let filter = FilterCase.named(name)
        let word: [UInt8] = [0x61, 0xFF, 0xC3, 0x28, 0xED, 0xA0, 0x80, 0xF8, 0x7A]
        func replaced(_ text: String) -> [UInt8] { text.utf8.flatMap { $0 == UInt8(ascii: "?") ? word : [$0] } }
        let ended = try filter.run(input: .bytes(replaced(filter.input("?") + "\n")))
        #expect(ended.ending == .status(0))
        #expect(ended.output == replaced(filter.output("?")))
    }

    @Test func invalidUTF8BecomesAReplacementCharacterInJSON() throws {
        let ended = try FilterCase.named("to-json").run(input: .bytes([0x61, 0xFF, 0x7A, 0x0A]))
        #expect(ended.outputText == "{\"word\":\"a\u{FFFD}z\"}\n")
    }
}
