import Glibc
import TestSupport
import Testing

/// What is set wrong is said on one line, with the right exit status, and no secret is shown.
@Suite struct SettingsTests {
    /// What both bridges make of a command line.
    static func both(_ topic: Topic, _ arguments: [String]) throws -> [(name: String, ended: Ended)] {
        [
            ("kcat-out", try topic.out(arguments, input: .text("x\n"), deadline: 40)),
            ("kcat-in", try topic.in(["--until-end"] + arguments, deadline: 40)),
        ]
    }

    @Test func aPropertyThatDoesNotExistIsNamed() throws {
        let topic = try Topic()
        for (name, ended) in try Self.both(topic, ["-X", "no.such.property=1"]) {
            #expect(ended.ending == .status(78))
            #expect(ended.errorText == "\(name): -X: librdkafka has no property \"no.such.property\"\n")
        }
        for (name, ended) in try Self.both(topic, ["-X", "socket.timeout.ms=soon"]) {
            #expect(ended.ending == .status(78))
            #expect(ended.errorText == "\(name): -X: librdkafka refuses the value of \"socket.timeout.ms\"\n")
        }
    }

    @Test func propertiesComeFromAFile() throws {
        let topic = try Topic()
        try topic.fill("hello\n")
        let folder = try TemporaryFolder()
        let file = folder.file("properties")
        try write("# a comment\n\n bootstrap.servers = \(topic.brokers)\r\nclient.id=me".utf8, to: file)
        let environment = topic.environment.filter { $0.key != "KAFKA_BROKERS" }
        let words = [Repository.tool("kcat-in"), "-t", topic.name, "--until-end"]
        #expect(try run(words + ["-F", file], environment: environment).outputText == "hello\n")
        #expect(try run(words, environment: environment).ending == .status(64))
        #expect(
            try run(words + ["-X", "bootstrap.servers=\(topic.brokers)"], environment: environment).outputText
                == "hello\n")
        #expect(try run(words + ["-F", folder.file("none")], environment: environment).ending == .status(66))

