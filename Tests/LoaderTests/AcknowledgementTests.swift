import Glibc
import TestSupport
import Testing

/// Streams with barriers: what is told to kcat-in, and when.
@Suite struct AcknowledgementTests {
    /// A FIFO that the test reads, and one that it writes to es-load.
    final class Loop {
        let folder: TemporaryFolder
        let acks: CInt
        let input: CInt
        let program: Program
        var fifo: String { folder.file("acks") }

        init(_ server: some SearchServer, _ command: String) throws {
            folder = try TemporaryFolder()
            let path = folder.file("acks")
            guard mkfifo(path, 0o600) == 0 else { throw SystemError("mkfifo") }
            acks = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
            let (reading, input) = try makePipe()
            self.input = input
            program = try Program(
                ["/bin/bash", "-c", "set -o pipefail; " + command], input: .descriptor(reading),
                environment: server.environment.merging(["ACKS": path]) { $1 })
            close(reading)
        }

        func send(_ text: String) throws { try write(Array(text.utf8), to: input) }

        /// The next epoch that comes out of the FIFO, with the session in front; nil: none.
        func nextNumber() -> String? {
            guard let line = readLine(from: acks, seconds: 30) else { return nil }
            let fields = line.dropLast().split(separator: "\t", omittingEmptySubsequences: false)
            return fields.count == 2 && fields[0] == session ? String(fields[1]) : "not of the session: \(line)"
        }
    }

    static let command = "es-bulk --index w --id n --max-wait 10m | es-load --in-flight 1 --ack $ACKS --summary"

    @Test func anEpochIsAcknowledgedWhenAllOfItIsDone() throws {
        let server = try BrokenServer("503", "items=429:1", "ok", "slow=1")
        let loop = try Loop(server, Self.command)
        try loop.send(barrier("open", 0) + "{\"n\":1}\n{\"n\":2}\n" + barrier("commit", 1))
        #expect(loop.nextNumber() == "1")
        #expect(try server.numbers() == [1, 2])
        try loop.send(barrier("commit", 2))
        #expect(loop.nextNumber() == "2")
        try loop.send("{\"n\":3}\n" + barrier("commit", 3))
        #expect(loop.nextNumber() == "3")
        #expect(try server.numbers() == [1, 2, 3])
        try loop.send("{\"n\":4}\n" + barrier("close", 4))
        #expect(loop.nextNumber() == "4")
        #expect(try server.numbers() == [1, 2, 3, 4])
        close(loop.input)
        let ended = try loop.program.wait()
        #expect(ended.ending == .status(0))
        let numbers = try summary(ended)
        #expect(numbers["read"] == "4" && numbers["done"] == "4" && numbers["retried"] == "3")
        #expect(numbers["requests"] == "5" && numbers["acked"] == "4")
    }

    @Test func aRefusedDocumentIsAcknowledgedWhenItIsPutAsideAndNeverWhenItIsNot() throws {
        for (option, number) in [("--reject $ACKS.refused", "1"), ("", nil)] {
            let server = try BrokenServer()
            let loop = try Loop(server, "\(Self.command) \(option)")
            try loop.send(barrier("open", 0) + "{\"n\":\"x\"}\n" + barrier("commit", 1) + barrier("close", 2))
            close(loop.input)
            #expect(try loop.program.wait().ending == .status(65))
            #expect(loop.nextNumber() == number)
        }
    }

    @Test func aStreamThatBreaksOffEndsIn75AndOnlyWholeEpochsAreAcknowledged() throws {
        let server = try BrokenServer()
        let loop = try Loop(server, Self.command)
        try loop.send(barrier("open", 0) + "{\"n\":1}\n" + barrier("commit", 1) + "{\"n\":2}\n")
        close(loop.input)
        let ended = try loop.program.wait()
        #expect(ended.ending == .status(75))
        #expect(
            ended.errorText.hasPrefix(
                "es-load: the input has ended without its last barrier: a program before it has died\n"))
        #expect(loop.nextNumber() == "1")
        #expect(loop.nextNumber() == nil)
    }

    @Test func aBatchThatBreaksOffIsNotLoaded() throws {
        let server = try BrokenServer()
        let loop = try Loop(server, "es-load")
        try loop.send(
            barrier("open", 0) + "{\"index\":{\"_index\":\"w\",\"_id\":\"1\"}}\n{\"n\":1}\n{\"index\":{\"_ind")
        close(loop.input)
        #expect(try loop.program.wait().ending == .status(75))
        #expect(try server.requests() == [])
    }

    @Test func aReaderThatIsGoneEndsItIn75() throws {
        let server = try BrokenServer()
        let loop = try Loop(server, Self.command)
        try loop.send(barrier("open", 0) + "{\"n\":1}\n" + barrier("commit", 1))
        #expect(loop.nextNumber() == "1")
        close(loop.acks)
        try loop.send("{\"n\":2}\n" + barrier("commit", 2))
        close(loop.input)
        let ended = try loop.program.wait()
        #expect(ended.errorText.hasPrefix("es-load: nobody reads \(loop.fifo) any more\n"))
        #expect(ended.ending == .status(75))
    }

    @Test func withoutAckBarriersAreOnlySkipped() throws {
        let server = try BrokenServer()
        let stream = barrier("open", 0) + "{\"n\":1}\n" + barrier("commit", 1) + "{\"n\":2}\n" + barrier("close", 2)
        let ended = try server.shell("es-bulk --index w --id n | es-load", input: .text(stream))
        #expect(ended.ending == .status(0))
        #expect(try server.numbers() == [1, 2])
    }
}
