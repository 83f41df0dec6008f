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
        #expect(messages(ended).first == "es-load: trying again for up to 5m: 503 some_exception: as ordered: 503")
        #expect(messages(ended).contains { $0.hasPrefix("es-load: it goes on, after ") })
        // A connection that is gone before the first byte of a reply libcurl opens anew by itself.
        let numbers = try summary(ended)
        #expect(numbers["read"] == "6" && numbers["done"] == "6" && numbers["rejected"] == "0")
        #expect(numbers["retried"] == "15" && numbers["requests"] == "9")
        #expect(numbers["busy"] == "2" && numbers["unavailable"] == "4" && numbers["lost"] == "1")
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
        let ended = try server.shell("es-load --in-flight 1", input: .text(bodies.joined()))
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
        #expect(try summary(ended)["done"] == "9")
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
        #expect(refused == "_id \(large): 413 too large for the server\t{\"n\":\(large)}\n")
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
        #expect(messages(ended).last == "es-load: 2 documents were refused; they are in \(folder.file("refused"))")
        let numbers = try summary(ended)
        #expect(numbers["read"] == "5" && numbers["done"] == "3" && numbers["rejected"] == "2")
        #expect(numbers["retried"] == "1" && numbers["requests"] == "3")
    }

    @Test func withoutAFileTheFirstRefusedDocumentEndsIt() throws {
        let server = try BrokenServer()
        let ended = try server.load(["1", "\"x\"", "3"], bulk: ["--max-docs", "2"])
        #expect(ended.ending == .status(65))
        let refused = "line 3: refused: \(Self.reason) (--reject FILE puts such documents aside)"
        #expect(ended.errorText == "es-load: \(refused)\n")
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
        ("401", 77, "not permitted: 401 some_exception: as ordered: 401"),
        ("403", 77, "not permitted: 403 some_exception: as ordered: 403"),
        ("404", 69, "the server answers 404 some_exception: as ordered: 404"),
        ("301", 69, "the server answers 301 some_exception: as ordered: 301"),
    ]) func whatNoTryMendsEndsItAtOnce(_ order: String, _ status: Int32, _ message: String) throws {
        let server = try BrokenServer(order)
        let ended = try server.load(numbers(1...2))
        #expect(ended.ending == .status(status))
        #expect(ended.errorText == "es-load: \(message)\n")
        #expect(try server.requests().count == 1)
    }

    @Test(arguments: ["html", "cut", "count", "408", "500", "502", "520", "524", "429", "503+1"])
    func whatIsNoAnswerOrMayPassLaterIsSentAgain(_ order: String) throws {
        let server = try BrokenServer(order, order)
        let ended = try server.load(numbers(1...3), ["--summary"])
        #expect(ended.ending == .status(0), "\(ended.errorText)")
        #expect(try server.numbers() == [1, 2, 3])
        #expect(try server.requests().count == 3)
        #expect(try summary(ended)["rejected"] == "0")
        #expect(messages(ended)[0].hasPrefix("es-load: trying again for up to 5m: "), "\(ended.errorText)")
    }

    @Test func aRequestThatIsRefusedWholeAndInAllItsPartsEndsIt() throws {
        let server = try BrokenServer(orders: Array(repeating: "400", count: 20))
        let folder = try TemporaryFolder()
        let ended = try server.load(numbers(1...4), ["--reject", folder.file("refused")])
        #expect(ended.ending == .status(65))
        #expect(ended.errorText == "es-load: the server refuses the request: 400 some_exception: as ordered: 400\n")
        #expect(try contents(of: folder.file("refused")) == [])
    }

    @Test func oneDocumentForWhichAWholeRequestIsRefusedIsFoundAndPutAside() throws {
        let server = try BrokenServer("poison")
        let folder = try TemporaryFolder()
        let lines = (1...50).map { "{\"n\":\($0)\($0 == 17 ? ",\"poison\":1" : "")}\n" }.joined()
        let ended = try server.shell(
            "es-bulk --index w --id n | es-load --reject \(folder.file("refused"))", input: .text(lines))
        #expect(ended.ending == .status(65))
        #expect(try server.numbers() == Array(1...50).filter { $0 != 17 })
        let refused = String(decoding: try contents(of: folder.file("refused")), as: UTF8.self)
        #expect(refused == "_id 17: 400 some_exception: as ordered: 400\t{\"n\":17,\"poison\":1}\n")
    }

    @Test func aRestartAddsToTheFileOfRefusedDocuments() throws {
        let folder = try TemporaryFolder()
        for _ in 1...2 {
            let server = try BrokenServer()
            _ = try server.load(["\"x\""], ["--reject", folder.file("refused")])
        }
        let refused = String(decoding: try contents(of: folder.file("refused")), as: UTF8.self)
        #expect(refused == String(repeating: "\(Self.reason)\t{\"n\":\"x\"}\n", count: 2))
    }

    @Test func aLoneSurrogateInAReplyHidesNoOtherDocument() throws {
        let server = try BrokenServer("lone")
        let folder = try TemporaryFolder()
        let ended = try server.load(["1", "\"x\"", "3"], ["--reject", folder.file("refused"), "--summary"])
        #expect(try summary(ended)["done"] == "2")
        #expect(try server.numbers() == [1, 3])
        #expect(String(decoding: try contents(of: folder.file("refused")), as: UTF8.self).hasPrefix("_id x: 400 "))
    }

    @Test(arguments: [
        ("404/index_not_found_exception", 69), ("400/index_closed_exception", 69), ("403/security_exception", 77),
        ("400/invalid_index_name_exception", 69),
    ]) func whatIsAboutTheIndexEndsItAndNothingIsPutAsideOrAcknowledged(_ item: String, _ status: Int32) throws {
        let server = try BrokenServer("items=\(item):2")
        let folder = try TemporaryFolder()
        let stream = barrier("open", 0) + "{\"n\":1}\n{\"n\":2}\n" + barrier("commit", 1) + barrier("close", 2)
        let ended = try server.shell(
            "mkfifo \(folder.file("acks")); exec 3<> \(folder.file("acks")); es-bulk --index w --id n |"
                + " es-load --in-flight 1 --reject \(folder.file("refused")) --ack \(folder.file("acks")); status=$?;"
                + " read -t 0 -u 3 && echo acknowledged; exit $status", input: .text(stream))
        #expect(ended.ending == .status(status))
        #expect(ended.outputText == "")
        #expect(try contents(of: folder.file("refused")) == [])
    }

    @Test func aBlockIsWaitedForAndTold() throws {
        let server = try BrokenServer("items=403/cluster_block_exception:1", "items=429/cluster_block_exception:1")
        let ended = try server.load(numbers(1...2), ["--summary"])
        #expect(ended.ending == .status(0))
        #expect(
            messages(ended)[0]
                == "es-load: trying again for up to 5m: 403 cluster_block_exception (1 of 2 documents)")
        #expect(try summary(ended)["blocked"] == "1" && summary(ended)["busy"] == "1")
        #expect(try server.numbers() == [1, 2])
    }

    @Test func aDeleteOfAMissingIndexIsNotDone() throws {
        let server = try BrokenServer("items=404/index_not_found_exception:1")
        let ended = try server.load(["1"], bulk: ["--action", "delete"])
        #expect(ended.ending == .status(69))
    }

    @Test func anErrorOfTheServersOwnForADocumentIsTriedAgainBeforeTheDocumentIsBlamed() throws {
        let folder = try TemporaryFolder()
        let once = try BrokenServer("items=500/x:2", "items=500/x:1")
        #expect(try once.load(numbers(1...3), ["--reject", folder.file("none")]).ending == .status(0))
        #expect(try once.numbers() == [1, 2, 3])
    }

    @Test func theServerSaysHowLongToWait() throws {
        let server = try BrokenServer("429+2")
        let ended = try server.load(numbers(1...2))
        #expect(ended.ending == .status(0))
        #expect(ended.seconds >= 2)
    }

    @Test func theSizeThatWasTooLargeIsRemembered() throws {
        let server = try BrokenServer("limit=150")
        let ended = try server.load(numbers(1...90), ["--summary"], bulk: ["--max-docs", "9"])
        #expect(ended.ending == .status(0))
        #expect(try server.numbers() == Array(1...90))
        #expect(try server.requests().filter { $0.hasSuffix("413") }.count <= 4)
    }

    @Test func aNewerVersionThatIsThereIsDone() throws {
        let server = try BrokenServer("versions")
        let body = [(7, "a"), (5, "a"), (5, "b")].map { version, id in
            "{\"index\":{\"_index\":\"w\",\"_id\":\"\(id)\",\"version\":\(version),\"version_type\":\"external_gte\"}}\n"
                + "{\"n\":\(version)}\n"
        }
        let ended = try server.shell("es-load --summary", input: .text(body.joined()))
        #expect(ended.ending == .status(0))
        #expect(try summary(ended)["done"] == "2" && summary(ended)["superseded"] == "1")
        #expect(try server.documents() == ["w\ta\t{\"n\":7}", "w\tb\t{\"n\":5}"])
    }

    @Test func ofSeveralHostsADeadOneIsLeftOut() throws {
        let server = try BrokenServer()
        let ended = try server.load(
            numbers(1...40), ["--url", "http://127.0.0.1:1", "--url", server.url, "--summary"],
            bulk: ["--max-docs", "2"])
        #expect(ended.ending == .status(0))
        #expect(try server.numbers() == Array(1...40))
        #expect(Int(try summary(ended)["lost"] ?? "") ?? 99 <= 3)
    }

    @Test func everyDocumentOfSeveralBatchesRefusedForOneReasonEndsIt() throws {
        let server = try BrokenServer()
        let folder = try TemporaryFolder()
        let ended = try server.load(
            Array(repeating: "\"x\"", count: 400), ["--reject", folder.file("refused")], bulk: ["--max-docs", "50"])
        #expect(ended.ending == .status(65))
        let message = "every document of 3 batches in a row was refused, the last with 400 "
        #expect(ended.errorText.hasPrefix("es-load: \(message)"))
    }

    @Test func killedHardItLeavesNothingRunning() throws {
        let server = try BrokenServer("slow=60")
        let (reading, input) = try makePipe()
        let program = try Program(
            [Repository.tool("es-load")], input: .descriptor(reading), environment: server.environment)
        close(reading)
        try write(Array("{\"index\":{\"_index\":\"w\"}}\n{\"n\":1}\n\n".utf8), to: input)
        #expect(try eventually { try server.requests().count == 1 })
        program.send(SIGKILL)
        // Returns when all that it has started is gone as well.
        #expect(try program.wait(deadline: 20).ending == .signal(SIGKILL))
        close(input)
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
        #expect(ended.errorText.contains("Couldn't connect to server"))
    }

    @Test func nothingGetsDoneIsWhatItCountsAndNotHowLongItAllTakes() throws {
        let server = try BrokenServer(
            "slow=0.7", "items=429:1,2,3,4,5", "slow=0.7", "items=429:1", "slow=0.7", "items=429:1")
        let ended = try server.load(numbers(1...18), ["--retry-for", "1s"], bulk: ["--max-docs", "6"])
        #expect(ended.ending == .status(0), "\(ended.errorText)")
        #expect(try server.numbers() == Array(1...18))
    }
}
