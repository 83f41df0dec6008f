import Bytes
import JSONFilters
import TestSupport
import Testing

@Suite struct BulkRepliesTests {
    func lines(_ response: String) throws -> [String] {
        try run(BulkReplies(), Array(response.utf8) + [0x0A]).text.split(separator: "\n").map(String.init)
    }

    func problem(_ response: String) -> String? {
        do {
            _ = try lines(response)
            return nil
        } catch { return (error as? MalformedLine<BulkReplies.Problem>)?.problem.description }
    }

    /// As Elasticsearch 8 writes them.
    @Test func whatBecameOfEachItem() throws {
        let response = #"""
            {"errors":true,"took":486,"ingest_took":0,"items":[
            {"index":{"_index":"words","_id":"w,the","_version":2,"result":"updated","forced_refresh":true,"_shards":{"total":2,"successful":1,"failed":0},"_seq_no":9,"_primary_term":1,"status":200}},
            {"create":{"_index":"words","_id":"w,of","status":409,"error":{"type":"version_conflict_engine_exception","reason":"[w,of]: version conflict, document already exists (current version [1])","index_uuid":"aAsFqTI0Tc2W0LCWgPNrOA","shard":"0","index":"words"}}},
            {"index":{"_index":"words","_id":"w,to","status":400,"error":{"type":"document_parsing_exception","reason":"[1:9] failed to parse field [count] of type [long] in document with id 'w,to'. Preview of field's value: 'x'","caused_by":{"type":"illegal_argument_exception","reason":"For input string: \"x\""}}}},
            {"index":{"_index":"words","_id":"w,a","status":429,"error":{"type":"es_rejected_execution_exception","reason":"rejected execution of coordinating operation"}}},
            {"update":{"_index":"words","_id":"6","status":404,"error":{"type":"document_missing_exception","reason":"[6]: document missing"}}},
            {"delete":{"_index":"words","_id":"7","_version":1,"result":"not_found","status":404}}]}
            """#.split(separator: "\n").joined()
        #expect(
            try lines(response) == [
                "1\tdone\t200\tw,the\t",
                "2\tdone\t409\tw,of\tversion_conflict_engine_exception: [w,of]: version conflict, document already exists (current version [1])",
                "3\tfailed\t400\tw,to\tdocument_parsing_exception: [1:9] failed to parse field [count] of type [long] in document with id 'w,to'."
                    + " Preview of field's value: 'x'; illegal_argument_exception: For input string: \"x\"",
                "4\tretry\t429\tw,a\tes_rejected_execution_exception: rejected execution of coordinating operation",
                "5\tfailed\t404\t6\tdocument_missing_exception: [6]: document missing",
                "6\tdone\t404\t7\t",
            ])
    }

    @Test(arguments: [
        (200, "done", "done", "done", "done"), (201, "done", "done", "done", "done"),
        (400, "failed", "failed", "failed", "failed"),
        (404, "failed", "failed", "failed", "done"), (409, "failed", "done", "retry", "failed"),
        (413, "failed", "failed", "failed", "failed"),
        (429, "retry", "retry", "retry", "retry"), (500, "retry", "retry", "retry", "retry"),
        (502, "retry", "retry", "retry", "retry"),
        (503, "retry", "retry", "retry", "retry"), (504, "retry", "retry", "retry", "retry"),
        (301, "failed", "failed", "failed", "failed"),
    ]) func theOutcomeOfAStatus(_ status: Int, _ index: String, _ create: String, _ update: String, _ delete: String)
        throws
    {
        for (action, outcome) in [("index", index), ("create", create), ("update", update), ("delete", delete)] {
            #expect(
                try lines("{\"items\":[{\"\(action)\":{\"status\":\(status)}}]}") == ["1\t\(outcome)\t\(status)\t\t"])
        }
    }

    @Test func aRequestRefusedAsAWholeHasPosition0() throws {
        let busy =
            #"{"error":{"root_cause":[{"type":"x","reason":"y"}],"type":"es_rejected_execution_exception","reason":"rejected"},"status":429}"#
        #expect(try lines(busy) == ["0\tretry\t429\t\tes_rejected_execution_exception: rejected"])
        #expect(
            try lines(#"{"error":"Incorrect HTTP method for uri [/_bulk]","status":405}"#) == [
                "0\tfailed\t405\t\tIncorrect HTTP method for uri [/_bulk]"
            ])
    }

    @Test func positionsBeginAnewInEachResponse() throws {
        let one = #"{"items":[{"index":{"_id":"a","status":201}},{"index":{"_id":"b","status":503}}]}"#
        let found = try run(BulkReplies(), Array("\(one)\n{\"items\":[]}\n\(one)\n".utf8), reads: [7])
        #expect(found.text == String(repeating: "1\tdone\t201\ta\t\n2\tretry\t503\tb\t\n", count: 2))
        #expect(found.summary.json == "{\"done\":2,\"retry\":2,\"failed\":0,\"halt\":0}")
    }

    @Test func fieldsNeverHoldATabOrALineEnd() throws {
        #expect(
            try lines(
                #"{"items":[{"index":{"_id":"a\tb\nc\\","status":400,"error":{"type":"t\t","reason":"\r\u0000é"}}}]}"#)
                == ["1\tfailed\t400\ta b c\\\tt :   é"])
    }

    @Test func onlyWhatTheResponseHasIsPrinted() throws {
        #expect(
            try lines(
                #"{"items":[{"index":{"status":400,"error":{"reason":"r"}}},{"index":{"status":400,"error":{"type":"t"}}},{"index":{"status":400,"error":"text"}},{"index":{"status":400,"error":null}}]}"#
            )
                == ["1\tfailed\t400\t\tr", "2\tfailed\t400\t\tt", "3\tfailed\t400\t\ttext", "4\tfailed\t400\t\t"])
    }

    @Test func causesAreFollowedOnlySoFar() throws {
        var error = "{\"type\":\"9\"}"
        for level in (1...8).reversed() { error = "{\"type\":\"\(level)\",\"caused_by\":\(error)}" }
        #expect(
            try lines("{\"items\":[{\"index\":{\"status\":400,\"error\":\(error)}}]}") == [
                "1\tfailed\t400\t\t1; 2; 3; 4"
            ])
    }

    @Test(arguments: [
        ("{}", "not a bulk response: it has no items, and no error with a status"), ("[]", "JSON, but not an object"),
        ("{\"items\":{}}", "not a bulk response: it has no items, and no error with a status"),
        ("{\"error\":\"x\"}", "not a bulk response: it has no items, and no error with a status"),
        ("<html>502 Bad Gateway</html>", "not JSON: a comma, colon, bracket or brace is missing or one too many"),
        ("{\"items\":[1]}", "not a bulk response: item 1 is not one action with a status"),
        (
            "{\"items\":[{\"index\":{\"status\":200}},{}]}",
            "not a bulk response: item 2 is not one action with a status"
        ),
        ("{\"items\":[{\"index\":{}}]}", "not a bulk response: item 1 is not one action with a status"),
        (
            "{\"items\":[{\"index\":{\"status\":\"200\"}}]}",
            "not a bulk response: item 1 is not one action with a status"
        ),
        (
            "{\"items\":[{\"index\":{\"status\":200},\"x\":1}]}",
            "not a bulk response: item 1 is not one action with a status"
        ),
        ("{\"items\":[{\"index\":{\"sta", "not JSON: a string has no end"),
    ]) func whatIsNoBulkResponse(_ response: String, _ reason: String) {
        #expect(problem(response) == reason)
    }

    @Test func aResponseThatIsBadInTheMiddleIsRejectedAsAWhole() throws {
        let input = Array(
            "{\"items\":[{\"index\":{\"status\":200}},{}]}\n{\"items\":[{\"index\":{\"status\":200}}]}\n".utf8)
        let found = try run(BulkReplies(), input, rejecting: true)
        #expect(found.text == "1\tdone\t200\t\t\n")
        #expect(found.summary.json == "{\"done\":1,\"retry\":0,\"failed\":0,\"halt\":0}")
    }
}
