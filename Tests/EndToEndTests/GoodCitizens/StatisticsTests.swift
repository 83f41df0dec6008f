import Glibc
import TestSupport
import Testing

/// `--stats SECONDS`: what a tool says of itself while it runs.
@Suite struct StatisticsTests {
    /// The number that a line of JSON has under a name.
    static func fact(_ name: String, _ line: String) -> Int? {
        guard let start = line.firstRange(of: "\"\(name)\":")?.upperBound else { return nil }
        return Int(line[start...].prefix { $0.isNumber })
    }

    @Test(arguments: FilterCase.all)
    func aLineComesWhileNothingElseDoesAndOneAtTheEnd(_ filter: FilterCase) throws {
        let pipes = try Pipes()
        let (errors, errorWriter) = try makePipe()
        defer { close(errors) }
        let program = try Program(
            filter.command(filter.everything + ["--stats", "1"]), input: .descriptor(pipes.inputReader),
            output: .descriptor(pipes.outputWriter), errors: .descriptor(errorWriter))
        close(errorWriter)
        pipes.leaveFarEnds()
        let input = Array((filter.input("one") + "\n").utf8)
        try write(input, to: pipes.input)
        var line = try #require(readLine(from: errors, seconds: 30))
        // It may have been due before the input came.
        while Self.fact("read", line) == 0 { line = try #require(readLine(from: errors, seconds: 30)) }
        #expect(line.hasPrefix("{\"tool\":\"\(filter.name)\",\"seconds\":"))
        #expect(Self.fact("read", line) == 1)
        #expect(Self.fact("bytes_read", line) == input.count)
        #expect(Self.fact("rejected", line) == 0)
        let holds = ["cms-topk", "merge-counts", "es-bulk"].contains(filter.name)
        #expect(((Self.fact("held_bytes", line) ?? -1) > 0) == holds)
        // The next one comes by itself as well.
        let second = try #require(readLine(from: errors, seconds: 30))
        #expect(Self.fact("read", second) == 1)
        #expect(Self.fact("lines_per_second", second) == 0)
        try write(input, to: pipes.input)
        pipes.endInput()
        let output = try contents(of: pipes.output)
        var last = ""
        while let line = readLine(from: errors, seconds: 30) { last = line }
        #expect(try program.wait().ending == .status(0))
        #expect(Self.fact("read", last) == 2)
        #expect(Self.fact("written", last) == output.count { $0 == 0x0A })
        #expect(Self.fact("bytes_written", last) == output.count)
    }

    @Test func rejectedLinesAreCounted() throws {
        let ended = try bash("printf 'a\\t1\\nb\\n' | merge-counts --reject /dev/null --stats 60")
        #expect(Self.fact("rejected", ended.errorText) == 1)
        #expect(ended.errorText.split(separator: "\n").count == 1)
    }

    @Test func aFailureHasItsNumbersToo() throws {
        let ended = try bash("printf 'a\\t1\\nb\\n' | merge-counts --stats 60")
        #expect(ended.ending == .status(65))
        #expect(ended.errorText.hasPrefix("{\"tool\":\"merge-counts\""))
        #expect(ended.errorText.hasSuffix("merge-counts: line 2: no count: the line has no TAB\n"))
    }
}
