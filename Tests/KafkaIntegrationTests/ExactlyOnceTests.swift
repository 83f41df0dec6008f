import Glibc
import TestSupport
import Testing

/// `kcat-in --exactly-once | filter | kcat-out --exactly-once`: the answer of the local pipe, whoever is killed.
@Suite struct ExactlyOnceTests {
    // MARK: Undisturbed

    /// A command that makes lines, a filter for them, and whether it answers with every line or once an epoch.
    static let pipes = [
        ("cat $ROOT/README.md", ["tokenize", "-w", "-l"]),
        ("tokenize < $ROOT/README.md", ["cms-topk", "-k", "0"]),
        ("tokenize < $ROOT/README.md | sed 's/$/\t3/'", ["merge-counts"]),
        ("tokenize -w < $ROOT/README.md | cms-topk -k 50", ["to-json", "word", "count:int"]),
        (
            "tokenize -w < $ROOT/README.md | cms-topk -k 50 | to-json word count:int",
            ["es-bulk", "--index", "words", "--id", "word"]
        ),
        (
            "tokenize -w < $ROOT/README.md | cms-topk -k 50 | to-json word count:int",
            ["from-json", "count:int", "word"]
        ),
    ]

    /// One epoch: byte for byte what the filter makes of a file.
    @Test(arguments: pipes, [[], ["--pack", "4K"]])
    func oneEpochEqualsAPipe(_ pipe: (lines: String, filter: [String]), _ arguments: [String]) throws {
        let (from, to) = (try Topic(), try Topic())
        let filter = pipe.filter.joined(separator: " ")
        let direct = try from.shell("\(pipe.lines) | \(filter)")
        let cut = try from.shell(
            """
            \(pipe.lines) | kcat-out -t $T --eof --transactional-id filler-$T
            kcat-in -t $T -g g --until-eof --exactly-once --epoch 1h | \(filter) |
                kcat-out -t \(to.name) --exactly-once --transactional-id $T --eof \(arguments.joined(separator: " "))
            kcat-in -t \(to.name) --until-eof
            """)
        #expect(direct.ending == .status(0) && cut.ending == .status(0), "\(direct.errorText)\(cut.errorText)")
        #expect(!direct.output.isEmpty)
        expectSame(cut.output, direct.output, filter)
    }

    /// Many epochs, more than one of them under way, over two stages and four partitions.
    @Test(arguments: [[], ["--pack", "2K"]])
    func aChainOfStagesGivesTheSameCounts(_ arguments: [String]) throws {
        let (lines, tokens, partials) = (
            try Topic(partitions: 4), try Topic(partitions: 4), try Topic(partitions: 3)
        )
        let direct = try lines.shell("tokenize -w -l < $ROOT/README.md | cms-topk -k 0 | sort")
        let split = try Stage(
            Stage.Plan(
                from: lines, to: tokens, filter: [Repository.tool("tokenize"), "-w", "-l"], reader: ["--until-eof"],
                writer: ["-k", "1", "--eof"] + arguments))
        let counting = Stage.Plan(
            from: tokens, to: partials, filter: [Repository.tool("cms-topk"), "-k", "0"],
            reader: ["--until-eof", "--epoch", "1ms"], writer: ["-k", "1", "--eof"] + arguments)
        let count = try Stage(counting)
        let begun = try lines.shell("head -n 30 $ROOT/README.md | kcat-out -t $T")
        #expect(begun.ending == .status(0), "\(begun.errorText)")
        // The rest comes when an epoch is through, however slow the beginning was.
        try #require(try tokens.growsBeyond(0))
        let filled = try lines.shell(
            """
            tail -n +31 $ROOT/README.md |
                while IFS= read -r line; do printf '%s\\n' "$line"; ((++n % 30)) || sleep 0.05; done |
                kcat-out -t $T --eof
            """
        )
        #expect(filled.ending == .status(0), "\(filled.errorText)")
        let (splitting, counted) = (try split.wait(), try count.wait())
        #expect(splitting.isGood && counted.isGood, "\(splitting)\(counted)")
        #expect(splitting.reader.fact("epochs") ?? 0 > 1)
        #expect(counted.reader.fact("committed") == counted.reader.fact("read"))
        let ended = try partials.shell("kcat-in -t $T --until-eof | merge-counts | sort")
        expectSame(ended.output, direct.output, "two stages")
    }

