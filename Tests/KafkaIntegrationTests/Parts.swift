import Glibc
import Synchronization
import TestSupport
import Testing

/// What these tests run: the release tools and a broker on this machine. `bin/test` starts one; elsewhere
///
///     bin/broker run swift test …
struct NoBroker: Error, CustomStringConvertible {
    let description = "no broker for tests: run bin/test, or bin/broker run swift test … (it sets BROKER_FOR_TESTS)"
}

private let topicCount = Atomic<Int>(0)

/// A topic of its own for one test, on the broker of the test run, or on another.
struct Topic {
    let name: String
    let brokers: String
    /// The folder of the librdkafka with which tools are run; nil: that of the test run.
    var librdkafka: String?
    var environment: [String: String] {
        var more = ["KAFKA_BROKERS": brokers, "T": name, "ROOT": Repository.root]
        more["LD_LIBRARY_PATH"] = librdkafka
        return Repository.environment.merging(more) { $1 }
    }

    /// A name that is not there yet.
    init(missingOn brokers: String?) throws {
        guard let brokers = brokers ?? environmentVariable("BROKER_FOR_TESTS") else { throw NoBroker() }
        self.brokers = brokers
        name = "test-\(getpid())-\(topicCount.add(1, ordering: .relaxed).newValue)"
    }

    /// On several brokers it is there when all of them know it; that a tool waits for that is a test of its own.
    init(partitions: Int = 1, on brokers: String? = nil) throws {
        try self.init(missingOn: brokers)
        let create = { [self] in try out(["--create", "\(partitions)"], input: .nothing) }
        var made = try create()
        let addresses = self.brokers.split(separator: ",")
        if addresses.count > 1 {
            for address in addresses {
                try #require(try eventually { try isKnown(at: String(address)) }, "\(made.errorText)")
            }
            made = try create()
        }
        try #require(made.ending == .status(0), "\(made.errorText)")
    }

    /// One that is there.
    init(_ name: String, on brokers: String) {
        (self.name, self.brokers) = (name, brokers)
    }

    /// Whether a broker knows it, and who leads each of its partitions.
    private func isKnown(at broker: String) throws -> Bool {
        let list = try run(["/usr/bin/kcat", "-b", broker, "-L", "-t", name])
        return list.ending == .status(0) && !list.outputText.contains("Broker: ")
            && !list.outputText.contains("leader -1")
    }

    /// `kcat-out -t` this topic.
    func out(_ arguments: [String] = [], input: Source, deadline: Double = 60) throws -> Ended {
        try run(
            [Repository.tool("kcat-out"), "-t", name] + arguments, input: input, environment: environment,
            deadline: deadline)
    }

    /// `kcat-in -t` this topic.
    func `in`(_ arguments: [String] = [], output: Target = .kept, deadline: Double = 60) throws -> Ended {
        try run(
            [Repository.tool("kcat-in"), "-t", name] + arguments, output: output, environment: environment,
            deadline: deadline)
    }

    /// Starts `kcat-in -t` this topic.
    func startIn(_ arguments: [String] = [], output: Target = .kept) throws -> Program {
        try Program([Repository.tool("kcat-in"), "-t", name] + arguments, output: output, environment: environment)
    }

    /// Starts `kcat-out -t` this topic.
    func startOut(_ arguments: [String] = [], input: Source) throws -> Program {
        try Program([Repository.tool("kcat-out"), "-t", name] + arguments, input: input, environment: environment)
    }

    /// Starts one that takes what is written to `feed`, until that is closed.
    func startFedOut(_ arguments: [String]) throws -> (program: Program, feed: CInt) {
        let (input, feed) = try makePipe()
        defer { close(input) }
        return (try startOut(arguments, input: .descriptor(input)), feed)
    }

    /// A command line of bash, in which the topic is `$T`.
    func shell(_ command: String, input: Source = .nothing, deadline: Double = 60) throws -> Ended {
        try bash("set -o pipefail; " + command, input: input, environment: environment, deadline: deadline)
    }

    /// Lines into the topic.
    func fill(_ text: String, _ arguments: [String] = []) throws {
        let ended = try out(arguments, input: .text(text))
        try #require(ended.ending == .status(0), "\(ended.errorText)")
    }

