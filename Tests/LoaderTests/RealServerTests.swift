import Glibc
import TestSupport
import Testing

/// Against a server that speaks the whole interface.
@Suite struct RealServerTests {
    @Test func theIndexHoldsWhatThePipePrints() throws {
        let server = try RealServer()
        let input = Source.file("\(Repository.root)/examples/word-count/input")
        let counts = "tokenize -w -l | cms-topk -k 0"
        let form = #"{ printf "%s\t{\"count\": %d, \"token\": \"%s\"}\n", $1, $2, $1 }"#
        let expected = try server.shell("\(counts) | awk -F '\t' '\(form)' | sort", input: input).outputText
        // The second time all of it is there already.
        for _ in 1...2 {
            let ended = try server.shell(
                """
                \(counts) | to-json token count:int | es-bulk --index \(server.index) --id token --max-docs 10 |
                    es-load --gzip
                """, input: input)
            #expect(ended.ending == .status(0), "\(ended.errorText)")
        }
        #expect(try server.documents().map { $0 + "\n" }.joined() == expected)
    }

    @Test func aMappingErrorIsRefusedWithTheServersReason() throws {
        let server = try RealServer()
        try server.put("/\(server.index)", #"{"mappings":{"properties":{"n":{"type":"integer"}}}}"#)
        let folder = try TemporaryFolder()
        let ended = try server.shell(
            "es-bulk --index \(server.index) --id n | es-load --reject \(folder.file("refused"))",
            input: .text("{\"n\":1}\n{\"n\":\"two\"}\n{\"n\":3}\n"))
        #expect(ended.ending == .status(65))
        #expect(try server.documents() == ["1\t{\"n\": 1}", "3\t{\"n\": 3}"])
        let refused = String(decoding: try contents(of: folder.file("refused")), as: UTF8.self)
        #expect(refused.hasPrefix("_id two: 400 ") && refused.contains("_parsing_exception: "))
        #expect(refused.hasSuffix("\t{\"n\":\"two\"}\n"))
    }

    @Test func aDataStreamTakesEachDocumentOnce() throws {
        let server = try RealServer()
        try server.put(
            "/_index_template/\(server.index)", #"{"index_patterns":["\#(server.index)*"],"data_stream":{}}"#)
        let documents = (1...3).map { "{\"@timestamp\":\"2026-11-22T10:00:0\($0)Z\",\"n\":\($0)}\n" }.joined()
        for _ in 1...2 {
            let ended = try server.shell(
                "es-bulk --action create --index \(server.index) --id @timestamp,n | es-load", input: .text(documents))
            #expect(ended.ending == .status(0), "\(ended.errorText)")
        }
        #expect(try server.documents().count == 3)
    }

    @Test(.enabled(if: environmentVariable("OPENSEARCH_FOR_TESTS") != nil))
    func aLateRequestDoesNotPutAnOldTotalOverANewerOne() throws {
        let server = try RealServer()
        let totals = (1...3).map { "{\"token\":\"the\",\"count\":\($0)}\n" }
        for input in [totals.joined(), totals[1], totals[0]] {
            let ended = try server.shell(
                "es-bulk --index \(server.index) --id token --version-field count | es-load", input: .text(input))
            #expect(ended.ending == .status(0), "\(ended.errorText)")
        }
        #expect(try server.documents() == ["the\t{\"count\": 3, \"token\": \"the\"}"])
    }

    @Test(.enabled(if: environmentVariable("OPENSEARCH_FOR_TESTS") != nil))
    func aReadOnlyIndexIsWaitedForUntilItIsNot() throws {
        let server = try RealServer()
        try server.put("/\(server.index)", "{}")
        try server.put("/\(server.index)/_settings", #"{"index.blocks.write":true}"#)
        let program = try Program(
            ["/bin/bash", "-c", "echo '{\"n\":1}' | es-bulk --index \(server.index) --id n | es-load"],
            environment: server.environment)
        usleep(500_000)
        try server.put("/\(server.index)/_settings", #"{"index.blocks.write":null}"#)
        let ended = try program.wait()
        #expect(ended.ending == .status(0), "\(ended.errorText)")
        #expect(try server.documents() == ["1\t{\"n\": 1}"])
    }

    @Test(.enabled(if: environmentVariable("OPENSEARCH_FOR_TESTS") != nil))
    func aClosedIndexEndsItWithNothingPutAside() throws {
        let server = try RealServer()
        try server.put("/\(server.index)", "{}")
        _ = try server.shell("curl -qsSf -X POST $ELASTICSEARCH_URL/\(server.index)/_close")
        let folder = try TemporaryFolder()
        let ended = try server.shell(
            "echo '{\"n\":1}' | es-bulk --index \(server.index) --id n | es-load --reject \(folder.file("refused"))")
        #expect(ended.ending == .status(69))
        #expect(try contents(of: folder.file("refused")) == [])
    }

    @Test func theIndexMayStandInTheAddress() throws {
        let server = try RealServer()
        let ended = try server.shell(
            "es-bulk --id n | es-load --url $ELASTICSEARCH_URL/\(server.index)", input: .text("{\"n\":1}\n"))
        #expect(ended.ending == .status(0), "\(ended.errorText)")
        #expect(try server.documents() == ["1\t{\"n\": 1}"])
    }
}
