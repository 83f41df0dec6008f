import Bytes
import JSONFilters
import TestSupport
import Testing

@Suite struct BulkTests {
    func documents(_ numbers: some Sequence<Int>) -> String { numbers.map { "{\"n\":\($0)}\n" }.joined() }
    func body(_ numbers: some Sequence<Int>) -> String {
        numbers.map { "{\"index\":{}}\n{\"n\":\($0)}\n" }.joined() + "\n"
    }

    @Test func theActionsAndTheirLines() throws {
        let id = try FieldPath.list(parsing: "n")
        let input = Array("{\"n\":1 }\r\n".utf8)
        func text(_ request: BulkRequest) throws -> String { try run(Bulk(request), input).text }
        #expect(try text(BulkRequest()) == "{\"index\":{}}\n{\"n\":1 }\r\n\n")
        #expect(
            try text(
                BulkRequest(
                    .index, index: IndexName(parsing: "i"), id: id, routing: FieldPath(parsing: "n"), pipeline: "p"))
                == "{\"index\":{\"_index\":\"i\",\"_id\":\"1\",\"routing\":\"1\",\"pipeline\":\"p\"}}\n{\"n\":1 }\r\n\n"
        )
        #expect(
            try text(BulkRequest(.create, pipeline: "\"p\""))
                == "{\"create\":{\"pipeline\":\"\\\"p\\\"\"}}\n{\"n\":1 }\r\n\n")
        #expect(try text(BulkRequest(.update, id: id)) == "{\"update\":{\"_id\":\"1\"}}\n{\"doc\":{\"n\":1 }\r}\n\n")
        #expect(
            try text(BulkRequest(.update, id: id, upserts: true))
                == "{\"update\":{\"_id\":\"1\"}}\n{\"doc\":{\"n\":1 }\r,\"doc_as_upsert\":true}\n\n")
        #expect(try text(BulkRequest(.delete, id: id)) == "{\"delete\":{\"_id\":\"1\"}}\n\n")
    }

    @Test func whatDoesNotGoTogether() throws {
        let id = try FieldPath.list(parsing: "n")
        #expect(throws: BulkUsage.needsID(.update)) { try BulkRequest(.update) }
        #expect(throws: BulkUsage.needsID(.delete)) { try BulkRequest(.delete) }
        #expect(throws: BulkUsage.noPipeline(.delete)) { try BulkRequest(.delete, id: id, pipeline: "p") }
        #expect(throws: BulkUsage.noPipeline(.update)) { try BulkRequest(.update, id: id, pipeline: "p") }
        #expect(throws: BulkUsage.emptyPipeline) { try BulkRequest(pipeline: "") }
        #expect(throws: BulkUsage.noUpsert(.index)) { try BulkRequest(upserts: true) }
        #expect(throws: BulkUsage.tooManyFields) {
            try BulkRequest(id: FieldPath.list(parsing: (0...64).map { "f\($0)" }.joined(separator: ",")))
        }
        #expect(throws: BulkUsage.badField("a\\")) { try FieldPath.list(parsing: "a\\") }
        #expect(throws: BulkUsage.badField("")) { try FieldPath.list(parsing: "a,") }
    }

    @Test func fieldsThatAreNamedTwiceCountOnce() throws {
        let names = (0..<64).map { "f\($0)" }.joined(separator: ",")
        let document = "{" + (0..<64).map { "\"f\($0)\":\($0)" }.joined(separator: ",") + "}\n"
        let found = try run(
            Bulk(BulkRequest(id: FieldPath.list(parsing: names + ",f0"), routing: FieldPath(parsing: "f63"))),
            Array(document.utf8)
        ).text
        #expect(found.hasSuffix("62,63,0\",\"routing\":\"63\"}}\n\(document)\n"))
    }

    @Test func batchesOfSoManyDocuments() throws {
        let found = try run(Bulk(BulkRequest(), limits: .init(documents: 3)), Array(documents(1...8).utf8))
        #expect(found.text == body(1...3) + body(4...6) + body(7...8))
        #expect(found.summary.json == "{\"documents\":8,\"batches\":3,\"blank\":0}")
        #expect(
            try run(Bulk(BulkRequest(), limits: .init(documents: 3)), Array(documents(1...6).utf8)).text == body(1...3)
                + body(4...6))
        #expect(try run(Bulk(BulkRequest()), []).text == "")
    }

    @Test func batchesOfSoManyBytes() throws {
        // An item is 21 bytes.
        for (bytes, size) in [(42, 2), (62, 2), (63, 3), (1, 1), (21, 1)] {
            let found = try run(Bulk(BulkRequest(), limits: .init(bytes: bytes)), Array(documents(1...6).utf8)).text
            #expect(found == stride(from: 1, to: 7, by: size).map { body($0..<($0 + size)) }.joined())
        }
    }

    @Test func aDocumentThatIsTooLargeIsABatchOfItsOwn() throws {
        let large = "{\"x\":\"" + String(repeating: "x", count: 200_000) + "\"}\n"
        let found = try run(
            Bulk(BulkRequest(), limits: .init(bytes: 100)), Array((documents(1...2) + large + documents(3...4)).utf8)
        ).text
        #expect(found == body(1...2) + "{\"index\":{}}\n\(large)\n" + body(3...4))
    }

    @Test func howTheInputIsCutDoesNotShow() throws {
        try withEverySeed(10) { random in
            let input = Array(
                documents(
                    (0..<200).map { _ in
                        Int.random(in: 0...Int.max, using: &random) >> Int.random(in: 0...62, using: &random)
                    }
                ).utf8)
            let request = try BulkRequest(index: IndexName(parsing: "i-{n}"), id: FieldPath.list(parsing: "n,n"))
            let limits = Bulk.Limits(documents: 7, bytes: 400)
            let whole = try run(Bulk(request, limits: limits), input)
            for reads in [[1], [2, 3], [63], [Int.random(in: 1...200, using: &random)]] {
                #expect(try run(Bulk(request, limits: limits), input, reads: reads) == whole)
            }
        }
    }

    @Test func abatchIsPutOutWhenItsFirstDocumentHasWaitedLongEnough() throws {
        var time: Int64 = 0
        // A document comes every 400 ms.
        let found = try run(
            Bulk(BulkRequest(), limits: .init(milliseconds: 1000)), Array(documents(1...7).utf8), reads: [8]
        ) {
            time += 400
            return Moment(unixMilliseconds: 0, monotonicMilliseconds: time)
        }
        #expect(found.text == body(1...3) + body(4...6) + body(7...7))
    }

    @Test func patienceLastsFromTheFirstDocument() throws {
        func at(_ milliseconds: Int64) -> Moment { Moment(unixMilliseconds: 0, monotonicMilliseconds: milliseconds) }
        var bulk = Bulk(try BulkRequest(), limits: .init(milliseconds: 1000))
        nonisolated(unsafe) var written: [UInt8] = []
        var output = Output(lines: OutputBuffer { written += $0 })
        #expect(bulk.patience(at: at(5)) == nil)
        try bulk.consume(Array(documents(1...1).utf8).span, firstLine: 1, now: at(10), into: &output)
        #expect(bulk.patience(at: at(10)) == 1000)
        try bulk.consume(Array(documents(2...2).utf8).span, firstLine: 2, now: at(500), into: &output)
        #expect(bulk.patience(at: at(500)) == 510)
        bulk.wake(now: at(1010), into: &output)
        #expect(bulk.patience(at: at(1010)) == nil)
        output.flush()
        #expect(String(decoding: written, as: UTF8.self) == body(1...2))
    }

    @Test func aBarrierClosesTheBatch() throws {
        let session = String(repeating: "0a", count: 16)
        func barrier(_ kind: String) -> String { "\u{1E}barrier\t\(session)\t1\t\(kind)\t\t\n" }
        let input =
            barrier("open") + documents(1...2) + barrier("commit") + barrier("commit") + documents(3...3)
            + barrier("close")
        let found = try run(Bulk(BulkRequest()), Array(input.utf8)).text
        #expect(
            found == barrier("open") + body(1...2) + barrier("commit") + barrier("commit") + body(3...3)
                + barrier("close"))
    }

    @Test func malformedLinesLeaveNothingBehind() throws {
        let input = Array((documents(1...1) + "{\"n\":\n" + documents(2...2) + "{}\n{}{}\n").utf8)
        let request = try BulkRequest(id: FieldPath.list(parsing: "n"))
        for reads in [[1 << 16], [1]] {
            let found = try run(Bulk(request), input, reads: reads, rejecting: true)
            #expect(found.text == "{\"index\":{\"_id\":\"1\"}}\n{\"n\":1}\n{\"index\":{\"_id\":\"2\"}}\n{\"n\":2}\n\n")
            #expect(
                String(decoding: found.rejects, as: UTF8.self) == """
                    line 2: not JSON: a comma, colon, bracket or brace is missing or one too many\t{"n":
                    line 4: field "n" is missing\t{}
                    line 5: not JSON: a comma, colon, bracket or brace is missing or one too many\t{}{}

                    """)
        }
    }

    @Test func whatCameBeforeAMalformedLineIsPutOut() throws {
        var bulk = Bulk(try BulkRequest())
        nonisolated(unsafe) var written: [UInt8] = []
        var output = Output(lines: OutputBuffer { written += $0 })
        let now = Moment(unixMilliseconds: 0, monotonicMilliseconds: 0)
        #expect(throws: MalformedLine<Bulk.Problem>.self) {
            try bulk.consume(Array((documents(1...2) + "x\n").utf8).span, firstLine: 1, now: now, into: &output)
        }
        output.flush()
        #expect(String(decoding: written, as: UTF8.self) == body(1...2))
    }
}
