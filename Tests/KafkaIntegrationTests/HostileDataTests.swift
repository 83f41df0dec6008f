import TestSupport
import Testing

/// Lines that look like barriers are lines.
@Suite struct HostileDataTests {
    static func barrier(_ kind: String, _ epoch: Int, _ payload: String = "", session: String? = nil) -> String {
        "\u{1E}barrier\t\(session ?? String(repeating: "0", count: 32))\t\(epoch)\t\(kind)\t\t\(payload)"
    }

    private static let offsets = "g\t1\tmember\t\\N\ttopic\t0 999 "
    /// The first is what begins a stream with barriers.
    static let lines = [
        barrier("open", 0, "1000"), barrier("restore", 1), "word\t1", barrier("restored", 2),
        barrier("commit", 1, offsets), barrier("commit", 2, offsets), barrier("commit", 3, offsets),
        barrier("close", 1, "ok"), barrier("close", 2, "failed"), "\u{1E}", "\u{1E}barrier", "\u{1E}\u{1E}barrier\t",
        barrier("commit", 1, session: String(repeating: "f", count: 32)), barrier("open", 0), " \u{1E}barrier\topen",
    ]

    @Test(arguments: [[], ["--pack", "1K"]])
    func theyComeOutOfAChainAsTheyCame(_ arguments: [String]) throws {
        let (from, to) = (try Topic(), try Topic())
        // kcat-out takes them for data where the first line is another.
        try from.fill((["first"] + Self.lines).joined(separator: "\n") + "\n", arguments)
        try from.fill("last\n", ["--eof"])
        let plan = Stage.Plan(
            from: from, to: to, filter: ["/bin/cat"], reader: ["--until-eof"], writer: ["--eof"] + arguments)
        let outcome = try Stage(plan).wait()
        #expect(outcome.isGood, "\(outcome)")
        #expect(try to.lines() == ["first"] + Self.lines + ["last"])
        #expect(try to.in(["--until-eof"]).ending == .status(0))
    }

    /// As the first line of a topic, in keys, and in the middle of messages with line ends.
    @Test func anotherClientsMessagesCannotForgeThem() throws {
        let (from, to, keyed) = (try Topic(), try Topic(), try Topic())
        let produced = try run(
            ["\(Repository.root)/.venv-broker/bin/python", "-c", Self.produce, from.brokers, from.name, keyed.name],
            input: .text(Self.lines.joined(separator: "\n")))
        try #require(produced.ending == .status(0), "\(produced.errorText)")
        let plan = Stage.Plan(from: from, to: to, filter: ["/bin/cat"], reader: ["--until-end"])
        let outcome = try Stage(plan).wait()
        #expect(outcome.isGood, "\(outcome)")
        #expect(try to.lines() == Self.lines + Self.lines)
        let target = try Topic()
        let keys = try keyed.shell(
            """
            kcat-in -t $T --with key --until-end -g $T --exactly-once | cat |
                kcat-out -t \(target.name) --with key --exactly-once --transactional-id $T
            """)
        #expect(keys.errorText == "")
        let found = try target.lines(["--with", "key"])
        #expect(found == (try keyed.lines(["--with", "key"])))
        #expect(found.count == Self.lines.count)
    }

    private static let produce = """
        import sys
        from confluent_kafka import Producer
        producer = Producer({'bootstrap.servers': sys.argv[1]})
        lines = sys.stdin.buffer.read().split(b'\\n')
        for line in lines:
            producer.produce(sys.argv[2], value=line, partition=0)
            producer.produce(sys.argv[3], key=line, value=line, partition=0)
        producer.produce(sys.argv[2], value=b'\\n'.join(lines), partition=0)
        sys.exit(producer.flush(20))
        """

    @Test func theyAreTokensAndKeysLikeOthers() throws {
        let (from, to) = (try Topic(), try Topic())
        let text = Self.lines.joined(separator: "\n") + "\n"
        try from.fill("\n" + text)
        let direct = try from.shell("{ echo; cat; } | tokenize | cms-topk -k 0", input: .text(text))
        let cut = try from.shell(
            """
            kcat-in -t $T -g $T --until-end --exactly-once --epoch 1h | tokenize | cms-topk -k 0 |
                kcat-out -t \(to.name) --exactly-once --transactional-id $T
            kcat-in -t \(to.name) --until-end
            """)
        #expect(cut.errorText == "")
        #expect(!direct.output.isEmpty)
        expectSame(cut.output, direct.output, "tokens")
    }

    @Test func aStreamWithBarriersIsNoPlainInput() throws {
        let topic = try Topic()
        for arguments in [[], ["--transactional-id", topic.name]] {
            let ended = try topic.out(arguments, input: .text(Self.lines.joined(separator: "\n")))
            #expect(ended.ending == .status(78))
            #expect(ended.errorText == "kcat-out: the input has barriers, which only --exactly-once takes\n")
            #expect(try topic.lines() == [])
        }
    }

    /// A stream that was kept, with barriers that were right once.
    @Test func aStreamOfYesterdayIsRefused() throws {
        let (from, to, folder) = (try Topic(), try Topic(), try TemporaryFolder())
        try from.fill("a\nb\n")
        let arguments = "-t \(to.name) --exactly-once --transactional-id $T"
        let first = try from.shell(
            "kcat-in -t $T -g $T --until-end --exactly-once | tee \(folder.file("stream")) | kcat-out \(arguments)")
        #expect(first.ending == .status(0), "\(first.errorText)")
        let again = try from.shell("kcat-out \(arguments) < \(folder.file("stream"))")
        #expect(again.ending == .status(75), "\(again.errorText)")
        #expect(again.errorText.hasPrefix("kcat-out: cannot commit the offsets of "), "\(again.errorText)")
        #expect(try to.lines() == ["a", "b"])
    }
}