    /// The topic to its end.
    func lines(_ arguments: [String] = []) throws -> [String] {
        let ended = try self.in(["--until-end"] + arguments)
        try #require(ended.ending == .status(0), "\(ended.errorText)")
        return ended.outputText.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }

    /// For each partition what a group has committed, as another client sees it: "0:5 1:-" with - for nothing.
    func committed(_ group: String, partitions: Int = 1) throws -> String {
        let python = "\(Repository.root)/.venv-broker/bin/python"
        let question = [python, "-c", Self.committedScript, brokers, group, name, "\(partitions)"]
        // The group may be between two coordinators.
        var ended = try run(question)
        _ = try eventually(seconds: 30) {
            if ended.ending != .status(0) { ended = try run(question) }
            return ended.ending == .status(0)
        }
        try #require(ended.ending == .status(0), "\(ended.errorText)")
        return ended.outputText.split(separator: "\n").joined()
    }

    private static let committedScript = """
        import sys
        from confluent_kafka import Consumer, TopicPartition
        brokers, group, topic, count = sys.argv[1:]
        consumer = Consumer({'bootstrap.servers': brokers, 'group.id': group})
        asked = [TopicPartition(topic, number) for number in range(int(count))]
        found = consumer.committed(asked, timeout=10)
        print(' '.join(f"{p.partition}:{p.offset if p.offset >= 0 else '-'}" for p in found))
        """
}

/// A broker of a test's own, to be stopped in the middle: of the kind that the test run is on.
final class OwnBroker {
    let port: Int
    private let data: TemporaryFolder
    private var program: Program?
    private let kafka: Cluster?
    var address: String { "127.0.0.1:\(port)" }

    init() throws {
        let data = try TemporaryFolder()
        self.data = data
        kafka = Cluster.ofTheRun.map { _ in Cluster(folder: data.path) }
        if let run = Cluster.ofTheRun {
            let (reading, writing) = try makePipe()
            defer { close(reading) }
            program = try Program(
                [Cluster.script, "serve", "\(run.folder)/kafka", data.path, "1"], output: .descriptor(writing))
            close(writing)
            let line = try #require(readLine(from: reading, seconds: 90), "the broker does not start")
            port = try #require(Int(line.dropLast().split(separator: ":")[1]))
        } else {
            guard environmentVariable("BROKER_FOR_TESTS") != nil else { throw NoBroker() }
            port = try freePort()
            try start()
        }
    }

    deinit {
        send(SIGCONT)
        program?.send(kafka == nil ? SIGKILL : SIGTERM)
        _ = try? program?.wait(deadline: 10)
    }

    func start() throws {
        if let kafka { return try kafka.order("up", "1") }
        program = try Program([
            "\(Repository.root)/.venv-broker/broker", "start", "--only", "kafka", "--kafka-port", "\(port)",
            "--data-dir",
            data.path,
        ])
        try #require(eventually { accepts(port) }, "the broker does not start")
    }

    /// SIGSTOP or SIGCONT.
    func send(_ signal: CInt) {
        guard let kafka else { return program?.send(signal) ?? () }
        try? kafka.order(signal == SIGSTOP ? "freeze" : "thaw", "1")
    }

    /// Ends it, with its data kept.
    func stop() throws {
        if let kafka { return try kafka.order("term", "1") }
        program?.send(SIGTERM)
        _ = try program?.wait(deadline: 20)
        program = nil
    }
}

/// A cluster that can be broken: Tests/MockCluster.
final class MockCluster {
    let brokers: String
    private let program: Program
    private let (orders, answers): (CInt, CInt)

    init(brokers count: Int = 1) throws {
        let (input, orders) = try makePipe()
        let (answers, output) = try makePipe()
        (self.orders, self.answers) = (orders, answers)
        program = try Program(
            [Repository.tool("mock-cluster"), "\(count)"], input: .descriptor(input), output: .descriptor(output))
        close(input)
        close(output)
        let line = try #require(readLine(from: answers))
        brokers = String(line.dropLast())
    }