    /// kcat-in does not wait for an epoch before it begins the next.
    @Test func severalEpochsAreUnderWayAtOnce() throws {
        let (from, to) = (try Topic(), try Topic())
        let (output, readerOutput) = try makePipe()
        let reader = try from.startIn(
            ["--exactly-once", "-g", from.name, "--epoch", "1ms", "--summary"], output: .descriptor(readerOutput))
        close(readerOutput)
        var held: [UInt8] = []
        /// A commit is that of an epoch with lines.
        func hold(until kind: String) -> Bool {
            var hasLines = false
            while let line = readLine(from: output, seconds: 20) {
                held += line.utf8
                if line.contains("\t\(kind)\t"), hasLines || kind != "commit" { return true }
                hasLines = !line.hasPrefix("\u{1E}barrier\t")
            }
            return false
        }
        for line in ["one", "two", "three"] {
            try from.fill("\(line)\n")
            #expect(hold(until: "commit"))
        }
        #expect(try from.committed(from.name) == "0:-")
        reader.send(SIGTERM)
        let (writer, feed) = try to.startFedOut(["--exactly-once", "--transactional-id", from.name])
        try write(held, to: feed)
        held = []
        // Its stream is not at its end before all of it is committed.
        #expect(hold(until: "close"))
        #expect(try from.committed(from.name) == "0:3")
        try write(held, to: feed)
        close(feed)
        let written = try writer.wait()
        #expect(written.ending == .status(0), "\(written.errorText)")
        let ended = try reader.wait()
        close(output)
        #expect(ended.ending == .status(0), "\(ended.errorText)")
        #expect(ended.fact("epochs") == 3)
        #expect(try to.lines() == ["one", "two", "three"])
    }

    @Test func aTopicThatIsDoneIsAnEmptyStream() throws {
        let (from, to) = (try Topic(partitions: 2), try Topic())
        try from.fill("a\nb\nc\n", ["--eof"])
        let plan = Stage.Plan(from: from, to: to, reader: ["--until-eof"])
        #expect(try Stage(plan).wait().isGood)
        let again = try Stage(plan).wait()
        #expect(again.isGood, "\(again)")
        #expect(again.reader.fact("read") == 0)
        #expect(try to.lines().sorted() == ["a", "b", "c"])
    }

    // MARK: Killed

    /// A part is killed again and again while data flow; a supervisor starts the stage again.
    @Test(arguments: Stage.Part.allCases)
    func whoeverIsKilledNothingIsLostOrDoubled(_ part: Stage.Part) throws {
        let (from, to) = (try Topic(partitions: 2), try Topic(partitions: 2))
        let feed = try Feed(from)
        let plan = Stage.Plan(
            from: from, to: to, filter: [Repository.tool("tokenize")], reader: ["--until-eof"], writer: ["-k", "1"])
        var generator = SeededGenerator(seed: UInt64(part.rawValue))
        for turn in 1...3 {
            let stage = try Stage(plan)
            let before = try to.lineCount()
            try feed.write(500)
            #expect(try to.growsBeyond(before), "turn \(turn)")
            // From here on it may be hit anywhere between two commits.
            for _ in 0..<Int.random(in: 1...5, using: &generator) {
                try feed.write(200)
                usleep(UInt32.random(in: 0...30_000, using: &generator))
            }
            stage.send(SIGKILL, part)
            let outcome = try stage.wait(deadline: 20)
            // The dead end the others: a broken pipe those in front, a missing end those behind.
            switch part {
            case .reader:
                #expect(outcome.filter.ending == .status(0))
                #expect(outcome.writer.ending == .status(75), "\(outcome)")
            case .filter:
                #expect(outcome.reader.ending == .signal(SIGPIPE), "\(outcome)")
                #expect(outcome.writer.ending == .status(75), "\(outcome)")
            case .writer:
                #expect(Self.isEndOfReader(outcome.reader), "\(outcome)")
            }
            if part != .writer {
                let message = outcome.writer.errorText.split(separator: "\n").last ?? ""
                #expect(message == "kcat-out: \(Self.cutOff)", "\(message)")
            }
        }
        try feed.write(100)
        try feed.end()
        try Stage.supervise(plan)
        expectSameLines(try to.lines(), feed.lines, "\(part) killed")
    }

    /// Those in front die when they next write, be it a barrier; kcat-in may have missed its commit before.
    private static func isEndOfReader(_ ended: Ended) -> Bool {
        [.signal(SIGPIPE), .status(75)].contains(ended.ending)
    }

    fileprivate static let cutOff =
        "the input was cut off: a stage before kcat-out has failed; nothing is committed of it"

    @Test func aStageThatDiesWhileItsReaderWaitsForTheLastCommitIsNoticed() throws {
        let (from, to) = (try Topic(), try Topic())
        try from.fill("a\nb\n")
        // It holds back the barrier that the reader waits for.
        let holding = ["/bin/bash", "-c", "IFS= read -r line; printf '%s\\n' \"$line\"; exec sleep 1000"]
        let stage = try Stage(Stage.Plan(from: from, to: to, filter: holding, reader: ["--until-end"]))
        usleep(1_500_000)
        stage.send(SIGTERM, .reader)
        usleep(500_000)
        let started = monotonicSeconds()
        stage.send(SIGKILL, .filter)
        stage.send(SIGKILL, .writer)
        let outcome = try stage.wait(deadline: 30)
        #expect(outcome.reader.ending == .signal(SIGPIPE), "\(outcome)")
        #expect(monotonicSeconds() - started < 5)
        #expect(try from.committed(from.name) == "0:-")
    }

