import Glibc
import TestSupport
import Testing

/// Brokers that are away, slow, or say no.
@Suite struct FaultTests {
    static let lines = (1...3000).map { "\($0)" }

    @Test func aBrokerThatComesBackGetsEveryLineOnceAndInOrder() throws {
        let broker = try OwnBroker()
        let topic = try Topic(partitions: 1, on: broker.address)
        let (out, feed) = try topic.startFedOut(["--summary"])
        try write(Array("1\n2\n".utf8), to: feed)
        #expect(try eventually { try topic.lines().count == 2 })
        try broker.stop()
        try write(Array("3\n4\n".utf8), to: feed)
        #expect(eventually { unreadBytes(in: feed) == 0 })
        try broker.start()
        try write(Array("5\n".utf8), to: feed)
        close(feed)
        let ended = try out.wait()
        #expect(ended.ending == .status(0), "\(ended.errorText)")
        #expect(ended.fact("delivered") == 5)
        #expect(try topic.lines() == ["1", "2", "3", "4", "5"])
    }

    @Test func aBrokerThatHangsIsWaitedFor() throws {
        let broker = try OwnBroker()
        let topic = try Topic(partitions: 1, on: broker.address)
        let (out, feed) = try topic.startFedOut(["-X", "socket.timeout.ms=1000"])
        try write(Array(Self.lines[..<1000].joined(separator: "\n").utf8) + [0x0A], to: feed)
        #expect(try eventually { try topic.lines().count == 1000 })
        broker.send(SIGSTOP)
        try write(Array(Self.lines[1000...].joined(separator: "\n").utf8), to: feed)
        close(feed)
        usleep(3_000_000)
        broker.send(SIGCONT)
        let ended = try out.wait()
        #expect(ended.ending == .status(0), "\(ended.errorText)")
        #expect(try topic.lines() == Self.lines)
    }

    @Test func afterMessageTimeoutItSaysWhatWasNotDelivered() throws {
        let broker = try OwnBroker()
        let topic = try Topic(partitions: 1, on: broker.address)
        let (out, feed) = try topic.startFedOut(["--summary", "-X", "message.timeout.ms=2000"])
        try write(Array("1\n2\n".utf8), to: feed)
        #expect(try eventually { try topic.lines().count == 2 })
        try broker.stop()
        try write(Array("3\n4\n5\n".utf8), to: feed)
        let ended = try out.wait()
        close(feed)
        #expect(ended.ending == .status(69))
        #expect(ended.fact("delivered") == 2)
        #expect(ended.fact("failed") == 3)
        #expect(ended.fact("first_failed_line") == 3)
        let message = ended.errorText.split(separator: "\n").last ?? ""
        #expect(message.hasPrefix("kcat-out: line 3: not delivered: "), "\(message)")
        #expect(message.hasSuffix("; 3 lines were read and not delivered"), "\(message)")
    }

    @Test func aReaderWaitsForABrokerThatComesBack() throws {
        let broker = try OwnBroker()
        let topic = try Topic(partitions: 1, on: broker.address)
        try topic.fill("1\n")
        let (reading, writing) = try makePipe()
        let member = try topic.startIn(["-g", "wait"], output: .descriptor(writing))
        close(writing)
        #expect(readLine(from: reading) == "1\n")
        #expect(try eventually { try topic.committed("wait") == "0:1" })
        try broker.stop()
        usleep(500_000)
        try broker.start()
        try topic.fill("2\n")
        #expect(readLine(from: reading, seconds: 30) == "2\n")
        // This broker forgets its groups when it restarts; the member joins anew and commits what it has printed.
        #expect(try eventually(seconds: 30) { try topic.committed("wait") == "0:2" })
        member.send(SIGTERM)
        #expect(try member.wait().ending == .signal(SIGTERM))
        #expect(readLine(from: reading) == nil)
        close(reading)
    }

