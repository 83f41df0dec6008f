import Glibc
import TestSupport
import Testing

/// What `kcat-out` makes of lines, as `kcat-in` and other clients see it.
@Suite struct OutTests {
    @Test func partitionsAreThoseOfOtherClients() throws {
        let topic = try Topic(partitions: 7)
        let keys = (0..<300).map { "key-\($0 * 7919)" } + ["", "a", "ä", "日本", String(repeating: "long", count: 50)]
        try topic.fill(keys.map { "\($0)\tvalue" }.joined(separator: "\n"), ["-k", "1"])
        let ours = try topic.lines(["--with", "partition,key"]).map {
            $0.split(separator: "\t").prefix(2).joined(separator: "\t")
        }
        let other = try Topic(partitions: 7)
        let produced = try run(
            ["\(Repository.root)/.venv-broker/bin/python", "-c", Self.produce, other.brokers, other.name] + keys)
        try #require(produced.ending == .status(0), "\(produced.errorText)")
        let theirs = try other.lines(["--with", "partition,key"]).map {
            $0.split(separator: "\t").prefix(2).joined(separator: "\t")
        }
        #expect(ours.sorted() == theirs.sorted())
        #expect(ours.count == keys.count)
    }

    private static let produce = """
        import sys
        from confluent_kafka import Producer
        producer = Producer({'bootstrap.servers': sys.argv[1], 'partitioner': 'murmur2'})
        for key in sys.argv[3:]:
            producer.produce(sys.argv[2], key=key.encode(), value=b'value')
        sys.exit(producer.flush(20))
        """

    @Test func packsGoToThePartitionOfTheirKeys() throws {
        let (plain, packed) = (try Topic(partitions: 5), try Topic(partitions: 5))
        let lines = (0..<500).map { "k\($0 % 40)\t\($0)" }.joined(separator: "\n")
        try plain.fill(lines, ["-k", "1"])
        try packed.fill(lines, ["-k", "1", "--pack", "200"])
        #expect(try plain.lines(["--with", "partition"]).sorted() == packed.lines(["--with", "partition"]).sorted())
    }

