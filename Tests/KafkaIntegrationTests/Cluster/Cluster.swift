import Glibc
import TestSupport
import Testing

/// Apache Kafka's own brokers, which a test may kill, freeze and restart: what Tests/Kafka/cluster serves.
///
///     bin/test --kafka DIR
struct Cluster {
    let folder: String

    static let script = "\(Repository.root)/Tests/Kafka/cluster"
    /// The one of the test run.
    static let ofTheRun = environmentVariable("KAFKA_CLUSTER").map(Cluster.init)
    static let isMissing: Comment = "these need Apache Kafka's own brokers: bin/test --kafka DIR"

    static func shared() throws -> Cluster {
        guard let ofTheRun else { throw NoBroker() }
        return ofTheRun
    }

    /// `cluster ORDER`: kill I, term I, freeze I, thaw I, up I.
    func order(_ words: String...) throws {
        let ended = try run(
            [Self.script] + words, environment: environment, deadline: 120)
        try #require(ended.ending == .status(0), "\(words): \(ended.outputText)\(ended.errorText)")
    }

    /// Kills a broker, does something, and starts the broker again whatever comes of it.
    func without(_ broker: Int, by order: String = "kill", _ body: () throws -> Void) throws {
        try self.order(order, "\(broker)")
        defer { #expect(throws: Never.self) { try self.order(order == "freeze" ? "thaw" : "up", "\(broker)") } }
        try body()
    }

    /// The address of one of its brokers.
    func address(_ broker: Int) throws -> String {
        let first = try #require(Int(String(decoding: contents(of: "\(folder)/port"), as: UTF8.self).dropLast()))
        return "127.0.0.1:\(first + broker - 1)"
    }

    /// The broker that leads for a group or a transactional id.
    func coordinator(_ kind: String, _ name: String) throws -> Int {
        var broker: Int?
        _ = try eventually(seconds: 30) {
            let ended = try run(
                ["\(Repository.root)/Tests/Kafka/coordinator.py", kind, name], environment: environment)
            broker = Int(ended.outputText.dropLast())
            return broker != nil
        }
        return try #require(broker, "nobody coordinates \(kind) \(name)")
    }

    private var environment: [String: String] {
        Repository.environment.merging([
            "KAFKA_CLUSTER": folder, "KAFKA_BROKERS": environmentVariable("BROKER_FOR_TESTS") ?? "",
        ]) { $1 }
    }
}

/// Whether the broker of the test run is a single one.
let isOnOneBroker = !(environmentVariable("BROKER_FOR_TESTS") ?? "").contains(",")

extension Topic {
    /// Adds partitions, until it has so many.
    func grow(to partitions: Int) throws {
        try Cluster.shared().order(
            "tool", "org.apache.kafka.tools.TopicCommand", "--alter", "--topic", name, "--partitions", "\(partitions)")
    }

    /// What retention does: partition 0 begins at this offset from now on.
    func forget(before offset: Int) throws {
        let folder = try TemporaryFolder()
        try write(
            #"{"version":1,"partitions":[{"topic":"\#(name)","partition":0,"offset":\#(offset)}]}"#.utf8,
            to: folder.file("offsets"))
        try Cluster.shared().order(
            "tool", "org.apache.kafka.tools.DeleteRecordsCommand", "--offset-json-file", folder.file("offsets"))
    }

    /// A program of another client's, with the addresses, the topic and further arguments.
    func python(_ script: String, _ arguments: String...) throws {
        let ended = try run(
            ["\(Repository.root)/.venv-broker/bin/python", "-c", script, brokers, name] + arguments)
        try #require(ended.ending == .status(0), "\(ended.errorText)")
    }
}

/// On three brokers that are killed, frozen and restarted; one test at a time, since all others would suffer, too.
@Suite(.serialized, .enabled(if: Cluster.ofTheRun != nil, Cluster.isMissing))
struct ClusterTests {}
