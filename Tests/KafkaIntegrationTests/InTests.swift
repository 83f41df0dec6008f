import Glibc
import TestSupport
import Testing

/// Where `kcat-in` begins, where it ends, and what it prints.
@Suite struct InTests {
    static func numbered(_ numbers: ClosedRange<Int>) -> String { numbers.map { "\($0)\n" }.joined() }

    @Test func itBeginsWhereItIsTold() throws {
        let topic = try Topic()
        let start = time(nil) * 1000  // a broker may throw away at once what is old
        let line = { (number: Int) in "\(number)\t\(start + number * 1000)" }
        try topic.fill((1...10).map { line($0) + "\n" }.joined(), ["--timestamp-field", "2"])
        for (offset, first) in [
            ("beginning", 1), ("stored", 1), ("0", 1), ("7", 8), ("-3", 8), ("-100", 1), ("@\(start + 5000)", 5),
            ("@\(start + 5001)", 6), ("@0", 1),
        ] {
            let lines = try topic.lines(["-o", offset])
            #expect(lines == (first...10).map(line), "\(offset)")
        }
        for offset in ["end", "10", "99999", "-0", "@\(start + 10_001)"] {
            #expect(try topic.lines(["-o", offset]) == [], "\(offset)")
        }
        for offset in ["", "x", "+1", "@", "@-1", "--1", "1.5"] {
            #expect(try topic.in(["-o", offset]).ending == .status(64), "\(offset)")
        }
    }

    @Test func itReadsThePartitionsThatAreNamed() throws {
        let topic = try Topic(partitions: 4)
        for partition in 0..<4 { try topic.fill("in \(partition)\n", ["-p", "\(partition)"]) }
        #expect(try topic.lines(["-p", "2"]) == ["in 2"])
        #expect(try topic.lines(["-p", "3,0"]).sorted() == ["in 0", "in 3"])
        let ended = try topic.in(["-p", "1,4", "--until-end"])
        #expect(ended.ending == .status(78))
        #expect(ended.errorText == "kcat-in: topic \"\(topic.name)\" has 4 partitions: there is no partition 4\n")
        #expect(try topic.in(["-p", "0", "-g", "g"]).ending == .status(64))
        #expect(try topic.in(["-p", "0,0"]).ending == .status(64))
    }

    @Test func theEndIsTheOneAtTheStart() throws {
        let topic = try Topic()
        try topic.fill(Self.numbered(1...1000))
        // Standard output takes nothing while more is written.
        let (reading, writing) = try makePipe()
        let back = try topic.startIn(["--until-end"], output: .descriptor(writing))
        close(writing)
        #expect(readLine(from: reading) == "1\n")
        try topic.fill(Self.numbered(1001...1010))
        var last: String?
        while let line = readLine(from: reading) { last = line }
        close(reading)
        #expect(last == "1000\n")
        #expect(try back.wait().ending == .status(0))
    }

    @Test func theEndIsFoundBehindTheMarksOfTransactions() throws {
        let topic = try Topic(partitions: 2)
        let produced = try run(
            ["\(Repository.root)/.venv-broker/bin/python", "-c", Self.transactions, topic.brokers, topic.name])
        try #require(produced.ending == .status(0), "\(produced.errorText)")
        #expect(try topic.lines() == ["kept 0", "kept 1", "kept 2"])
        #expect(try topic.lines(["-g", "marks"]) == ["kept 0", "kept 1", "kept 2"])
        #expect(try topic.lines(["-g", "marks"]) == [])
        #expect(try topic.lines(["-X", "isolation.level=read_uncommitted"]).count == 5)
    }

    private static let transactions = """
        import sys
        from confluent_kafka import Producer
        producer = Producer({'bootstrap.servers': sys.argv[1], 'transactional.id': sys.argv[2]})
        producer.init_transactions()
        for number, end in enumerate('ccacaa'[:5]):
            producer.begin_transaction()
            kept = sum(1 for earlier in 'ccacaa'[:number] if earlier == 'c')
            producer.produce(sys.argv[2], value=('kept %d' % kept) if end == 'c' else 'lost', partition=0)
            producer.flush(20)
            producer.commit_transaction() if end == 'c' else producer.abort_transaction()
        """

    @Test func itEndsAfterSoManyLines() throws {
        let topic = try Topic()
        try topic.fill(Self.numbered(1...100), ["--pack", "100"])
        for count in [1, 7, 99, 100] {
            let ended = try topic.in(["-c", "\(count)"])
            #expect(ended.ending == .status(0))
            #expect(ended.outputText == Self.numbered(1...count))
        }
        #expect(try topic.in(["-c", "0"]).ending == .status(64))
    }

