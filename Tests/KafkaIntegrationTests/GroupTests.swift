import Glibc
import TestSupport
import Testing

/// What is committed: what standard output has accepted, however `kcat-in` ends.
@Suite struct GroupTests {
    static let hundred = (1...100).map { "\($0)\n" }.joined()

    @Test func aGroupGoesOnWhereItEnded() throws {
        let topic = try Topic()
        try topic.fill(Self.hundred)
        let first = try topic.in(["-g", "g", "-c", "30", "--summary"])
        #expect(first.outputText == (1...30).map { "\($0)\n" }.joined())
        #expect(first.errorText == #"{"tool":"kcat-in","read":30,"bytes":81,"committed":30}"# + "\n")
        #expect(try topic.committed("g") == "0:30")
        #expect(try topic.lines(["-g", "g"]).first == "31")
        #expect(try topic.committed("g") == "0:100")
        // Without a group nothing is stored; another group has its own.
        #expect(try topic.lines().count == 100)
        #expect(try topic.lines(["-g", "h", "-o", "-5"]) == ["96", "97", "98", "99", "100"])
        #expect(try topic.committed("h") == "0:100")
        #expect(try topic.lines(["-g", "h", "-o", "beginning"]) == [])
    }

    @Test func whatIsKilledRepeatsAtWorst() throws {
        // The other broker never gives up the dead.
        let cluster = try MockCluster()
        let topic = try cluster.topic()
        try topic.fill(Self.hundred)
        let (reading, writing) = try makePipe()
        let first = try topic.startIn(["-g", "k"] + quick, output: .descriptor(writing))
        close(writing)
        var last = 0
        func take() -> Bool {
            guard let line = readLine(from: reading), let number = Int(line.dropLast()) else { return false }
            #expect(number == last + 1)
            last = number
            return true
        }
        for _ in 1...100 { #expect(take()) }
        #expect(try eventually { try topic.committed("k") == "0:100" })
        // Some of these are printed and not yet committed when it dies.
        for number in 101...120 {
            try topic.fill("\(number)\n")
            if number == 118 { first.send(SIGKILL) }
        }
        #expect(try first.wait().ending == .signal(SIGKILL))
        while take() {}
        close(reading)
        let committed = Int(try topic.committed("k").dropFirst(2)) ?? -1
        #expect((100...last).contains(committed))
        // The group waits for the session of the dead to time out.
        let rest = try topic.in(["-g", "k", "-c", "\(120 - committed)"] + quick)
        #expect(rest.outputText == ((committed + 1)...120).map { "\($0)\n" }.joined())
    }

    @Test func whatIsStoppedCommitsWhatWasTaken() throws {
        let topic = try Topic()
        try topic.fill(Self.hundred)
        let (reading, writing) = try makePipe()
        let first = try topic.startIn(["-g", "t", "--summary"], output: .descriptor(writing))
        close(writing)
        for _ in 1...100 { #expect(readLine(from: reading) != nil) }
        first.send(SIGTERM)
        let ended = try first.wait()
        #expect(ended.ending == .signal(SIGTERM))
        #expect(ended.fact("committed") == 100)
        close(reading)
        #expect(try topic.committed("t") == "0:100")
    }

    @Test func aBlockedOutputIsCommittedUpToWhatItTook() throws {
        let topic = try Topic()
        let width = 5000
        try topic.fill((1...2000).map { String(repeating: "\($0 % 10)", count: width) + "\n" }.joined())
        let (reading, writing) = try makePipe()
        let first = try topic.startIn(["-g", "b"], output: .descriptor(writing))
        close(writing)
        #expect(isHeldUp(reading))
        first.send(SIGTERM)
        let ended = try first.wait(deadline: 14)
        #expect(ended.ending == .signal(SIGTERM))
        var bytes = 0
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = read(reading, &piece, piece.count), count > 0 { bytes += count }
        close(reading)
        // Whole lines that are in the pipe, and no others.
        #expect(bytes > 0)
        #expect(try topic.committed("b") == "0:\(bytes / (width + 1))")
    }

    @Test func headLeavesWhatThePipeTook() throws {
        let topic = try Topic()
        try topic.fill((1...20_000).map { "\($0) \(String(repeating: "x", count: 200))\n" }.joined())
        let ended = try topic.shell("kcat-in -t $T -g head | head -1 | cut -d ' ' -f 1; echo ${PIPESTATUS[0]}")
        #expect(ended.outputText == "1\n141\n")
        let committed = Int(try topic.committed("head").dropFirst(2)) ?? -1
        // At least what head has read, at most what fits into the pipe.
        #expect((1...10_000).contains(committed), "\(committed)")
        #expect(try topic.lines(["-g", "head"]).first?.hasPrefix("\(committed + 1) ") == true)
    }

    @Test func aBlockedOutputKeepsTheMembership() throws {
        let topic = try Topic()
        try topic.fill((1...2000).map { "\($0) \(String(repeating: "y", count: 2000))\n" }.joined())
        let (reading, writing) = try makePipe()
        let member = try topic.startIn(
            [
                "-g", "m", "--until-end", "-X", "session.timeout.ms=6000", "-X", "heartbeat.interval.ms=500", "-X",
                "max.poll.interval.ms=6000", "--summary",
            ], output: .descriptor(writing))
        close(writing)
        #expect(isReadable(reading, seconds: 10))
        usleep(8_000_000)  // longer than max.poll.interval.ms
        var lines = 0
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = read(reading, &piece, piece.count), count > 0 {
            lines += piece[..<count].count { $0 == 0x0A }
        }
        close(reading)
        let ended = try member.wait()
        #expect(ended.ending == .status(0), "\(ended.errorText)")
        #expect(lines == 2000)
        #expect(ended.fact("committed") == 2000)
        #expect(try topic.committed("m") == "0:2000")
    }

    /// This broker refuses to commit from the moment on at which a member joins: what was not committed yet is doubled.
    @Test func membersComeAndGoAndNoLineIsLost() throws {
        let (written, seen, _) = try Self.comeAndGo(Topic(partitions: 6), quick)
        #expect(Set(seen) == Set(0..<written))
        #expect(seen.count - written < 1000)
    }

    /// As with Apache Kafka, which takes commits until all members have joined anew.
    @Test func whereCommitsAreTakenMembersComeAndGoAndNoLineIsDoubled() throws {
        let cluster = try MockCluster()
        let listener = try Listener("rebalancing.py", cluster.brokers)
        let (written, seen, committed) = try Self.comeAndGo(cluster.topic(partitions: 6, through: listener), soon)
        #expect(seen.count == written, "\(seen.count) lines instead of \(written)")
        #expect(Set(seen) == Set(0..<written))
        #expect(committed == written)
    }

    /// While lines come in, there is one member, then a second joins, then the first is stopped.
    /// - Returns: how many lines were written, the numbers of those that were printed, and how many were committed.
    private static func comeAndGo(
        _ topic: Topic, _ settings: [String]
    ) throws -> (written: Int, seen: [Int], committed: Int) {
        let (out, feed) = try topic.startFedOut(["-k", "1"])
        var written = 0
        func produce(_ count: Int) throws {
            for _ in 0..<count {
                try write(Array("\(written)\n".utf8), to: feed)
                written += 1
            }
        }
        let folder = try TemporaryFolder()
        func member(_ name: String) throws -> Program {
            try topic.startIn(["-g", "move", "--summary"] + settings, output: .file(folder.file(name)))
        }
        func hasPrinted(_ name: String) throws -> Bool { try !contents(of: folder.file(name)).isEmpty }
        let first = try member("1")
        try produce(500)
        #expect(try eventually { try hasPrinted("1") })
        let second = try member("2")
        // While the group deals anew.
        #expect(
            try eventually(seconds: 30) {
                try produce(20)
                return try hasPrinted("2")
            })
        first.send(SIGTERM)
        try produce(500)
        let firstEnded = try first.wait()
        #expect(firstEnded.ending == .signal(SIGTERM))
        try produce(500)
        close(feed)
        #expect(try out.wait().ending == .status(0))
        func seen() throws -> [Int] {
            try (contents(of: folder.file("1")) + contents(of: folder.file("2"))).split(separator: 0x0A)
                .map { Int(String(decoding: $0, as: UTF8.self)) ?? -1 }
        }
        #expect(try eventually(seconds: 30) { try Set(seen()).count == written })
        second.send(SIGTERM)
        let secondEnded = try second.wait()
        #expect(secondEnded.ending == .signal(SIGTERM))
        return (written, try seen(), [firstEnded, secondEnded].reduce(0) { $0 + ($1.fact("committed") ?? 0) })
    }

    @Test func aMemberThatIsBlockedGivesItsPartitionsBack() throws {
        let topic = try Topic(partitions: 2)
        try topic.fill((1...4000).map { "\($0) \(String(repeating: "z", count: 1000))\n" }.joined(), ["-k", "1"])
        let (reading, writing) = try makePipe()
        let blocked = try topic.startIn(["-g", "give"] + quick, output: .descriptor(writing))
        close(writing)
        #expect(isHeldUp(reading))
        let other = try topic.startIn(["-g", "give", "--until-end"] + quick)
        // It waits a little for its output, then lets go, so that the other gets on.
        usleep(7_000_000)
        blocked.send(SIGTERM)
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = read(reading, &piece, piece.count), count > 0 { bytes += piece[..<count] }
        close(reading)
        #expect(try blocked.wait().ending == .signal(SIGTERM))
        let ended = try other.wait()
        #expect(ended.ending == .status(0), "\(ended.errorText)")
        let numbers = { (bytes: [UInt8]) in
            bytes.split(separator: 0x0A).map { String(decoding: $0.prefix { $0 != 0x20 }, as: UTF8.self) }
        }
        // The line that was half in the pipe may come twice.
        let all = numbers(bytes) + numbers(ended.output)
        #expect(Set(all).count == 4000)
        #expect((4000...4001).contains(all.count), "\(all.count)")
    }
}
