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
        #expect(refused.hasPrefix("_id two: 400 document_parsing_exception: "))
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

    @Test func theIndexMayStandInTheAddress() throws {
        let server = try RealServer()
        let ended = try server.shell(
            "es-bulk --id n | es-load --url $ELASTICSEARCH_URL/\(server.index)", input: .text("{\"n\":1}\n"))
        #expect(ended.ending == .status(0), "\(ended.errorText)")
        #expect(try server.documents() == ["1\t{\"n\": 1}"])
    }
}