    @Test func keysAreFieldsOfTheLine() throws {
        let topic = try Topic()
        try topic.fill("a\tb\tc\td\n", ["-k", "1"])
        try topic.fill("a\tb\tc\td\n", ["-k", "2-3"])
        try topic.fill("a\tb\tc\td\n", ["-k", "4,1"])
        try topic.fill("a\tb\tc\td\n", ["-k", "3-"])
        try topic.fill("a\tb\tc\td\n")
        #expect(
            try topic.lines(["--with", "key"]) == [
                "a\ta\tb\tc\td", "b\\tc\ta\tb\tc\td", "a\\td\ta\tb\tc\td", "c\\td\ta\tb\tc\td", "\\N\ta\tb\tc\td",
            ])
    }

    @Test func aLineWithoutTheKeyIsMalformed() throws {
        let topic = try Topic()
        let ended = try topic.out(["-k", "2", "--summary"], input: .text("a\tb\nonly\nc\td\n"))
        #expect(ended.ending == .status(65))
        #expect(ended.errorText.hasSuffix("kcat-out: line 2: there is no field 2\n"))
        // What stands before it was delivered.
        #expect(try topic.lines() == ["a\tb"])
    }

    @Test func aLineWithoutTheKeyIsPutAside() throws {
        let topic = try Topic()
        let folder = try TemporaryFolder()
        let rejects = folder.file("rejects")
        let ended = try topic.out(["-k", "2", "--reject", rejects, "--summary"], input: .text("a\tb\nonly\nc\td\n"))
        #expect(ended.ending == .status(0))
        #expect(
            ended.errorText
                == #"{"tool":"kcat-out","read":3,"delivered":2,"rejected":1,"failed":0,"first_failed_line":null}"#
                + "\n")
        #expect(try contents(of: rejects) == Array("line 2: there is no field 2\tonly\n".utf8))
        #expect(try topic.lines() == ["a\tb", "c\td"])
    }

    @Test func aPartitionCanBeNamed() throws {
        let topic = try Topic(partitions: 3)
        try topic.fill("x\ny\n", ["-p", "2"])
        try topic.fill("z\nw\n", ["-p", "0", "--pack", "1K"])
        #expect(try topic.lines(["--with", "partition"]).sorted() == ["0\tw", "0\tz", "2\tx", "2\ty"])
        let ended = try topic.out(["-p", "3"], input: .text("x\n"))
        #expect(ended.ending == .status(78))
        #expect(ended.errorText == "kcat-out: topic \"\(topic.name)\" has 3 partitions: there is no partition 3\n")
    }

    @Test func timestampsAreFieldsOfTheLine() throws {
        let topic = try Topic()
        let now = time(nil) * 1000  // a broker may throw away at once what is old
        try topic.fill("x\t\(now + 123)\ny\t\(now)\n", ["--timestamp-field", "2"])
        #expect(
            try topic.lines(["--with", "timestamp"]) == ["\(now + 123)\tx\t\(now + 123)", "\(now)\ty\t\(now)"])
        for line in ["x\tsoon", "x\t0", "x\t-5", "x"] {
            let ended = try topic.out(["--timestamp-field", "2"], input: .text(line))
            #expect(ended.ending == .status(65))
        }
    }

    @Test func headersGoWithEachMessage() throws {
        let topic = try Topic()
        try topic.fill("x\n", ["--header", "source=web=1", "--header", "empty="])
        try topic.fill("a\nb\n", ["--header", "packed=yes", "--pack", "1K"])
        #expect(
            try topic.lines(["--with", "headers"]) == [
                "source=web\\=1,empty=\tx", "packed=yes\ta", "packed=yes\tb",
            ])
        #expect(try topic.out(["--header", "end-of-stream=ok"], input: .text("\n")).ending == .status(64))
        #expect(try topic.out(["--header", "nameless"], input: .text("\n")).ending == .status(64))
    }

    @Test func whatAMessageHasSurvivesAPipe() throws {
        let (first, second) = (try Topic(partitions: 3), try Topic(partitions: 3))
        let produced = try run(
            ["\(Repository.root)/.venv-broker/bin/python", "-c", Self.produceAll, first.brokers, first.name])
        try #require(produced.ending == .status(0), "\(produced.errorText)")
        let fields = "key,partition,timestamp,headers"
        let piped = try first.shell(
            """
            kcat-in -t $T --until-end --embedded-lf fail --with \(fields) | kcat-out -t \(second.name) --with \(fields)
            """)
        #expect(piped.ending == .status(0), "\(piped.errorText)")
        let (before, after) = (try first.lines(["--with", fields]), try second.lines(["--with", fields]))
        #expect(before.sorted() == after.sorted())
        #expect(before.count == 40)
        // As another client sees them.
        let dump = "kcat -C -q -e -t $T -f '%p|%k|%K|%T|%h|%s\\n' | sort"
        #expect(
            try first.shell("kcat() { command kcat -b $KAFKA_BROKERS \"$@\"; }; \(dump)").output
                == second.shell("kcat() { command kcat -b $KAFKA_BROKERS \"$@\"; }; \(dump)").output)
    }

    private static let produceAll = """
        import sys, time
        from confluent_kafka import Producer
        producer = Producer({'bootstrap.servers': sys.argv[1]})
        keys = [None, b'', b'plain', b'tab\\tlf\\ncr\\rback\\\\slash', b'\\\\N', bytes(range(256))]
        headers = [None, [('a', b'1')], [('a', b'1'), ('a', b'2,3=4\\\\'), ('none', None), ('empty', b'')],
                   [('n,=', bytes(range(256)))]]
        for number in range(40):
            producer.produce(
                sys.argv[2], key=keys[number % 6], value=b'value %d' % number, partition=number % 3,
                timestamp=int(time.time()) * 1000 + number, headers=headers[number % 4])
        sys.exit(producer.flush(20))
        """

    @Test func whatCannotBeReadBackIsMalformed() throws {
        let topic = try Topic(partitions: 2)
        for (fields, line, reason) in [
            ("key", "no tab", "there is no field 2"), ("key", "\\x\tv", "key has an unknown escape: \"\\\\x\""),
            ("partition", "2\tv", "not a partition of the topic: \"2\""),
            ("timestamp", "then\tv", "timestamp is not in milliseconds from 1: \"then\""),
            ("headers", "a\tv", "headers are not name=value,…: \"a\""),
        ] {
            let ended = try topic.out(["--with", fields], input: .text(line + "\n"))
            #expect(ended.ending == .status(65))
            #expect(ended.errorText == "kcat-out: line 1: \(reason)\n")
        }
        #expect(try topic.lines() == [])
    }

    @Test func optionsThatExcludeEachOtherAreErrorsOfUsage() throws {
        let topic = try Topic(missingOn: nil)
        for arguments in [
            ["--pack", "1K", "--timestamp-field", "1"], ["--pack", "1K", "--with", "headers"],
            ["-p", "1", "--with", "partition"], ["-k", "1", "--with", "key"], ["-z", ""],
        ] {
            let ended = try topic.out(arguments, input: .nothing)
            #expect(ended.ending == .status(64) || arguments[0] == "-z" && ended.ending == .status(78), "\(arguments)")
            #expect(ended.errorText.split(separator: "\n").count == 1)
        }
    }

    @Test func createMakesAMissingTopicAndLeavesOneThatIsThere() throws {
        let topic = try Topic(missingOn: nil)
        try topic.fill("a\n", ["--create", "5"])
        try topic.fill("b\n", ["--create", "3"])
        let list = try topic.shell("kcat -b $KAFKA_BROKERS -L -t $T")
        #expect(list.outputText.contains("with 5 partitions"))
        #expect(try topic.lines().sorted() == ["a", "b"])
    }

    @Test func noBrokerMakesATopicUnasked() throws {
        let topic = try Topic(missingOn: nil)
        for _ in 0..<2 {
            let out = try topic.out(["--patience", "1s"], input: .text("x\n"))
            #expect(out.ending == .status(69))
            #expect(out.errorText == "kcat-out: there is no topic \"\(topic.name)\"\n")
            let back = try topic.in(["--patience", "1s"])
            #expect(back.ending == .status(69))
            #expect(back.errorText == "kcat-in: there is no topic \"\(topic.name)\"\n")
        }
    }

    @Test func packsDoNotWaitForInputThatDoesNotCome() throws {
        let topic = try Topic()
        let (out, feed) = try topic.startFedOut(["--pack", "64K"])
        let (reading, writing) = try makePipe()
        let back = try topic.startIn(output: .descriptor(writing))
        close(writing)
        for line in ["one\n", "two\n"] {
            try write(Array(line.utf8), to: feed)
            #expect(readLine(from: reading) == line)
        }
        close(feed)
        #expect(try out.wait().ending == .status(0))
        close(reading)
        #expect(try back.wait().ending == .signal(SIGPIPE))
    }

    @Test func memoryIsBounded() throws {
        // A broker that takes nothing: what has been read waits in a queue that has a limit.
        let cluster = try MockCluster()
        let topic = try cluster.topic()
        try cluster.order("error \(Wire.produce) \(Wire.notEnoughReplicas) 100000")
        let out = try Program(
            ["/bin/bash", "-c", "yes 'a line of no great length' | kcat-out -t $T"], environment: topic.environment)
        let memory = try topic.shell(
            """
            sleep 4; for p in $(pgrep -g \(out.process) kcat-out); do grep VmHWM /proc/$p/status; done | tr -dc 0-9
            """)
        #expect((Int(memory.outputText) ?? .max) < 300_000, "kilobytes: \(memory.outputText)")
        kill(-out.process, SIGKILL)
        _ = try out.wait()
    }
}