    /// Barriers come all the time, and an idle filter dies when it passes one on.
    @Test(arguments: [true, false])
    func aWriterThatDiesBehindAnIdleFilterIsNoticed(_ hasMore: Bool) throws {
        let (from, to) = (try Topic(), try Topic())
        let stage = try Stage(Stage.Plan(from: from, to: to, reader: ["-X", "max.poll.interval.ms=60000"]))
        try from.fill("a\n")
        #expect(try to.growsBeyond(0))
        stage.send(SIGSTOP, .writer)
        let before = stage.unread(by: .writer)
        if hasMore { try from.fill("b\n") }
        #expect(eventually { stage.unread(by: .writer) > before })
        let started = monotonicSeconds()
        stage.send(SIGKILL, .writer)
        let outcome = try stage.wait(deadline: 30)
        #expect(outcome.reader.ending == .signal(SIGPIPE), "\(outcome)")
        #expect(monotonicSeconds() - started < 5)
        #expect(try from.committed(from.name) == "0:1")
    }

    @Test func aWriterThatIsAskedToEndBeforeAnythingHasComeDiesOfThat() throws {
        let (writer, feed) = try Topic().startFedOut(["--exactly-once", "--transactional-id", "x"])
        usleep(300_000)
        writer.send(SIGTERM)
        #expect(try writer.wait(deadline: 20).ending == .signal(SIGTERM))
        close(feed)
    }

    @Test func aSecondWriterWithTheSameIdPutsTheFirstOut() throws {
        let (from, to) = (try Topic(), try Topic())
        let feed = try Feed(from)
        let plan = Stage.Plan(from: from, to: to, reader: ["--until-eof"])
        let stage = try Stage(plan)
        try feed.write(100)
        #expect(try to.growsBeyond(0))
        #expect(try to.out(["--transactional-id", plan.transactionalID], input: .nothing).ending == .status(0))
        try feed.write(100)
        let outcome = try stage.wait(deadline: 30)
        #expect(outcome.writer.ending == .status(75), "\(outcome)")
        #expect(outcome.writer.errorText.contains("kcat-out: "), "\(outcome)")
        #expect(outcome.writer.errorText.contains("fenced"), "\(outcome)")
        #expect(Self.isEndOfReader(outcome.reader), "\(outcome)")
        try feed.end()
        try Stage.supervise(plan)
        expectSameLines(try to.lines(), feed.lines, "fenced")
    }

    // MARK: Members come and go

    @Test func membersJoinAndLeaveWhileDataFlow() throws {
        let (from, to) = (try Topic(partitions: 4), try Topic(partitions: 2))
        let feed = try Feed(from)
        func plan(_ id: String) -> Stage.Plan {
            Stage.Plan(
                from: from, to: to, id: id, isStatic: false, filter: [Repository.tool("tokenize")],
                reader: ["--until-eof"], writer: ["-k", "1", "--header", "replica=\(id)"])
        }
        /// Writes until lines of the replica have come out.
        func flows(_ id: String) throws -> Bool {
            try eventually(seconds: 40) {
                try feed.write(50)
                return try to.lines(["--with", "headers"]).contains { $0.hasPrefix("replica=\(id)\t") }
            }
        }
        let first = try Stage(plan("a"))
        #expect(try flows("a"))
        let second = try Stage(plan("b"))
        #expect(try flows("b"))
        first.send(SIGTERM, .reader)
        for _ in 1...10 {
            try feed.write(50)
            usleep(20_000)
        }
        let left = try first.wait(deadline: 40)
        #expect(left.isGood, "\(left)")
        #expect(left.reader.fact("committed") == left.reader.fact("read"))
        let third = try Stage(plan("c"))
        #expect(try flows("c"))
        try feed.end()
        for stage in [second, third] {
            let outcome = try stage.wait()
            #expect(outcome.isGood, "\(outcome)")
        }
        expectSameLines(try to.lines(), feed.lines, "members came and went")
    }

