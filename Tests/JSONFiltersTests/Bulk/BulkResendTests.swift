import Bytes
import JSONFilters
import TestSupport
import Testing

@Suite struct BulkResendTests {
    /// An item about document `id` with what the server says of it.
    struct Item {
        var action = "index"
        let id: String?
        let status: Int

        var line: String {
            "{\"\(action)\":{\"_index\":\"w\"" + (id.map { ",\"_id\":\"\($0)\"" } ?? "") + "}}\n"
        }
        func text(_ number: Int) -> String { line + (action == "delete" ? "" : "{\"n\":\(number)}\n") }
        var answer: String {
            let error = status < 300 ? "" : ",\"error\":{\"type\":\"t\",\"reason\":\"r\\t\"}"
            return "{\"\(action)\":{\(id.map { "\"_id\":\"\($0)\"," } ?? "")\"status\":\(status)\(error)}}"
        }
    }

    func sorted(_ items: [Item]) throws -> String {
        let body = items.enumerated().map { $1.text($0 + 1) }.joined()
        let answer = "{\"items\":[" + items.map(\.answer).joined(separator: ",") + "]}"
        return try run(BulkResend(body: Array(body.utf8)), Array(answer.utf8), reads: [7]).text
    }

    /// What comes out when these items are to be sent again.
    func output(_ again: [(Item, Int)], done: Int, failed: Int = 0, _ failures: String = "") -> String {
        let body = again.map { $0.text($1) }.joined()
        return "\(again.count)\t\(body.utf8.count)\t\(done)\t\(failed)\n\(body)\(failures)"
    }

    @Test func whatIsDoneIsOnlyCounted() throws {
        #expect(
            try sorted([Item(id: "a", status: 200), Item(action: "create", id: "b", status: 409)]) == "0\t0\t2\t0\n")
    }

    @Test func whatIsToBeRetriedIsABodyAgainAndWhatFailedHasAReason() throws {
        let items = [
            Item(id: "a", status: 429), Item(id: "b", status: 400), Item(id: "c", status: 201),
            Item(action: "delete", id: "d", status: 503), Item(action: "delete", id: "e", status: 403),
            Item(id: nil, status: 400),
        ]
        #expect(
            try sorted(items)
                == output(
                    [(items[0], 1), (items[3], 4)], done: 1, failed: 3,
                    "_id b: 400 t: r \t{\"n\":2}\n_id e: 403 t: r \t\(items[4].line)400 t: r \t{\"n\":6}\n"))
    }

    @Test func whatIsDoneBehindAnOlderOfTheSameDocumentIsSentAgainAfterIt() throws {
        let items = [
            Item(id: "a", status: 200), Item(id: "a", status: 429), Item(id: "b", status: 200),
            Item(action: "delete", id: "a", status: 200), Item(id: "a", status: 400),
        ]
        #expect(
            try sorted(items)
                == output([(items[1], 2), (items[3], 4)], done: 2, failed: 1, "_id a: 400 t: r \t{\"n\":5}\n"))
    }

    @Test func withoutAnIdNothingIsAboutTheSameDocument() throws {
        let items = [Item(id: nil, status: 429), Item(id: nil, status: 201)]
        #expect(try sorted(items) == output([(items[0], 1)], done: 1))
        // The text of an id, but not as the name of a member.
        let body = "{\"index\":{\"_index\":\"x\\\"_id\\\":\",\"pipeline\":\"_id\"}}\n{}\n"
        let answer = "{\"items\":[{\"index\":{\"status\":429}},{\"index\":{\"status\":201}}]}"
        let found = try run(BulkResend(body: Array((body + body).utf8)), Array(answer.utf8)).text
        #expect(found == "1\t\(body.utf8.count)\t1\t0\n\(body)")
    }

    func problem(_ body: String, _ answer: String) -> String? {
        do {
            _ = try run(BulkResend(body: Array(body.utf8)), Array(answer.utf8))
            return nil
        } catch { return (error as? MalformedLine<BulkResend.Problem>)?.description }
    }

    @Test func whatIsNoAnswerToTheBodyIsMalformed() throws {
        let (body, one) = ("{\"index\":{}}\n{}\n", "{\"index\":{\"status\":200}}")
        #expect(problem(body, "{\"items\":[]}") == "line 1: a response for 0 items, but 1 were posted")
        #expect(problem(body, "{\"items\":[\(one),\(one)]}") == "line 1: a response for 2 items, but 1 were posted")
        #expect(problem(body, "{\"items\":[\(one)]}\n\n") == "line 2: expected one response")
        #expect(problem(body, "") == "line 1: expected one response")
        #expect(problem(body, "<html>")?.hasPrefix("line 1: not JSON: ") == true)
        #expect(
            problem(body, "{\"error\":\"x\",\"status\":429}")
                == "line 1: not a bulk response: it has no items, and no error with a status")
        #expect(problem(body, "{\"items\":[\(one)]}") == nil)
        #expect(problem(String(body.dropLast()), "{\"items\":[\(one)]}\n") == nil)
    }
}
