import Glibc
import TestSupport
import Testing

/// SIGINT, SIGTERM and SIGHUP: whole lines of what was worked out, then death by that signal.
@Suite struct SignalTests {
    @Test(arguments: FilterCase.all, [SIGINT, SIGTERM, SIGHUP])
    func aWaitingToolDiesByTheSignal(_ filter: FilterCase, _ signal: CInt) throws {
        let pipes = try Pipes()
        let program = try Program(
            filter.command(filter.flowing), input: .descriptor(pipes.inputReader),
            output: .descriptor(pipes.outputWriter))
        pipes.leaveFarEnds()
        // The second line has no end yet: it must not come out as one.
        try write(Array((filter.input("one") + "\n" + filter.input("tw")).utf8), to: pipes.input)
        if filter.name == "merge-counts" {
            usleep(100_000)  // it owes nothing before a barrier: no line says that it has begun
        } else {
            let expected = filter.flowed("one", line: 1)
            #expect(readLines(like: expected, from: pipes.output) == expected)
        }
        program.send(signal)
        let ended = try program.wait(deadline: 10)
        #expect(ended.ending == .signal(signal))
        #expect(ended.errorText == "")
        #expect(readLine(from: pipes.output) == nil)
    }

    @Test(arguments: FilterCase.all)
    func aBusyToolEndsWithAWholeLine(_ filter: FilterCase) throws {
        for round in 1...5 {
            let (reading, writing) = try makePipe()
            let source = try Program(["/usr/bin/yes", filter.input("word")], output: .descriptor(writing))
            let program = try Program(filter.command(), input: .descriptor(reading))
            close(reading)
            close(writing)
            usleep(useconds_t(20_000 * round))
            program.send(SIGTERM)
            let ended = try program.wait(deadline: 10)
            #expect(ended.ending == .signal(SIGTERM))
            #expect(ended.output.last ?? 0x0A == 0x0A)
            #expect(try source.wait(deadline: 10).ending == .signal(SIGPIPE))
        }
    }

    @Test(arguments: FilterCase.all.filter { !$0.isAggregator || $0.name == "es-bulk" })
    func aSlowReaderStillGetsWholeLines(_ filter: FilterCase) throws {
        let (reading, writing) = try makePipe()
        let (output, outputWriter) = try makePipe()
        defer { close(output) }
        let source = try Program(["/usr/bin/yes", filter.input("word")], output: .descriptor(writing))
        let program = try Program(filter.command(), input: .descriptor(reading), output: .descriptor(outputWriter))
        for end in [reading, writing, outputWriter] { close(end) }
        usleep(200_000)  // time to fill the pipe, so that the signal meets a write that is half done
        program.send(SIGTERM)
        usleep(50_000)
        let bytes = try contents(of: output)
        #expect(bytes.last == 0x0A)
        #expect(try program.wait(deadline: 10).ending == .signal(SIGTERM))
        _ = try source.wait(deadline: 10)
    }

    @Test(arguments: FilterCase.all.filter { !$0.isAggregator || $0.name == "es-bulk" }, [1, 2])
    func aReaderThatHangsCannotKeepTheTool(_ filter: FilterCase, _ signals: Int) throws {
        let (reading, writing) = try makePipe()
        let (fullReading, fullWriting) = try makePipe()
        defer { close(fullReading) }
        let source = try Program(["/usr/bin/yes", filter.input("word")], output: .descriptor(writing))
        let program = try Program(filter.command(), input: .descriptor(reading), output: .descriptor(fullWriting))
        for end in [reading, writing, fullWriting] { close(end) }
        usleep(200_000)  // time to fill the pipe
        let sent = monotonicSeconds()
        for _ in 1...signals {
            program.send(SIGTERM)
            usleep(50_000)  // two at the same time are one
        }
        #expect(try program.wait(deadline: 10).ending == .signal(SIGTERM))
        if signals > 1 { #expect(monotonicSeconds() - sent < 1.5) }  // not by the time limit of the first
        _ = try source.wait(deadline: 10)
    }

    @Test(arguments: FilterCase.all)
    func aSignalThatTheParentIgnoresStaysIgnored(_ filter: FilterCase) throws {
        let command = """
            trap '' HUP
            { printf '%s\\n' '\(filter.input("one"))'; kill -HUP 0; sleep 0.1; } | \(filter.shell())
            """
        let ended = try bash(command)
        #expect(ended.ending == .status(0))
        #expect(ended.outputText == filter.output("one"))
    }
}
