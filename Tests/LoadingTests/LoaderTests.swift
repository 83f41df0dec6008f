import Bytes
import Loading
import Testing

/// The loader by hand: events and the time in, actions out.
@Suite struct LoaderTests {
    /// A loader with what it has posted and not been answered.
    struct Bench: ~Copyable {
        var loader: Loader
        var time: Int64 = 0
        var posted: [(lane: Int, host: Int, documents: [Int])] = []
        var said: [String] = []
        var aside: [String] = []
        var ended: LoadFailure??

        init(_ set: (inout Loader.Settings) -> Void = { _ in }) {
            var settings = Loader.Settings()
            set(&settings)
            loader = Loader(settings)
        }

        var now: Moment { Moment(unixMilliseconds: time, monotonicMilliseconds: time) }

        /// A batch of documents, each with its key.
        mutating func take(_ documents: [(key: String, number: Int)], ends: Bool = true) {
            let lines = documents.map { "{\"index\":{\"_index\":\"w\",\"_id\":\"\($0.key)\"}}\n{\"n\":\($0.number)}\n" }
            loader.take(Array((lines.joined() + (ends ? "\n" : "")).utf8).span, firstLine: 1, now: now)
            note()
        }

        mutating func pause() {
            loader.pause(now: now)
            note()
        }

        mutating func end() {
            loader.endInput(now: now)
            note()
        }

        mutating func wait(_ milliseconds: Int64) {
            time += milliseconds
            loader.wake(now: now)
            note()
        }

        /// Answers the oldest request, each document with its status.
        mutating func answer(_ statuses: [Int]) {
            let items = statuses.map { #"{"index":{"status":\#($0)\#($0 > 299 ? #","error":{"type":"t"}"# : "")}}"# }
            let body = "{\"items\":[\(items.joined(separator: ","))]}"
            reply(.answered(status: 200, retryAfter: 0, body: Array(body.utf8)))
        }

        mutating func answerAll() {
            while let first = posted.first { answer(first.documents.map { _ in 201 }) }
        }

        mutating func reply(_ reply: Reply) {
            let lane = posted.removeFirst().lane
            loader.handle(reply, lane: lane, now: now)
            note()
        }

        private mutating func note() {
            for action in loader.takeActions() {
                switch action {
                case .post(let lane, let host, let body):
                    let lines = String(decoding: body.bytes, as: UTF8.self).split(separator: "\n")
                    let numbers = lines.compactMap { line in
                        line.hasPrefix("{\"n\":") ? Int(line.dropFirst(5).dropLast()) : nil
                    }
                    posted.append((lane, host, numbers))
                case .say(let text): said.append(text)
                case .putAside(let line): aside.append(String(decoding: line, as: UTF8.self))
                case .end(let failure): ended = .some(failure)
                case .keepPutAside, .acknowledge: break
                }
            }
        }
    }

    @Test func theDocumentsOfOneIdAreNeverUnderWayTwice() {
        var bench = Bench { $0.lanes = 4 }
        for number in 0..<100 {
            bench.take([("same", number)])
            bench.pause()
        }
        #expect(bench.posted.count == 1)
        var seen: [Int] = []
        while let first = bench.posted.first {
            seen += first.documents
            bench.answer(first.documents.map { _ in 201 })
        }
        #expect(seen == Array(0..<100))
    }

    @Test func lanesFillUpToTheLargestBatchWhileInputFlows() {
        var bench = Bench { $0.lanes = 2 }
        for round in 0..<6 { bench.take((0..<10).map { ("\(round)-\($0)", $0) }) }
        #expect(!bench.posted.isEmpty && bench.posted.allSatisfy { $0.documents.count == 10 })
        bench.end()
        bench.answerAll()
        #expect(bench.loader.summary.done == 60)
        #expect(bench.ended == .some(nil))
    }

    @Test func whatIsNoWholeBatchIsNotPostedWhileTheInputPauses() {
        var bench = Bench { $0.lanes = 1 }
        bench.take([("a", 1), ("b", 2)], ends: false)
        bench.pause()
        #expect(bench.posted.isEmpty)
        bench.take([("c", 3)])
        bench.pause()
        #expect(bench.posted.map(\.documents) == [[1, 2, 3]])
    }