        try write("client.id=me\nsasl.passwrod=hunter2\n".utf8, to: file)
        let wrong = try run(words + ["-F", file], environment: topic.environment)
        #expect(wrong.ending == .status(78))
        #expect(wrong.errorText == "kcat-in: \(file): line 2: librdkafka has no property \"sasl.passwrod\"\n")
        try write("hunter2\n".utf8, to: file)
        let bare = try run(words + ["-F", file], environment: topic.environment)
        #expect(bare.ending == .status(78))
        #expect(bare.errorText == "kcat-in: \(file): line 1: a property is written NAME=VALUE\n")
    }

    @Test func aBrokerThatCannotBeReachedIsUnavailable() throws {
        let topic = try Topic(missingOn: "127.0.0.1:\(try freePort())")
        for (name, ended) in try Self.both(topic, ["--patience", "3s"]) {
            #expect(ended.ending == .status(69))
            #expect(ended.errorText.hasPrefix("\(name): no broker answers: "))
            #expect(ended.errorText.contains("Connection refused"))
            #expect(ended.errorText.split(separator: "\n").count == 1)
            #expect(ended.seconds < 20)
        }
    }

    @Test func aBrokerThatSaysNothingIsUnavailable() throws {
        let listener = try SilentListener()
        let topic = try Topic(missingOn: "127.0.0.1:\(listener.port)")
        for (name, ended) in try Self.both(topic, ["--patience", "3s"]) {
            #expect(ended.ending == .status(69))
            #expect(ended.errorText.hasPrefix("\(name): no broker answers: "))
            #expect(ended.errorText.split(separator: "\n").count == 1)
        }
    }

    @Test func tlsToABrokerWithoutItIsNotPermitted() throws {
        let topic = try Topic()
        for (name, ended) in try Self.both(topic, ["-X", "security.protocol=ssl"]) {
            #expect(ended.ending == .status(77), "\(ended.errorText)")
            #expect(ended.errorText.hasPrefix("\(name): cannot log in: "))
            #expect(ended.errorText.split(separator: "\n").count == 1)
        }
    }

    @Test func noSecretIsShown() throws {
        let topic = try Topic()
        for property in [
            "sasl.password", "ssl.key.password", "ssl.keystore.password", "sasl.oauthbearer.client.secret",
        ] {
            for more in [
                [], ["-X", "no.such=1"], ["-X", "security.protocol=sasl_ssl"], ["-X", "sasl.mechanism=hunter2"],
            ] {
                for (_, ended) in try Self.both(
                    topic, ["-X", "\(property)=hunter2", "-X", "message.timeout.ms=1"] + more)
                {
                    #expect(!ended.errorText.contains("hunter2"), "\(property) \(more)")
                }
            }
        }
    }

    @Test func whatWouldBreakThePromiseIsRefused() throws {
        let topic = try Topic(missingOn: nil)
        for property in [
            "enable.idempotence=false", "delivery.report.only.error=false", "acks=1", "transactional.id=x",
        ] {
            let ended = try topic.out(["-X", property], input: .text("x\n"))
            #expect(ended.ending == .status(78), "\(property)")
            #expect(ended.errorText.split(separator: "\n").count == 1)
        }
        for property in [
            "enable.auto.commit=true", "enable.auto.offset.store=true", "enable.partition.eof=false",
            "partition.assignment.strategy=cooperative-sticky",
        ] {
            let ended = try topic.in(["-X", property])
            #expect(ended.ending == .status(78), "\(property)")
            #expect(ended.errorText.split(separator: "\n").count == 1)
        }
    }

    @Test func brokersAndTopicMustBeNamed() throws {
        for tool in ["kcat-in", "kcat-out"] {
            let nothing = try run([Repository.tool(tool), "-t", "x"])
            #expect(nothing.ending == .status(64))
            #expect(
                nothing.errorText
                    == "\(tool): no brokers: give -b HOST:PORT or set KAFKA_BROKERS (try '\(tool) --help')\n")
            let topicless = try run([Repository.tool(tool), "-b", "localhost:1"])
            #expect(topicless.ending == .status(64))
            #expect(topicless.errorText == "\(tool): no topic: give -t NAME (try '\(tool) --help')\n")
        }
    }

    @Test func progressIsShownOnATerminalOnly() throws {
        let topic = try Topic()
        try topic.fill((1...1000).map { "\($0)\n" }.joined())
        let piped = try topic.in(["--until-end", "--progress"])
        #expect(piped.errorText == "")
        let reader = try topic.shell(
            "script -qec 'timeout -s INT 3 kcat-in -t $T --progress --until-eof > /dev/null' /dev/null")
        #expect(reader.outputText.contains("kcat-in: 1.0k lines, "))
        #expect(reader.outputText.contains("/s, lag 0"))
        let writer = try topic.shell(
            "script -qec 'while sleep 0.1; do echo x; done | timeout -s INT 3 kcat-out -t $T --progress' /dev/null")
        #expect(writer.outputText.contains("kcat-out: "))
        #expect(writer.outputText.contains(" lines/s, "))
    }

    @Test func progressTellsTheTimeLeftWhereTheEndIsKnown() throws {
        let topic = try Topic()
        try topic.fill(String(repeating: String(repeating: "x", count: 999) + "\n", count: 8000))
        // A reader that takes its time.
        let ended = try topic.shell(
            """
            script -qec 'kcat-in -t $T --progress --until-end |
                { for i in 1 2 3 4 5 6 7; do head -c 1000000; sleep 0.4; done; cat; } | wc -c' /dev/null
            """)
        #expect(ended.ending == .status(0))
        #expect(ended.outputText.contains("8000000"))
        var (lags, seconds): ([Int], [Int]) = ([], [])
        // As in "kcat-in: 2.1k lines, 967 lines/s, 967kB/s, lag 5.9k, 6 s left", one a second. Before the broker has told the
        // end, the lag is not known, and not told.
        let lines = ended.outputText.split(separator: "\u{1B}[K").dropFirst()
            .map { line in line.prefix { $0 != "\r" && $0 != "\r\n" }.split(separator: ", ") }
        for parts in lines.drop(while: { $0.count == 3 }) {
            #expect(parts.count >= 4 && parts[0].hasPrefix("kcat-in: ") && parts[3].hasPrefix("lag "), "\(parts)")
            if parts.count >= 4 { lags.append(Self.number(parts[3].dropFirst("lag ".count))) }
            if parts.count == 5, parts[4].hasSuffix(" s left") { seconds.append(Self.number(parts[4].dropLast(7))) }
        }
        #expect(lags.count >= 2 && lags == lags.sorted(by: >) && Set(lags).count > 1, "\(ended.outputText)")
        #expect(lags.allSatisfy { (0..<8000).contains($0) })
        #expect(!seconds.isEmpty && seconds.allSatisfy { (0...60).contains($0) }, "\(ended.outputText)")
    }

    /// Of 999, 1.2k, 35k.
    private static func number(_ text: Substring) -> Int {
        let parts = text.split(separator: ".")
        guard text.hasSuffix("k") else { return Int(text) ?? -1 }
        guard parts.count == 2 else { return (Int(text.dropLast()) ?? -1) * 1000 }
        return (Int(parts[0]) ?? -1) * 1000 + (Int(parts[1].dropLast()) ?? -1) * 100
    }
}