    @Test func embeddedLineEndsAreSplitEscapedOrRefused() throws {
        let topic = try Topic()
        try topic.fill("back\\slash\nlines\n\n", ["--pack", "1K", "--header", "a=b"])
        try topic.fill("no \\n line end\n")
        #expect(try topic.lines() == ["back\\slash", "lines", "", "no \\n line end"])
        #expect(
            try topic.lines(["--with", "offset,headers"]) == [
                "0.0\ta=b\tback\\slash", "0.1\ta=b\tlines", "0.2\ta=b\t", "1\t\tno \\n line end",
            ])
        #expect(try topic.lines(["--embedded-lf", "escape"]) == ["back\\\\slash\\nlines\\n", "no \\\\n line end"])
        let ended = try topic.in(["--until-end", "--embedded-lf", "fail"])
        #expect(ended.ending == .status(65))
        #expect(ended.errorText == "kcat-in: partition 0, offset 0: the message holds a line end\n")
        #expect(try topic.lines(["-o", "1", "--embedded-lf", "fail"]) == ["no \\n line end"])
    }

    @Test func eachLineOfAPackHasAPlaceOfItsOwn() throws {
        let topic = try Topic()
        try topic.fill("a\n\nc\n", ["--pack", "1K"])
        try topic.fill("d\n")
        let fields = ["--with", "partition,offset,key"]
        #expect(try topic.lines(fields) == ["0\t0.0\t\\N\ta", "0\t0.1\t\\N\t", "0\t0.2\t\\N\tc", "0\t1\t\\N\td"])
        // And it can be taken off again.
        let piped = try topic.shell("kcat-in -t $T --until-end --with offset | kcat-out -t $T --with offset")
        #expect(piped.ending == .status(0), "\(piped.errorText)")
        #expect(try topic.lines().suffix(4) == ["a", "", "c", "d"])
    }

    @Test func aMessageWithoutAValueIsAnEmptyLine() throws {
        let topic = try Topic()
        let produced = try topic.shell("printf 'key:\\nother:value\\n' | kcat -b $KAFKA_BROKERS -P -t $T -K: -Z")
        try #require(produced.ending == .status(0), "\(produced.errorText)")
        #expect(try topic.lines(["--with", "key"]) == ["key\t", "other\tvalue"])
    }

    /// `a | b` for each of the filters as `b`.
    static let pipes = [
        ("cat $ROOT/README.md", "tokenize -w -l"),
        ("tokenize < $ROOT/README.md", "cms-topk -k 0"),
        ("tokenize < $ROOT/README.md | sed 's/$/\t3/'", "merge-counts"),
        ("tokenize -w < $ROOT/README.md | cms-topk -k 50", "to-json word count:int"),
        ("tokenize -w < $ROOT/README.md | cms-topk -k 50 | to-json word count:int", "es-bulk --index words --id word"),
        ("tokenize -w < $ROOT/README.md | cms-topk -k 50 | to-json word count:int", "from-json count word"),
    ]

    @Test(arguments: pipes, [[], ["--pack", "4K"]])
    func aPipeThroughATopicEqualsAPipe(_ pipe: (String, String), _ arguments: [String]) throws {
        let topic = try Topic(partitions: 1)
        let direct = try topic.shell("\(pipe.0) | \(pipe.1)")
        let cut = try topic.shell(
            """
            \(pipe.0) | kcat-out -t $T --eof \(arguments.joined(separator: " ")) && kcat-in -t $T --until-eof | \(pipe.1)
            """)
        #expect(direct.ending == .status(0) && cut.ending == .status(0), "\(direct.errorText)\(cut.errorText)")
        #expect(!direct.output.isEmpty)
        expectSame(cut.output, direct.output, "\(pipe)")
    }

    @Test func aStageOfThreeReplicasGivesTheSameAnswer() throws {
        let topic = try Topic(partitions: 4)
        let direct = try topic.shell("tokenize -w -l < $ROOT/README.md | cms-topk -k 0 | sort")
        let cut = try topic.shell(
            """
            tokenize -w -l < $ROOT/README.md | kcat-out -t $T -k 1 --eof
            replica() { kcat-in -t $T -g count --until-eof \(quick.joined(separator: " ")) | cms-topk -k 0; }
            { replica & replica & replica & wait; } | sort
            """)
        #expect(cut.ending == .status(0), "\(cut.errorText)")
        expectSame(cut.output, direct.output, "three replicas")
    }

    @Test func aReaderThatIsGoneIsNoticedWhileNothingComes() throws {
        let topic = try Topic()
        try topic.fill("one\n")
        let (reading, writing) = try makePipe()
        let back = try topic.startIn(output: .descriptor(writing))
        close(writing)
        #expect(readLine(from: reading) == "one\n")
        close(reading)
        #expect(try back.wait(deadline: 10).ending == .signal(SIGPIPE))
    }

    @Test func manyPartitionsCostNoMoreMemory() throws {
        let topic = try Topic(partitions: 200)
        let ended = try topic.shell(
            """
            seq 1 200000 | kcat-out -t $T -k 1
            kcat-in -t $T --until-end | sort -n | cmp - <(seq 1 200000) && kcat-in -t $T --until-end -g many | wc -l
            """)
        #expect(ended.ending == .status(0), "\(ended.errorText)")
        #expect(ended.outputText == "200000\n")
    }

    @Test func aStandardOutputThatCannotBeWrittenIsAFailure() throws {
        let topic = try Topic()
        try topic.fill("one\n")
        let full = try topic.shell("kcat-in -t $T --until-end -g full > /dev/full")
        #expect(full.ending == .status(74))
        #expect(full.errorText == "kcat-in: cannot write standard output: No space left on device\n")
        #expect(try topic.committed("full") == "0:-")
        let closed = try topic.in(["--until-end"], output: .closed)
        #expect(closed.ending == .status(74))
    }
}