    deinit {
        close(orders)
        close(answers)
        _ = try? program.wait(deadline: 5)
    }

    func order(_ words: String) throws {
        try write(Array((words + "\n").utf8), to: orders)
        try #require(readLine(from: answers) == "ok\n", "\(words)")
    }

    /// - Parameter listener: what stands in front of the cluster.
    func topic(partitions: Int = 1, through listener: Listener? = nil) throws -> Topic {
        let topic = try Topic(missingOn: listener?.address ?? brokers)
        try order("topic \(topic.name) \(partitions)")
        return topic
    }
}

/// A program of Tests/Listeners, in front of a broker.
final class Listener {
    let address: String
    private let program: Program

    init(_ script: String, _ broker: String, _ arguments: [String] = []) throws {
        let (reading, writing) = try makePipe()
        defer { close(reading) }
        program = try Program(
            ["/usr/bin/python3", "\(Repository.root)/Tests/Listeners/\(script)", broker] + arguments,
            output: .descriptor(writing))
        close(writing)
        address = "127.0.0.1:\(try #require(readLine(from: reading)).dropLast())"
    }

    deinit {
        program.send(SIGKILL)
        _ = try? program.wait(deadline: 5)
    }

    /// In front of the broker of the test run.
    static func secured(_ arguments: [String]) throws -> Listener {
        guard let broker = environmentVariable("BROKER_FOR_TESTS") else { throw NoBroker() }
        return try Listener("secured.py", broker, arguments)
    }
}

/// Kafka's numbers of requests and errors.
enum Wire {
    static let (produce, fetch, metadata, initProducer) = (0, 1, 3, 22)
    static let (notLeader, requestTimedOut, tooLarge, notEnoughReplicas, topicDenied) = (6, 7, 10, 19, 29)
}

/// A port that nobody listens on.
func freePort() throws -> Int {
    let listener = try SilentListener()
    return listener.port
}

/// Something that takes connections on a port of this machine and never says a word.
final class SilentListener {
    private let number = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    let port: Int

    init() throws {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let number = number
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(number, $0, length) | listen(number, 8) | getsockname(number, $0, &length)
            }
        }
        guard result == 0 else { throw SystemError("listen") }
        port = Int(UInt16(bigEndian: address.sin_port))
        _ = fcntl(number, F_SETFD, FD_CLOEXEC)
    }

    deinit { close(number) }
}

/// Whether somebody listens there.
func accepts(_ port: Int) -> Bool {
    let number = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    defer { close(number) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    address.sin_port = UInt16(port).bigEndian
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
}

/// Whether `condition` comes true within some seconds.
func eventually(seconds: Double = 20, _ condition: () throws -> Bool) rethrows -> Bool {
    let end = monotonicSeconds() + seconds
    while try !condition() {
        if monotonicSeconds() > end { return false }
        usleep(20_000)
    }
    return true
}

/// Waits until who writes into a pipe of 64 KiB is held up. Its pages need not be full.
func isHeldUp(_ pipe: CInt) -> Bool { eventually { unreadBytes(in: pipe) > 50_000 } }

/// Whether two texts are the same, told without the difference of all their bytes, which takes ages.
func expectSame(
    _ found: [UInt8], _ expected: [UInt8], _ what: String, sourceLocation: SourceLocation = #_sourceLocation
) {
    guard found != expected else { return }
    let same = zip(found, expected).prefix { $0 == $1 }.count
    Issue.record(
        "\(what): \(found.count) bytes instead of \(expected.count), the same up to byte \(same)",
        sourceLocation: sourceLocation)
}

extension Ended {
    /// The value of a number in the line of --summary.
    func fact(_ name: String) -> Int? {
        guard let start = errorText.range(of: "\"\(name)\":")?.upperBound else { return nil }
        return Int(errorText[start...].prefix { $0.isNumber })
    }
}

extension String {
    fileprivate func range(of part: String) -> Range<Index>? {
        var at = startIndex
        while at < endIndex {
            if self[at...].hasPrefix(part) { return at..<index(at, offsetBy: part.count) }
            at = index(after: at)
        }
        return nil
    }
}
