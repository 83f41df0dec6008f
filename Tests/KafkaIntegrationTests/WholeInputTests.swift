import Glibc
import TestSupport
import Testing

/// `kcat-out --transactional-id` without barriers: all of its input or nothing.
@Suite struct WholeInputTests {
    static func isThere(_ topic: Topic, _ lines: Int) throws -> Bool {
        try topic.lines(["-X", "isolation.level=read_uncommitted"]).count >= lines
    }

    @Test(arguments: [SIGKILL, SIGTERM])
    func whatIsEndedInTheMiddleHasWrittenNothing(_ signal: CInt) throws {
        let topic = try Topic()
        let id = ["--transactional-id", topic.name]
        let (out, feed) = try topic.startFedOut(id)
        try write(Array("1\n2\n3\n".utf8), to: feed)
        #expect(try eventually { try Self.isThere(topic, 3) })
        out.send(signal)
        #expect(try out.wait().ending == .signal(signal))
        close(feed)
        // What kill -9 has left open is waited for, until its successor ends it.
        let reader = try topic.startIn(["--until-end"])
        try topic.fill("1\n2\n3\n4\n", id)
        let ended = try reader.wait()
        #expect(ended.ending == .status(0))
        #expect(ended.outputText == "" || ended.outputText == "1\n2\n3\n4\n")
        #expect(try topic.lines() == ["1", "2", "3", "4"])
    }

    /// Readers get nothing after the oldest transaction that is open: here not the end of the one that came to nothing.
    @Test func anAbortBehindAnOpenTransactionIsHeeded() throws {
        let topic = try Topic()
        var feeds: [CInt] = []
        func open(_ name: String, _ batches: [String]) throws -> Program {
            let (out, feed) = try topic.startFedOut(["--transactional-id", "\(topic.name)-\(name)"])
            feeds.append(feed)
            for batch in batches {
                let before = try topic.lines(["-X", "isolation.level=read_uncommitted"]).count
                try write(Array(batch.utf8), to: feed)
                #expect(try eventually { try Self.isThere(topic, before + 1) })
            }
            return out
        }
        let lost = try open("lost", ["1\n", "2\n", "3\n"])
        try topic.fill("kept\n", ["--transactional-id", "\(topic.name)-kept"])
        let late = try open("late", ["late\n"])
        lost.send(SIGTERM)
        #expect(try lost.wait().ending == .signal(SIGTERM))
        try topic.fill("", ["--transactional-id", "\(topic.name)-lost"])
        feeds.forEach { close($0) }
        #expect(try late.wait().ending == .status(0))
        #expect(try topic.lines() == ["kept", "late"])
    }

    @Test func aMalformedLineLeavesNothing() throws {
        let topic = try Topic()
        let id = ["--transactional-id", topic.name, "-k", "2", "--summary"]
        let ended = try topic.out(id, input: .text("a\tb\nc\n"))
        #expect(ended.ending == .status(65))
        #expect(ended.fact("delivered") == 0)
        #expect(ended.errorText.split(separator: "\n").last == "kcat-out: line 2: there is no field 2")
        #expect(try topic.lines() == [])
        let good = try topic.out(id + ["--eof"], input: .text("a\tb\nc\td\n"))
        #expect(good.ending == .status(0))
        #expect(good.fact("delivered") == 2)
        #expect(try topic.in(["--until-eof"]).outputText == "a\tb\nc\td\n")
    }
}