    @Test func aSignalEndsAWriterWhoseBrokerIsAway() throws {
        let broker = try OwnBroker()
        let topic = try Topic(partitions: 1, on: broker.address)
        let (out, feed) = try topic.startFedOut(["--summary"])
        try write(Array("1\n".utf8), to: feed)
        #expect(try eventually { try topic.lines().count == 1 })
        try broker.stop()
        try write(Array("2\n3\n".utf8), to: feed)
        #expect(eventually { unreadBytes(in: feed) == 0 })
        out.send(SIGTERM)
        let ended = try out.wait(deadline: 14)
        close(feed)
        // That lines were lost is worth more than the signal.
        #expect(ended.ending == .status(69))
        #expect(ended.fact("failed") == 2)
        #expect(ended.errorText.split(separator: "\n").last?.hasPrefix("kcat-out: line 2: not delivered: ") == true)
    }

    @Test func aSignalEndsAWriterThatWaitsForItsFirstBroker() throws {
        let topic = try Topic(missingOn: "127.0.0.1:\(try freePort())")
        let out = try topic.startOut(input: .text("1\n"))
        usleep(700_000)
        out.send(SIGTERM)
        let ended = try out.wait(deadline: 10)
        #expect(ended.ending == .signal(SIGTERM), "\(ended.errorText)")
    }

    @Test func aSignalEndsAReaderWhoseBrokerIsAway() throws {
        let broker = try OwnBroker()
        let topic = try Topic(partitions: 1, on: broker.address)
        try topic.fill("1\n")
        let (reading, writing) = try makePipe()
        let member = try topic.startIn(["-g", "away"], output: .descriptor(writing))
        close(writing)
        #expect(readLine(from: reading) == "1\n")
        try broker.stop()
        member.send(SIGTERM)
        let ended = try member.wait(deadline: 16)
        close(reading)
        #expect(ended.ending == .signal(SIGTERM))
    }

    // MARK: By librdkafka's mock cluster

    @Test func errorsOfRequestsAreTriedAgain() throws {
        let cluster = try MockCluster(brokers: 3)
        let topic = try cluster.topic(partitions: 4)
        for error in [Wire.notLeader, Wire.requestTimedOut, Wire.notEnoughReplicas] {
            try cluster.order("error \(Wire.produce) \(error) 2")
        }
        try cluster.order("error \(Wire.fetch) \(Wire.notLeader) 2")
        try topic.fill(Self.lines.joined(separator: "\n"), ["-k", "1", "--eof"])
        let back = try topic.in(["--until-eof"])
        #expect(back.ending == .status(0), "\(back.errorText)")
        #expect(back.outputText.split(separator: "\n").map(String.init).sorted() == Self.lines.sorted())
    }

    @Test func lostConnectionsAndLeadersAreFoundAgain() throws {
        let cluster = try MockCluster(brokers: 3)
        let topic = try cluster.topic(partitions: 1)
        let (out, feed) = try topic.startFedOut([
            "--eof", "-X", "topic.metadata.refresh.interval.ms=500", "-X", "reconnect.backoff.max.ms=500",
        ])
        for (number, line) in Self.lines.enumerated() {
            try write(Array((line + "\n").utf8), to: feed)
            switch number {
            case 500: try cluster.order("leader \(topic.name) 0 2")
            case 1000: try cluster.order("down 2")
            case 1100: try cluster.order("leader \(topic.name) 0 3")
            case 1500: try cluster.order("delay 3 300")
            case 2000: try cluster.order("up 2")
            default: if number % 100 == 0 { usleep(20_000) }
            }
        }
        close(feed)
        let ended = try out.wait()
        #expect(ended.ending == .status(0), "\(ended.errorText)")
        try cluster.order("delay 3 0")
        let back = try topic.in(["--until-eof"])
        #expect(back.outputText.split(separator: "\n").map(String.init) == Self.lines)
    }

