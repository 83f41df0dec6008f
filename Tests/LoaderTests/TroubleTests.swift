import Glibc
import TestSupport
import Testing

/// What may go wrong at the other end: nothing is lost, nothing is doubled, and what is refused is told.
@Suite struct TroubleTests {
    @Test func batchesAndDocumentsThatHadNoRoomAreSentAgain() throws {
        let server = try BrokenServer("503", "429", "drop", "items=429:1,3", "cut", "items=503:2", "502", "ok", "504")
        let ended = try server.load(numbers(1...6), ["--summary"], bulk: ["--max-docs", "3", "--action", "create"])
        #expect(ended.ending == .status(0))
        #expect(try server.numbers() == Array(1...6))
        #expect(
            try server.requests() == [
                "/_bulk 3 503", "/_bulk 3 429", "/_bulk 3 drop", "/_bulk 3 items=429:1,3", "/_bulk 2 cut",
                "/_bulk 2 items=503:2", "/_bulk 1 502", "/_bulk 1 ok", "/_bulk 3 504", "/_bulk 3 ok",
            ])
        #expect(
            ended.errorText.split(separator: "\n").map(String.init) == [
                "es-load: trying again for up to 5m: 503 some_exception: as ordered: 503",
                "es-load: trying again for up to 5m: 504 some_exception: as ordered: 504",
                #"{"tool":"es-load","read":6,"done":6,"rejected":0,"retried":18,"requests":10,"acked":null}"#,
            ])
    }

    @Test func anAnswerThatComesTooLateIsNotWaitedForAndTheIdKeepsItOne() throws {
        let server = try BrokenServer("slow=20")
        let ended = try server.load(numbers(1...2), ["--timeout", "500ms"])
        #expect(ended.ending == .status(0))
        #expect(ended.errorText.hasPrefix("es-load: trying again for up to 5m: curl: (28) Operation timed out"))
        #expect(ended.seconds < 15)
        #expect(try server.numbers() == [1, 2])
        #expect(try server.requests().count == 2)
    }

    @Test func aSlowServerIsWaitedFor() throws {
        let server = try BrokenServer("slow=1", "slow=1")
        #expect(try server.load(numbers(1...4), bulk: ["--max-docs", "2"]).errorText == "")
        #expect(try server.requests() == ["/_bulk 2 slow=1", "/_bulk 2 slow=1"])
    }

    @Test func anOlderDocumentThatIsSentAgainDoesNotOverwriteTheNewer() throws {
        let server = try BrokenServer("items=429:1,4")
        let bodies = [(1, "a"), (2, "b"), (3, "a"), (4, "b")].map {
            "{\"index\":{\"_index\":\"w\",\"_id\":\"\($1)\"}}\n{\"n\":\($0)}\n"
        }
        let ended = try server.shell("es-load", input: .text(bodies.joined()))
        #expect(ended.ending == .status(0))
        #expect(try server.documents() == ["w\ta\t{\"n\":3}", "w\tb\t{\"n\":4}"])
        #expect(try server.requests() == ["/_bulk 4 items=429:1,4", "/_bulk 3 ok"])
    }

    @Test func documentsWithoutAnIdAreNotSentAgainOnceTheyAreStored() throws {
        let server = try BrokenServer("items=429:2")
        let ended = try server.shell("es-bulk --index w | es-load", input: .text("{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n"))
        #expect(ended.ending == .status(0))
        #expect(
            try server.documents().map { $0.split(separator: "\t")[2] }.sorted() == [
                "{\"n\":1}", "{\"n\":2}", "{\"n\":3}",
            ])
    }

    @Test func aBatchThatIsTooLargeIsHalvedUntilItFits() throws {
        let server = try BrokenServer("limit=150")
        let ended = try server.load(numbers(1...9), ["--summary"])
        #expect(ended.ending == .status(0))
        #expect(try server.numbers() == Array(1...9))
        #expect(
            try server.requests().filter { $0.hasSuffix("ok") } == [
                "/_bulk 3 ok", "/_bulk 2 ok", "/_bulk 2 ok", "/_bulk 2 ok",
            ])
        #expect(ended.errorText.hasPrefix(#"{"tool":"es-load","read":9,"done":9,"rejected":0,"#))
    }

    @Test func aDocumentThatIsTooLargeAloneIsRefused() throws {
        let server = try BrokenServer("limit=150")
        let folder = try TemporaryFolder()
        let large = "1\(String(repeating: "0", count: 200))"
        let ended = try server.load(["1", large, "3"], ["--reject", folder.file("refused")])
        #expect(ended.ending == .status(65))
        #expect(ended.errorText == "es-load: 1 document was refused; it is in \(folder.file("refused"))\n")
        #expect(try server.numbers() == [1, 3])
        let refused = String(decoding: try contents(of: folder.file("refused")), as: UTF8.self)
        #expect(refused == "413 too large for the server\t{\"n\":\(large)}\n")
    }

    static let reason =
        "_id x: 400 document_parsing_exception: failed to parse field [n]; "
        + "illegal_argument_exception: For input string: \"x\""

    @Test func refusedDocumentsGoToTheFileWithTheReason() throws {
        let server = try BrokenServer("items=429:4")
        let folder = try TemporaryFolder()
        let ended = try server.load(
            ["1", "\"x\"", "3", "4", "\"x\""], ["--reject", folder.file("refused"), "--summary"],
            bulk: ["--max-docs", "4"])
        #expect(ended.ending == .status(65))
        #expect(try server.numbers() == [1, 3, 4])
        let refused = String(decoding: try contents(of: folder.file("refused")), as: UTF8.self)
        #expect(refused == String(repeating: "\(Self.reason)\t{\"n\":\"x\"}\n", count: 2))
        #expect(
            ended.errorText == """
                es-load: 2 documents were refused; they are in \(folder.file("refused"))
                {"tool":"es-load","read":5,"done":3,"rejected":2,"retried":1,"requests":3,"acked":null}

                """)
    }

    @Test func withoutAFileTheFirstRefusedDocumentEndsIt() throws {
        let server = try BrokenServer()
        let ended = try server.load(["1", "\"x\"", "3"], bulk: ["--max-docs", "2"])
        #expect(ended.ending == .status(65))
        #expect(ended.errorText == "es-load: refused: \(Self.reason) (--reject FILE puts such documents aside)\n")
        #expect(try server.numbers() == [1])
    }

    @Test func aDocumentThatIsThereAlreadyIsCreatedAndOneThatIsGoneIsDeleted() throws {
        let server = try BrokenServer()
        for _ in 1...2 { #expect(try server.load(numbers(1...2), bulk: ["--action", "create"]).errorText == "") }
        #expect(try server.numbers() == [1, 2])
        for _ in 1...2 { #expect(try server.load(numbers(1...2), bulk: ["--action", "delete"]).errorText == "") }
        #expect(try server.numbers() == [])
    }

    @Test(arguments: [
        ("400", 65, "the server refuses the batch: 400 some_exception: as ordered: 400"),
        ("401", 77, "not permitted: 401 some_exception: as ordered: 401"),
        ("403", 77, "not permitted: 403 some_exception: as ordered: 403"),
        ("404", 69, "the server answers 404 some_exception: as ordered: 404"),
        ("500", 69, "the server answers 500 some_exception: as ordered: 500"),
        (
            "html", 69,
            "not the answer of a search server: not JSON: a comma, colon, bracket or brace is missing or one too many"
        ),
    ]) func whatNoTryMendsEndsItAtOnce(_ order: String, _ status: Int32, _ message: String) throws {
        let server = try BrokenServer(order)
        let ended = try server.load(numbers(1...2))
        #expect(ended.ending == .status(status))
        #expect(ended.errorText == "es-load: \(message)\n")
        #expect(try server.requests().count == 1)
    }

    @Test func itGivesUpInTimeAndSaysWhy() throws {
        let server = try BrokenServer("503", "503", "503", "503", "503", "503", "503", "503", "503")
        let ended = try server.load(numbers(1...2), ["--retry-for", "1s"])
        #expect(ended.ending == .status(69))
        #expect(
            ended.errorText == """
                es-load: trying again for up to 1s: 503 some_exception: as ordered: 503
                es-load: gave up after 1s: 503 some_exception: as ordered: 503

                """)
        #expect(ended.seconds < 20)
        #expect(try server.requests().count > 2)
    }

    @Test func withoutAServerItGivesUpAsWell() throws {
        let ended = try bash(
            "echo '{\"n\":1}' | es-bulk --index w | es-load --url http://127.0.0.1:1 --retry-for 300ms")
        #expect(ended.ending == .status(69))
        #expect(ended.errorText.hasSuffix("Couldn't connect to server\n"))
    }

    @Test func nothingGetsDoneIsWhatItCountsAndNotHowLongItAllTakes() throws {
        let server = try BrokenServer(
            "slow=0.7", "items=429:1,2,3,4,5", "slow=0.7", "items=429:1", "slow=0.7", "items=429:1")
        let ended = try server.load(numbers(1...18), ["--retry-for", "1s"], bulk: ["--max-docs", "6"])
        #expect(ended.errorText == "")
        #expect(try server.numbers() == Array(1...18))
    }
}
