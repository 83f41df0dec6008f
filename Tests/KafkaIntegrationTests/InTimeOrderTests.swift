import Glibc
import TestSupport
import Testing

/// `kcat-in --in-time-order`: the windows of a topic are those of the one local pipe.
@Suite struct InTimeOrderTests {
    static let order = ["--in-time-order", "--time-field", "1"]

    /// Lines of a time and words, ten a second and more.
    /// - Parameter disorder: how many milliseconds a line may come too late.
    static func text(lines: Int, disorder: Int64 = 0, start: Int64 = 1_795_341_600_000) -> String {
        var generator = SeededGenerator(seed: 15)
        let words = (0..<100).map { "word\($0)" }
        var timed = (0..<lines).map { number -> (comes: Int64, line: String) in
            let time = start + Int64(number) * 40
            let text = (0..<4).map { _ in words.randomElement(using: &generator) ?? "" }.joined(separator: " ")
            return (time + Int64.random(in: 0...disorder, using: &generator), "\(Self.written(time))\t\(text)\n")
        }
        timed.sort { $0.comes < $1.comes }
        return timed.map(\.line).joined()
    }

    private static func written(_ time: Int64) -> String {
        func two(_ number: Int64) -> String { (number < 10 ? "0" : "") + String(number) }
        let (seconds, rest) = (time / 1000 - 1_795_305_600, String(1000 + time % 1000).dropFirst())
        return "2026-11-22T\(two(seconds / 3600)):\(two(seconds / 60 % 60)):\(two(seconds % 60)).\(rest)Z"
    }

    static let shapes = [[], ["-k", "2"], ["--pack", "4K"], ["--pack", "4K", "-k", "2"]]

    private static func windows(grace: String) -> String {
        "tokenize --carry 1 | cms-topk --window 10s --time-field 1 -k 5 --grace \(grace)"
    }

    @Test(arguments: [1, 4, 16], shapes)
    func windowsAreThoseOfTheLocalPipe(partitions: Int, shape: [String]) throws {
        for (disorder, grace) in [(Int64(0), "0s"), (5000, "5s")] {
            let text = Self.text(lines: 20_000, disorder: disorder)
            let topic = try Topic(partitions: partitions)
            try topic.fill(text, ["--eof"] + shape)
            let local = try topic.shell(Self.windows(grace: grace), input: .text(text))
            let read = try topic.shell(
                "kcat-in -t $T \(Self.order.joined(separator: " ")) --until-eof | \(Self.windows(grace: grace))")
            #expect(read.ending == .status(0) && read.errorText == "", "\(read.errorText)")
            #expect(local.outputText.contains("10:13:10"))
            expectSame(read.output, local.output, "\(partitions) \(shape) \(disorder)")
        }
    }

    @Test(arguments: [1, 4, 16], shapes)
    func soTheyAreWhileTheTextIsWritten(partitions: Int, shape: [String]) throws {
        let text = Array(Self.text(lines: 4000, disorder: 5000).utf8)
        let topic = try Topic(partitions: partitions)
        let (out, feed) = try topic.startFedOut(["--eof"] + shape)
        let (reading, writing) = try makePipe()
        // A writer may be held up on a busy machine, and its partitions with it.
        let read = try topic.startIn(Self.order + ["--idle", "20s", "--until-eof"], output: .descriptor(writing))
        close(writing)
        let windows = try Program(
            ["/bin/bash", "-c", Self.windows(grace: "5s")], input: .descriptor(reading),
            environment: topic.environment)
        close(reading)
        for start in stride(from: 0, to: text.count, by: 5000) {
            try write(Array(text[start..<min(text.count, start + 5000)]), to: feed)
            usleep(20_000)
        }
        close(feed)
        #expect(try out.wait().ending == .status(0))
        #expect(try read.wait().ending == .status(0))
        let local = try topic.shell(Self.windows(grace: "5s"), input: .bytes(text))
        let found = try windows.wait()
        #expect(found.errorText == "")
        expectSame(found.output, local.output, "\(partitions) \(shape)")
    }

