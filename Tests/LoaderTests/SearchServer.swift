import Glibc
import Synchronization
import TestSupport
import Testing

/// Where a test loads to.
protocol SearchServer {
    var url: String { get }
}

extension SearchServer {
    var environment: [String: String] {
        Repository.environment.merging(["ELASTICSEARCH_URL": url, "ROOT": Repository.root]) { $1 }
    }

    /// A command line of bash, with ELASTICSEARCH_URL set.
    func shell(_ command: String, input: Source = .nothing, deadline: Double = 60) throws -> Ended {
        try bash("set -o pipefail; " + command, input: input, environment: environment, deadline: deadline)
    }

    /// `es-bulk` of these numbers, each its own `_id`, and `es-load` with one request at a time.
    func load(
        _ numbers: [String], _ arguments: [String] = [], bulk: [String] = [], deadline: Double = 60
    ) throws -> Ended {
        let words = { (words: [String]) in words.map { "'\($0)'" }.joined(separator: " ") }
        let input = numbers.map { "{\"n\":\($0)}\n" }.joined()
        return try shell(
            "es-bulk --index w --id n \(words(bulk)) | es-load --in-flight 1 \(words(arguments))", input: .text(input),
            deadline: deadline)
    }

    func get(_ path: String) throws -> String {
        let ended = try run(["/usr/bin/curl", "-q", "--silent", "--show-error", "--fail", "\(url)\(path)"])
        try #require(ended.ending == .status(0), "\(ended.errorText)")
        return ended.outputText
    }
}

/// The server that does what it should not: Tests/BrokenElasticsearch.
final class BrokenServer: SearchServer {
    let url: String
    private let program: Program

    convenience init(_ orders: String...) throws { try self.init(orders: orders) }

    init(orders: [String]) throws {
        let (port, output) = try makePipe()
        defer { close(port) }
        program = try Program(
            ["\(Repository.root)/Tests/BrokenElasticsearch/server"] + orders, output: .descriptor(output))
        close(output)
        let line = try #require(readLine(from: port, seconds: 30), "the server does not start")
        url = "http://127.0.0.1:\(line.dropLast())"
    }

    deinit {
        program.send(SIGKILL)
        _ = try? program.wait(deadline: 10)
    }

    /// What it holds, a line each: index, id, document.
    func documents() throws -> [String] { try get("/documents").split(separator: "\n").map(String.init) }

    /// The numbers of those that `load` has stored, in their order.
    func numbers() throws -> [Int] { try documents().compactMap { Int($0.split(separator: "\t")[1]) }.sorted() }

    /// The query of each request.
    func queries() throws -> [String] { try get("/queries").split(separator: "\n").map(String.init) }

    /// What was asked of it: the path, how many documents, which order it took, and what else there was.
    func requests() throws -> [String] {
        try get("/requests").split(separator: "\n").map { $0.split(separator: "\t").joined(separator: " ") }
    }
}

/// The server that `bin/test` starts, or the real one of Tests/OpenSearch/run, and an index of its own for one test.
struct RealServer: SearchServer {
    struct Missing: Error, CustomStringConvertible {
        let description =
            "no search server for tests: run bin/test, or bin/broker --with elasticsearch run swift test …"
    }

    private static let count = Atomic<Int>(0)
    let url: String
    let index = "test-\(getpid())-\(count.add(1, ordering: .relaxed).newValue)"

    init() throws {
        guard
            let url = environmentVariable("OPENSEARCH_FOR_TESTS") ?? environmentVariable("ELASTICSEARCH_FOR_TESTS")
        else { throw Missing() }
        self.url = url
    }

    /// A line for each document of the index, the id and the document, sorted.
    func documents() throws -> [String] {
        let script = """
            import json, sys
            hits = json.load(sys.stdin)["hits"]["hits"]
            print("\\n".join(sorted(hit["_id"] + "\\t" + json.dumps(hit["_source"], sort_keys=True) for hit in hits)))
            """
        let ended = try shell(
            """
            curl -qsSf -X POST "$ELASTICSEARCH_URL/\(index)/_refresh" >/dev/null &&
            curl -qsSf "$ELASTICSEARCH_URL/\(index)/_search?size=10000" | python3 -c '\(script)'
            """)
        try #require(ended.ending == .status(0), "\(ended.errorText)")
        return ended.outputText.split(separator: "\n").map(String.init)
    }

    func put(_ path: String, _ body: String) throws {
        let ended = try run([
            "/usr/bin/curl", "-qsSf", "-X", "PUT", "-H", "Content-Type: application/json", "-d", body, "\(url)\(path)",
        ])
        try #require(ended.ending == .status(0), "\(ended.errorText)")
    }
}

/// The numbers that `--summary` has printed, each as it stands there.
func summary(_ ended: Ended) throws -> [String: String] {
    let line = try #require(ended.errorText.split(separator: "\n").last { $0.hasPrefix("{\"tool\":\"es-load\",") })
    let members = line.dropFirst().dropLast().split(separator: ",").map { $0.split(separator: ":") }
    return Dictionary(uniqueKeysWithValues: members.map { (String($0[0].dropFirst().dropLast()), String($0[1])) })
}

/// What was said, without the line of `--summary`.
func messages(_ ended: Ended) -> [String] {
    ended.errorText.split(separator: "\n").filter { !$0.hasPrefix("{") }.map(String.init)
}

/// Whether `condition` comes true within some seconds.
func eventually(seconds: Double = 30, _ condition: () throws -> Bool) rethrows -> Bool {
    let end = monotonicSeconds() + seconds
    while try !condition() {
        if monotonicSeconds() > end { return false }
        usleep(50_000)
    }
    return true
}

/// That of the stream that `barrier` is of.
let session = "0123456789abcdef0123456789abcdef"

/// A stream with barriers, as kcat-in writes it.
func barrier(_ kind: String, _ epoch: Int) -> String {
    "\u{1E}barrier\t\(session)\t\(epoch)\t\(kind)\t\tgroup 7\n"
}

func numbers(_ range: ClosedRange<Int>) -> [String] { range.map(String.init) }
