import Glibc
import TestSupport
import Testing

/// A topic into a search server, with acknowledgements: whatever is killed, the index holds what the topic holds.
@Suite struct SearchTests {
    static let count = 400

    /// kcat-in killed leaves its membership behind until its session has timed out, which the mock cluster knows to do.
    @Test(arguments: ["kcat-in", "to-json", "es-bulk", "es-load"])
    func killedInTheMiddleAndStartedAgainItLosesNothing(_ victim: String) throws {
        let cluster = try MockCluster()
        let topic = try cluster.topic(partitions: 2)
        try topic.fill((1...Self.count).map { "k\($0)\t\($0)\n" }.joined(), ["-k", "1"])
        let (port, output) = try makePipe()
        let slow = Array(repeating: "slow=0.2", count: 40)
        let server = try Program(
            ["\(Repository.root)/Tests/BrokenElasticsearch/server"] + slow, output: .descriptor(output))
        close(output)
        defer {
            server.send(SIGKILL)
            _ = try? server.wait(deadline: 10)
        }
        let url = "http://127.0.0.1:\(try #require(readLine(from: port, seconds: 60)).dropLast())"
        let folder = try TemporaryFolder()
        let environment = topic.environment.merging(["ELASTICSEARCH_URL": url, "ACKS": folder.file("acks")]) { $1 }
        let pipeline = """
            set -o pipefail
            kcat-in -t $T -g index --until-end --ack $ACKS --epoch 100ms -X session.timeout.ms=6000 |
                to-json key n:int | es-bulk --index w --id key --max-docs 10 | es-load --ack $ACKS
            """
        func get(_ path: String) throws -> [Substring] {
            try run(["/usr/bin/curl", "-qsSf", "\(url)\(path)"]).outputText.split(separator: "\n")
        }

        let first = try Program(["/bin/bash", "-c", pipeline], environment: environment)
        try #require(try eventually(seconds: 90) { try get("/requests").count > 5 })
        // Of this pipeline only: it has a process group of its own.
        _ = try bash("pkill -9 -g \(first.process) -o -f '(^|/)\(victim) '")
        #expect(try first.wait(deadline: 90).ending != .status(0))
        // Killed elsewhere, what is in the pipes may still arrive; it is only not acknowledged.
        if victim == "es-load" { #expect(try get("/documents").count < Self.count) }

        let ended = try run(["/bin/bash", "-c", pipeline], environment: environment, deadline: 180)
        #expect(ended.ending == .status(0), "\(ended.errorText)")
        let expected = (1...Self.count).map { "w\tk\($0)\t{\"key\":\"k\($0)\",\"n\":\($0)}" }.sorted()
        #expect(try get("/documents").map(String.init) == expected)
    }
}