    static func line(_ second: Int) -> String { "2026-11-22T10:00:\(second + 10)Z\t\(second)\n" }

    @Test func aSilentPartitionIsWaitedForAndThenPassedOver() throws {
        let topic = try Topic(partitions: 2)
        try topic.fill(Self.line(1) + Self.line(2), ["-p", "0"])
        try topic.fill(Self.line(0), ["-p", "1"])
        let (reading, writing) = try makePipe()
        let start = monotonicSeconds()
        let read = try topic.startIn(Self.order + ["--idle", "2s"], output: .descriptor(writing))
        close(writing)
        #expect(readLine(from: reading) == Self.line(0))
        #expect(readLine(from: reading) == Self.line(1))
        #expect(monotonicSeconds() - start >= 2)
        #expect(readLine(from: reading) == Self.line(2))
        // It counts again, late or not.
        try topic.fill(Self.line(1), ["-p", "1"])
        #expect(readLine(from: reading) == Self.line(1))
        read.send(SIGTERM)
        #expect(try read.wait().ending == .signal(SIGTERM))
        close(reading)
    }

    @Test func aPartitionThatIsAtItsEndIsNotWaitedFor() throws {
        let topic = try Topic(partitions: 4)
        for second in 0..<6 { try topic.fill(Self.line(second), ["-p", "\(second % 3)"]) }
        let read = try topic.in(Self.order + ["--idle", "1h", "--until-end"])
        #expect(read.outputText == (0..<6).map(Self.line).joined())
        let grouped = try topic.in(Self.order + ["--idle", "1h", "--until-end", "-g", "ended"])
        #expect(grouped.outputText == (0..<6).map(Self.line).joined())
        #expect(try topic.committed("ended", partitions: 3) == "0:2 1:2 2:2")
    }

    /// What is held back is not committed; a message of which lines are out is finished, as its offset is that of all of it.
    @Test func whatIsHeldBackIsReadByWhoeverComesNext() throws {
        let topic = try Topic(partitions: 2)
        try topic.fill([1, 3, 5].map(Self.line).joined(), ["-p", "0", "--pack", "1K"])
        try topic.fill([7, 9].map(Self.line).joined(), ["-p", "0", "--pack", "1K"])
        try topic.fill([2, 4].map(Self.line).joined(), ["-p", "1"])
        let (reading, writing) = try makePipe()
        let first = try topic.startIn(
            ["-g", "held", "--idle", "1h"] + Self.order + quick, output: .descriptor(writing))
        close(writing)
        for second in 1...4 { #expect(readLine(from: reading) == Self.line(second)) }
        #expect(try eventually { try topic.committed("held", partitions: 2) == "0:- 1:2" })
        first.send(SIGTERM)
        #expect(try first.wait().ending == .signal(SIGTERM))
        #expect(readLine(from: reading) == Self.line(5))
        close(reading)
        #expect(try topic.committed("held", partitions: 2) == "0:1 1:2")
        let rest = try topic.in(["-g", "held", "--until-end"] + Self.order)
        #expect(rest.outputText == Self.line(7) + Self.line(9))
    }

    @Test(arguments: [[], ["--pack", "200"]]) func membersOfAGroupPrintEachLineOnce(_ shape: [String]) throws {
        let cluster = try MockCluster()
        let listener = try Listener("rebalancing.py", cluster.brokers)
        let topic = try cluster.topic(partitions: 4, through: listener)
        let text = Self.text(lines: 3000)
        let members = try (1...3).map { _ in try topic.startIn(["-g", "team", "--until-eof"] + Self.order + soon) }
        try topic.fill(text, ["-k", "2", "--eof"] + shape)
        var seen: [Substring] = []
        for member in members {
            let ended = try member.wait(deadline: 45)
            #expect(ended.ending == .status(0), "\(ended.errorText)")
            seen += ended.outputText.split(separator: "\n")
        }
        #expect(seen.sorted() == text.split(separator: "\n").sorted(), "\(seen.count) lines")
    }

    /// Whoever comes in between.
    @Test func aLineOfAPackHasItsPlaceInThePack() throws {
        let topic = try Topic(partitions: 2)
        try topic.fill(Self.text(lines: 500), ["-k", "2", "--pack", "1K", "--eof"])
        let fields = ["--with", "partition,offset", "--until-eof"]
        let (ordered, plain) = (try topic.in(Self.order + fields), try topic.in(fields))
        #expect(ordered.ending == .status(0), "\(ordered.errorText)")
        func lines(_ ended: Ended) -> [String] { ended.outputText.split(separator: "\n").map(String.init) }
        expectSameLines(lines(ordered), lines(plain), "places")
        #expect(Set(lines(ordered).map { $0.split(separator: "\t")[..<2] }).count == 500)
    }

    @Test func theTimeMayBeTheMessages() throws {
        let topic = try Topic(partitions: 3)
        let start = Int(time(nil)) * 1000
        let lines = (0..<300).map { "\($0)\t\(start + 10 * $0)\n" }
        for partition in 0..<3 {
            try topic.fill(
                stride(from: partition, to: 300, by: 3).map { lines[$0] }.joined(),
                ["-p", "\(partition)", "--timestamp-field", "2"])
        }
        for source in [["--time-field", "message"], ["--time-field", "2", "--time-format", "ms"]] {
            let read = try topic.in(["--in-time-order", "--until-end"] + source)
            #expect(read.outputText == lines.joined() && read.errorText == "", "\(read.errorText)")
        }
    }

    @Test func linesWithoutATimeComeWithTheLineBeforeThem() throws {
        let topic = try Topic(partitions: 2)
        let far = "2199-01-01T00:00:00Z\tfar\n"
        try topic.fill(Self.line(1) + "no time\n" + far + Self.line(3), ["-p", "0", "--pack", "1K"])
        try topic.fill(Self.line(0) + Self.line(2), ["-p", "1"])
        let read = try topic.in(Self.order + ["--until-end"])
        #expect(read.outputText == Self.line(0) + Self.line(1) + "no time\n" + far + Self.line(2) + Self.line(3))
        #expect(
            read.errorText == """
                kcat-in: a line has no time in field 1: such lines move neither order nor watermark
                kcat-in: a time is further ahead of the clock than --max-ahead: it moves neither order nor watermark

                """)
    }