    @Test func whatTheBrokerFindsTooLargeIsPutAside() throws {
        let cluster = try MockCluster()
        let topic = try cluster.topic()
        let rejects = try TemporaryFolder()
        // Each alone in a batch, and then once more, since a batch may be refused for another of its messages.
        try cluster.order("error \(Wire.produce) \(Wire.tooLarge) 4")
        let ended = try topic.out(
            ["--reject", rejects.file("lines"), "--summary"], input: .text("too large, they say\nso is this\n"))
        #expect(ended.ending == .status(0), "\(ended.errorText)")
        #expect(ended.fact("rejected") == 2)
        #expect(ended.fact("delivered") == 0)
        #expect(
            try contents(of: rejects.file("lines"))
                == Array(
                    """
                    line 1: cannot be delivered: Broker: Message size too large\ttoo large, they say
                    line 2: cannot be delivered: Broker: Message size too large\tso is this

                    """.utf8))
        try cluster.order("error \(Wire.produce) \(Wire.tooLarge) 2")
        let failed = try topic.out(input: .text("too large, they say\n"))
        #expect(failed.ending == .status(65))
        #expect(failed.errorText == "kcat-out: line 1: not delivered: Broker: Message size too large\n")
    }

    @Test func whatIsRefusedInABatchAndNotAloneIsDelivered() throws {
        let cluster = try MockCluster()
        let topic = try cluster.topic()
        try cluster.order("error \(Wire.produce) \(Wire.tooLarge) 1")
        let lines = (1...1000).map { "\($0)" }
        let ended = try topic.out(["--summary"], input: .text(lines.joined(separator: "\n")))
        #expect(ended.ending == .status(0), "\(ended.errorText)")
        #expect(ended.fact("delivered") == 1000)
        #expect(try topic.lines() == lines)
    }

    /// This cluster says nothing of its limits.
    @Test func aTransactionOfATopicWithUnknownLimitsEndsAtOnce() throws {
        let cluster = try MockCluster()
        let topic = try cluster.topic()
        try cluster.order("error \(Wire.produce) \(Wire.tooLarge) 1")
        let start = monotonicSeconds()
        let ended = try topic.out(
            ["--transactional-id", "t", "--reject", "/dev/null"], input: .text("too large, they say\n"))
        #expect(ended.ending == .status(65))
        #expect(ended.errorText.hasPrefix("kcat-out: line 1: the broker refuses the batch that begins here: "))
        #expect(ended.errorText.contains("-X message.max.bytes"), "\(ended.errorText)")
        #expect(monotonicSeconds() - start < 15)
    }

    @Test(arguments: [[], ["--pack", "2K"], ["--header", "a=b"]])
    func whatIsTooLargeForThisClientIsPutAside(_ arguments: [String]) throws {
        let topic = try Topic()
        let rejects = try TemporaryFolder()
        let long = String(repeating: "x", count: 2000)
        let ended = try topic.out(
            ["--reject", rejects.file("lines"), "--summary", "-X", "message.max.bytes=1500"] + arguments,
            input: .text("a\n\(long)\nb\n"))
        #expect(ended.ending == .status(0), "\(ended.errorText)")
        let kept = try topic.lines()
        #expect(kept.count + (ended.fact("rejected") ?? 0) == 3)
        #expect(kept.count == ended.fact("delivered"))
        let aside = String(decoding: try contents(of: rejects.file("lines")), as: UTF8.self)
        #expect(aside.contains(long))
        let failed = try topic.out(["-X", "message.max.bytes=1500"] + arguments, input: .text("\(long)\n"))
        #expect(failed.ending == .status(65))
        #expect(failed.errorText.hasPrefix("kcat-out: line 1: cannot be delivered: "))
    }

    @Test func aTopicThatIsDeniedIsNotPermitted() throws {
        let cluster = try MockCluster()
        let topic = try cluster.topic()
        try cluster.order("error \(Wire.produce) \(Wire.topicDenied) 1")
        let out = try topic.out(input: .text("x\n"))
        #expect(out.ending == .status(77))
        #expect(out.errorText == "kcat-out: line 1: not delivered: Broker: Topic authorization failed\n")
    }
}