    @Test func inputWaitsWhenTheMemoryIsFullAndGoesOnWhenItIsNot() {
        var bench = Bench { ($0.lanes, $0.memory) = (2, 1 << 20) }
        var batches = 0
        while bench.loader.wantsInput, batches < 10_000 {
            bench.take((0..<100).map { ("\(batches)-\($0)", $0) })
            batches += 1
        }
        #expect(batches < 10_000)
        #expect(bench.loader.heldBytes < 3 << 19)
        bench.answerAll()
        bench.pause()
        bench.answerAll()
        let wantsInput = bench.loader.wantsInput
        #expect(wantsInput)
        #expect(bench.loader.summary.done == batches * 100)
    }

    @Test func anOlderDocumentThatIsSentAgainTakesTheNewerOnesOfItsIdAlong() {
        var bench = Bench { $0.lanes = 1 }
        bench.take([("a", 1), ("b", 2), ("a", 3), ("c", 4)])
        bench.end()
        bench.answer([429, 201, 201, 201])
        bench.wait(200)
        #expect(bench.posted.map(\.documents) == [[1, 3]])
        bench.answer([201, 201])
        #expect(bench.loader.summary.done == 4)
        #expect(bench.ended == .some(nil))
        #expect(bench.said == ["trying again for up to 5m: 429 t (2 of 4 documents)", "it goes on, after 0s"])
    }

    @Test func itWaitsAsLongAsTheServerAsksAndNoLongerThanItsPatience() {
        var bench = Bench { $0.patience = 60_000 }
        bench.take([("a", 1)])
        bench.end()
        bench.reply(.answered(status: 503, retryAfter: 30, body: []))
        bench.wait(29_000)
        #expect(bench.posted.isEmpty)
        bench.wait(1000)
        #expect(bench.posted.count == 1)
        bench.reply(.answered(status: 503, retryAfter: 31, body: []))
        #expect(bench.ended == .some(.gaveUp(milliseconds: 60_000, reason: "503")))
    }

    @Test func hostsTakeTurnsAndOneThatIsLostIsLeftOut() {
        var bench = Bench { ($0.lanes, $0.hosts) = (1, 3) }
        var hosts: [Int] = []
        for number in 0..<8 {
            bench.take([("a", number)])
            bench.pause()
            if bench.posted.first?.host == 1 {
                bench.reply(.lost("gone"))
                bench.wait(150)
            }
            hosts.append(bench.posted.first?.host ?? -1)
            bench.answerAll()
        }
        #expect(hosts == [0, 2, 0, 2, 0, 2, 0, 2])
    }

    @Test func anErrorOfTheServersOwnIsTheDocumentsWhenOthersPassAgainAndAgain() {
        var bench = Bench { ($0.lanes, $0.putsAside) = (1, true) }
        bench.take([("a", 1), ("b", 2), ("a", 3)])
        bench.end()
        for _ in 0..<3 {
            bench.answer([500] + Array(repeating: 201, count: bench.posted[0].documents.count - 1))
            bench.wait(60_000)
        }
        #expect(bench.aside.isEmpty)
        bench.answer([500] + Array(repeating: 201, count: bench.posted[0].documents.count - 1))
        #expect(bench.aside == ["_id a: 500 t\t{\"n\":1}\n"])
        #expect(bench.loader.summary.done == 2)
        #expect(bench.ended == .some(.putAside(count: 1)))
    }

    @Test(arguments: 1...9) func whereTheInputIsCutIntoReadsDoesNotShow(_ size: Int) {
        let text =
            "{\"index\":{\"_id\":\"a\"}}\n{\"n\":1}\n{\"delete\":{\"_id\":\"b\"}}\n\n"
            + "{\"create\":{}}\n{\"n\":2}\n"
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map { "\($0)\n" }
        var bench = Bench { $0.lanes = 1 }
        for start in stride(from: 0, to: lines.count, by: size) {
            let piece = lines[start..<min(start + size, lines.count)].joined()
            bench.loader.take(Array(piece.utf8).span, firstLine: start + 1, now: bench.now)
        }
        bench.end()
        var bodies = 0
        while let first = bench.posted.first {
            bodies += 1
            bench.answer(Array(repeating: 201, count: bodies == 1 ? 2 : first.documents.count))
        }
        #expect(bodies == 2)
        #expect(bench.loader.summary.done == 3)
        #expect(bench.ended == .some(nil))
    }
}