    @Test func lookAndLimitAreThoseOfOtherOrders() throws {
        let topic = try Topic(partitions: 2)
        try topic.fill([1, 3].map(Self.line).joined(), ["-p", "0", "--pack", "1K"])
        try topic.fill([2, 4].map(Self.line).joined(), ["-p", "1", "--pack", "1K"])
        let with = try topic.in(Self.order + ["--until-end", "--with", "partition,offset"])
        #expect(with.outputText == (1...4).map { "\(1 - $0 % 2)\t0.\(($0 - 1) / 2)\t\(Self.line($0))" }.joined())
        for count in 1...4 {
            let some = try topic.in(Self.order + ["-c", "\(count)"])
            #expect(some.outputText == (1...count).map(Self.line).joined())
        }
        let whole = try topic.in(Self.order + ["--until-end", "--embedded-lf", "escape"])
        #expect(whole.outputText.split(separator: "\n").count == 2)
    }

    @Test(arguments: [
        (["--in-time-order"], "--in-time-order needs --time-field: where the time of a line is"),
        (["--idle", "1s"], "--idle needs --in-time-order or --event-time"),
        (["--time-field", "0"], "--time-field: expected the number of a field, or message, not \"0\""),
        (
            ["--in-time-order", "--time-field", "message", "--time-format", "ms"],
            "--time-format is for times in a field, not for those of messages"
        ),
        (
            order + ["-g", "g", "--exactly-once"],
            "--in-time-order and barriers exclude each other: an epoch ends with whole messages of all partitions"
        ),
    ]) func whatDoesNotGoTogetherIsSaid(_ arguments: [String], _ words: String) throws {
        let ended = try Topic(missingOn: nil).in(arguments)
        #expect(ended.ending == .status(64))
        #expect(ended.errorText.hasPrefix("kcat-in: \(words)"), "\(ended.errorText)")
    }
}