/// `--until-eof`: the end of a pipe, through a topic.
@Suite struct EndOfStreamTests {
    @Test(arguments: [[], ["-g", "eof"]])
    func severalWritersEndWhenTheLastOneDoes(_ group: [String]) throws {
        let topic = try Topic(partitions: 3)
        let reading = try topic.startIn(["--until-eof=3"] + group)
        for writer in 1...3 {
            #expect(!isReadable(reading, seconds: 0.3))
            try topic.fill((1...50).map { "\(writer) \($0)\n" }.joined(), ["--eof", "-k", "1"])
        }
        let ended = try reading.wait()
        #expect(ended.ending == .status(0), "\(ended.errorText)")
        #expect(ended.outputText.split(separator: "\n").count == 150)
    }

    @Test func aWriterWhoseInputFailedFailsTheReader() throws {
        let topic = try Topic(partitions: 2)
        let out = try topic.out(["--eof", "-k", "2"], input: .text("a\tb\nmalformed\n"))
        #expect(out.ending == .status(65))
        for group in [[], ["-g", "one"], ["-g", "one"]] {
            let ended = try topic.in(["--until-eof"] + group)
            #expect(ended.ending == .status(74))
            #expect(ended.errorText == "kcat-in: the input of a writer of topic \"\(topic.name)\" had failed\n")
        }
        // The topic is a file as well.
        #expect(try topic.lines() == ["a\tb"])
    }

    @Test func aWriterThatIsStoppedHasFailed() throws {
        let topic = try Topic()
        let (out, feed) = try topic.startFedOut(["--eof"])
        try write(Array("one\ntwo\npart".utf8), to: feed)
        #expect(try eventually { try topic.lines().count == 2 })
        out.send(SIGTERM)
        #expect(try out.wait().ending == .signal(SIGTERM))
        close(feed)
        let ended = try topic.in(["--until-eof"])
        #expect(ended.ending == .status(74))
        #expect(ended.outputText == "one\ntwo\n")
    }

    @Test func membersOfAGroupEndTogetherAndEachLineComesOnce() throws {
        // The other broker takes no commits while members come: where the machine is slow to start them, lines are doubled.
        let cluster = try MockCluster()
        let listener = try Listener("rebalancing.py", cluster.brokers)
        let topic = try cluster.topic(partitions: 4, through: listener)
        let lines = (1...2000).map { "line \($0)" }
        // One more than there are partitions: it gets none at first.
        let members = try (1...5).map { _ in try topic.startIn(["-g", "team", "--until-eof"] + soon) }
        try topic.fill(lines.joined(separator: "\n"), ["-k", "1", "--eof"])
        var seen: [String] = []
        for member in members {
            let ended = try member.wait(deadline: 45)
            #expect(ended.ending == .status(0), "\(ended.errorText)")
            seen += ended.outputText.split(separator: "\n").map(String.init)
        }
        #expect(seen.count == lines.count && Set(seen) == Set(lines), "\(seen.count) lines")
    }

    @Test func aMemberThatComesLateEndsAsWell() throws {
        let topic = try Topic(partitions: 2)
        try topic.fill("a\nb\n", ["--eof"])
        #expect(try topic.in(["-g", "late", "--until-eof"]).outputText.split(separator: "\n").sorted() == ["a", "b"])
        let late = try topic.in(["-g", "late", "--until-eof"])
        #expect(late.ending == .status(0))
        #expect(late.output == [])
    }
}

/// Settings under which a group notices changes soon. The test broker waits for the dead for max.poll.interval.ms.
let quick = [
    "-X", "session.timeout.ms=6000", "-X", "heartbeat.interval.ms=300", "-X", "max.poll.interval.ms=7000",
]

/// The same for the mock cluster, which always waits for as long as the session lasts, less a second.
let soon = ["-X", "session.timeout.ms=3000", "-X", "heartbeat.interval.ms=100"]

/// Whether a program has ended.
private func isReadable(_ program: Program, seconds: Double) -> Bool {
    usleep(UInt32(seconds * 1e6))
    return !program.isRunning
}