    /// Its partitions have been another's for long when it goes on with lines that were not committed.
    @Test func aStageThatWasStoppedIsPutOut() throws {
        let (from, to) = (try Topic(partitions: 2), try Topic(partitions: 2))
        let feed = try Feed(from)
        let plan = { Stage.Plan(from: from, to: to, id: $0, isStatic: false, reader: ["--until-eof"]) }
        let stopped = try Stage(plan("stopped"))
        try feed.write(100)
        #expect(try to.growsBeyond(99))
        stopped.send(SIGSTOP, .writer)
        try feed.write(100)
        // Half of them at least get into the pipe, and their barrier.
        #expect(eventually { stopped.unread(by: .writer) > 100 })
        stopped.sendAll(SIGSTOP)
        let other = try Stage(plan("other"))
        #expect(try to.growsBeyond(199, seconds: 40))
        stopped.sendAll(SIGCONT)
        let outcome = try stopped.wait(deadline: 30)
        #expect(outcome.writer.ending == .status(75), "\(outcome)")
        #expect(outcome.writer.errorText.split(separator: "\n").last?.hasPrefix("kcat-out: ") == true, "\(outcome)")
        #expect(Self.isEndOfReader(outcome.reader), "\(outcome)")
        try feed.write(100)
        try feed.end()
        let last = try other.wait()
        #expect(last.isGood, "\(last)")
        expectSameLines(try to.lines(), feed.lines, "stopped and continued")
    }

    // MARK: Filters that do not take part

    @Test func aFilterThatKeepsBarriersBackIsNamed() throws {
        let (from, to) = (try Topic(), try Topic())
        try from.fill("a\nb\n")
        let outcome = try Stage(
            Stage.Plan(
                from: from, to: to, filter: ["/bin/grep", "--line-buffered", "-v", "commit"], reader: ["--until-end"])
        ).wait(deadline: 30)
        #expect(outcome.reader.ending == .status(75), "\(outcome)")
        let message = outcome.reader.errorText.split(separator: "\n").last ?? ""
        #expect(
            message
                == "kcat-in: epoch 1 was not committed in time: does every program between kcat-in and kcat-out "
                + "--exactly-once pass barriers on, and do the brokers answer?"
        )
        #expect(outcome.writer.ending == .status(75), "\(outcome)")
        #expect(try to.lines() == [])
    }

    @Test(
        arguments: [
            ("s/^/x/", "line 1: not a barrier: --exactly-once is for what kcat-in --exactly-once writes"),
            ("p", "barrier 0 came after 0: a stage has lost or doubled lines"),
            ("s/\\t1\\tcommit/\\t2\\tcommit/", "barrier 2 came after 0: a stage has lost or doubled lines"),
        ])
    func aFilterThatSpoilsBarriersIsNamed(_ script: String, _ reason: String) throws {
        let (from, to) = (try Topic(), try Topic())
        try from.fill("a\nb\n")
        let plan = Stage.Plan(from: from, to: to, filter: ["/bin/sed", "-u", script], reader: ["--until-end"])
        let outcome = try Stage(plan).wait(deadline: 30)
        #expect(outcome.writer.ending == .status(65), "\(outcome)")
        #expect(outcome.writer.errorText.split(separator: "\n").last == "kcat-out: \(reason)", "\(outcome)")
        #expect(outcome.reader.ending != .status(0), "\(outcome)")
        #expect(try to.lines() == [])
    }

    // MARK: The end

    @Test func aWriterThatEndsTwiceCountsOnce() throws {
        let (from, to) = (try Topic(), try Topic(partitions: 2))
        try from.fill("a\nb\n", ["--eof"])
        let plan = Stage.Plan(from: from, to: to, reader: ["--until-eof"], writer: ["--eof"])
        // As if it had been killed behind its end-of-stream records.
        for _ in 1...2 { #expect(try Stage(plan).wait().isGood) }
        let reading = try to.startIn(["--until-eof=2"])
        let grouped = try to.startIn(["--until-eof=2", "-g", "\(to.name)-readers"])
        usleep(1_000_000)
        #expect(reading.isRunning && grouped.isRunning)
        try to.fill("c\n", ["--eof", "--transactional-id", "\(to.name)-other"])
        for program in [reading, grouped] {
            let ended = try program.wait(deadline: 20)
            #expect(ended.ending == .status(0), "\(ended.errorText)")
            #expect(ended.outputText.split(separator: "\n").sorted() == ["a", "b", "c"])
        }
    }

    @Test func linesThatComeToNothingAreNotRead() throws {
        let ended = try Topic().in(["-g", "g", "--exactly-once", "-X", "isolation.level=read_uncommitted"])
        #expect(ended.ending == .status(78))
        #expect(ended.errorText.hasPrefix("kcat-in: isolation.level must stay read_committed: "), "\(ended.errorText)")
    }

    /// An epoch of any length that a number can say.
    @Test func anEpochWithoutEndIsNoFault() throws {
        let open = HostileDataTests.barrier("open", 0, "9000000000000000000")
        let ended = try Topic().out(["--exactly-once", "--transactional-id", "endless"], input: .text(open + "\n"))
        #expect(ended.ending == .status(75), "\(ended.errorText)")
    }
}
