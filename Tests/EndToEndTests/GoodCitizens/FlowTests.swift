import Glibc
import TestSupport
import Testing

/// As behind `tail -f`: what is owed for a line comes out before the next one goes in.
@Suite struct FlowTests {
    @Test(arguments: FilterCase.all)
    func eachLineComesOutBeforeTheNextGoesIn(_ filter: FilterCase) throws {
        if filter.name == "merge-counts" { return try updatesComeOutAtEachBarrier(filter) }
        let pipes = try Pipes()
        let program = try Program(
            filter.command(filter.flowing), input: .descriptor(pipes.inputReader),
            output: .descriptor(pipes.outputWriter))
        pipes.leaveFarEnds()
        for (index, word) in ["one", "two", "three"].enumerated() {
            try write(Array((filter.input(word) + "\n").utf8), to: pipes.input)
            let expected = filter.flowed(word, line: index + 1)
            #expect(readLines(like: expected, from: pipes.output) == expected)
        }
        pipes.endInput()
        #expect(try program.wait().ending == .status(0))
    }

    private func updatesComeOutAtEachBarrier(_ filter: FilterCase) throws {
        let pipes = try Pipes()
        let program = try Program(
            filter.command(filter.flowing), input: .descriptor(pipes.inputReader),
            output: .descriptor(pipes.outputWriter))
        pipes.leaveFarEnds()
        let stream = BarrierStream()
        try write(stream.barrier("open", 0), to: pipes.input)
        #expect(readLine(from: pipes.output) == String(decoding: stream.barrier("open", 0), as: UTF8.self))
        for (epoch, word) in ["one", "two", "three"].enumerated() {
            try write(Array((filter.input(word) + "\n").utf8) + stream.barrier("commit", epoch), to: pipes.input)
            #expect(readLine(from: pipes.output) == filter.output(word))
            #expect(readLine(from: pipes.output) == String(decoding: stream.barrier("commit", epoch), as: UTF8.self))
        }
        pipes.endInput()
        #expect(try program.wait().ending == .status(0))
    }

    @Test func whatWaitsComesOutWhenItsTimeIsUpWithoutAnotherLine() throws {
        let (filter, pipes) = (FilterCase.named("es-bulk"), try Pipes())
        let program = try Program(
            filter.command(["--max-wait", "300ms"]), input: .descriptor(pipes.inputReader),
            output: .descriptor(pipes.outputWriter))
        pipes.leaveFarEnds()
        for word in ["one", "two"] {
            let started = monotonicMilliseconds()
            try write(Array((filter.input(word) + "\n").utf8), to: pipes.input)
            // To be stopped and continued ends the wait of the tool early: it goes on waiting.
            program.send(SIGSTOP)
            usleep(10_000)
            program.send(SIGCONT)
            #expect(readLines(like: filter.output(word), from: pipes.output) == filter.output(word))
            #expect(monotonicMilliseconds() - started >= 300)
        }
        pipes.endInput()
        #expect(try program.wait().ending == .status(0))
    }

    @Test(arguments: FilterCase.all)
    func rejectedLinesAreWrittenBeforeTheNextLineComes(_ filter: FilterCase) throws {
        let folder = try TemporaryFolder()
        let (pipes, file) = (try Pipes(), folder.file("rejects"))
        guard mkfifo(file, 0o600) == 0 else { throw SystemError("mkfifo") }
        let rejects = open(file, O_RDWR | O_CLOEXEC)
        defer { close(rejects) }
        let program = try Program(
            filter.command(filter.malformed.arguments + ["--reject", file]), input: .descriptor(pipes.inputReader))
        pipes.leaveFarEnds()
        for number in 1...2 {
            try write(Array((filter.malformed.line + "\n").utf8), to: pipes.input)
            #expect(readLine(from: rejects)?.hasPrefix("line \(number): ") == true)
        }
        pipes.endInput()
        #expect(try program.wait().ending == .status(0))
    }
}
