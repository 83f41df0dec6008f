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
        for (name, ended) in try Self.both(topic, []) {
            #expect(ended.ending == .status(69))
            #expect(ended.errorText.hasPrefix("\(name): no broker answers: "))
            #expect(ended.errorText.contains("Connection refused"))
            #expect(ended.errorText.split(separator: "\n").count == 1)
            #expect(ended.seconds < 20)
        }
    }

    @Test func aBrokerThatSaysNothingIsUnavailable() throws {
        let listener = try Listener()
        let topic = try Topic(missingOn: "127.0.0.1:\(listener.port)")
        for (name, ended) in try Self.both(topic, ["-g", "g"].filter { _ in false }) {
            #expect(ended.ending == .status(69))
            #expect(ended.errorText.hasPrefix("\(name): no broker answers: "))
            #expect(ended.errorText.split(separator: "\n").count == 1)
        }
    }

    @Test func aRefusedLoginIsNotPermitted() throws {
        let broker = try LoginBroker()
        let topic = try Topic(missingOn: "127.0.0.1:\(broker.port)")
        let folder = try TemporaryFolder()
        let file = folder.file("secrets")
        try write(
            "security.protocol=sasl_plaintext\nsasl.mechanism=PLAIN\nsasl.username=bob\nsasl.password=hunter2\n".utf8,
            to: file)
        for (name, ended) in try Self.both(topic, ["-F", file]) {
            #expect(ended.ending == .status(77), "\(ended.errorText)")
            #expect(ended.errorText.hasPrefix("\(name): cannot log in: "))
            #expect(ended.errorText.split(separator: "\n").count == 1)
            #expect(!ended.errorText.contains("hunter2"))
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
}

/// A broker of which only the login is there, and that refuses everybody.
final class LoginBroker {
    let port: Int
    private let program: Program
    private let output: CInt

    init() throws {
        let (reading, writing) = try makePipe()
        program = try Program(
            ["\(Repository.root)/.venv-broker/bin/python", "-u", "-c", Self.script], output: .descriptor(writing))
        close(writing)
        output = reading
        port = Int(readLine(from: reading)?.dropLast() ?? "") ?? 0
        try #require(port > 0)
    }

    deinit {
        program.send(SIGKILL)
        _ = try? program.wait(deadline: 5)
        close(output)
    }

    private static let script = """
        import socket, struct, threading
        def answer(connection):
            def read(count):
                data = b''
                while len(data) < count:
                    more = connection.recv(count - len(data))
                    if not more: raise EOFError
                    data += more
                return data
            try:
                while True:
                    size, = struct.unpack('>i', read(4))
                    request = read(size)
                    key, version, correlation = struct.unpack('>hhi', request[:8])
                    if key == 18:    # ApiVersions: version 0, whatever is asked for
                        apis = [(3, 0, 4), (17, 0, 1), (18, 0, 0), (36, 0, 0)]
                        body = struct.pack('>hi', 0 if version == 0 else 35, len(apis))
                        body += b''.join(struct.pack('>hhh', *api) for api in apis)
                    elif key == 17:  # SaslHandshake: PLAIN
                        body = struct.pack('>hi', 0, 1) + struct.pack('>h', 5) + b'PLAIN'
                    elif key == 36:  # SaslAuthenticate: no
                        reason = b'Authentication failed'
                        body = struct.pack('>hh', 58, len(reason)) + reason + struct.pack('>i', 0)
                    else:
                        return
                    connection.sendall(struct.pack('>ii', len(body) + 4, correlation) + body)
            except (EOFError, OSError):
                pass
            finally:
                connection.close()
        server = socket.socket()
        server.bind(('127.0.0.1', 0))
        server.listen(8)
        print(server.getsockname()[1])
        while True:
            threading.Thread(target=answer, args=(server.accept()[0],), daemon=True).start()
        """
}
