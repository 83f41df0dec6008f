import Bytes
import Loading
import TestSupport
import Testing

/// es-load without a clock or a socket, against a server that does what servers do, by a seed: refuses items and requests,
/// cuts replies, is down, is read-only for a while, takes only small requests, and applies what it says that it has lost.
/// es-load may be killed at any moment; the next one begins after the last epoch that was acknowledged.
@Suite struct SimulationTests {
    @Test(arguments: 0..<40) func whateverHappensTheIndexEndsWithTheInput(_ block: UInt64) throws {
        for seed in block * 25..<block * 25 + 25 {
            var world = World(seed: seed)
            try world.run()
        }
    }

    @Test func theSimulatorFindsALoaderThatAcknowledgesTooEarly() {
        #expect(throws: World.Wrong.self) {
            for seed: UInt64 in 0..<20 {
                var world = World(seed: seed)
                world.losesAcknowledged = true
                try world.run()
            }
        }
    }
}

/// One run.
struct World {
    struct Wrong: Error, CustomStringConvertible { let description: String }

    /// A document of the input: its key, what comes of it, and where in the input it stands.
    struct Document {
        var key: Int
        var number: Int
        var isBad: Bool
        /// A line for which the server refuses the whole request.
        var isPoison: Bool
    }

    private let seed: UInt64
    private var random: SeededGenerator
    private let epochs: [[Document]]
    private let lanes: Int
    private let hasVersions: Bool
    /// Set by the test of this test: the loader that was killed had acknowledged one epoch more.
    var losesAcknowledged = false

    // The server.
    private var index: [Int: Int] = [:]
    private var limit: Int
    private var readOnlyUntil: Int64 = 0
    private var trouble: Int

    // What outlives es-load.
    private var acknowledged = 0
    private var putAside: Set<Int> = []
    private var unkept: Set<Int> = []
    private var now: Int64 = 0

    init(seed: UInt64) {
        self.seed = seed
        random = SeededGenerator(seed: seed)
        var number = 0
        let keys = Int.random(in: 1...40, using: &random)
        let badness = Int.random(in: 0...8, using: &random)
        var epochs: [[Document]] = []
        for _ in 0..<Int.random(in: 1...5, using: &random) {
            var epoch: [Document] = []
            for position in 0..<Int.random(in: 0...60, using: &random) {
                number += 1
                // One that is good in each epoch: a server that refuses all there is cannot be told from a wrong request.
                let isBad = position > 0 && Int.random(in: 0..<40, using: &random) < badness
                let isPoison = isBad && Int.random(in: 0..<4, using: &random) == 0
                // What is refused has keys of its own, so that it hides no other document.
                let key = isBad ? 1000 + number : Int.random(in: 0..<keys, using: &random)
                epoch.append(Document(key: key, number: number, isBad: isBad, isPoison: isPoison))
            }
            epochs.append(epoch)
        }
        self.epochs = epochs
        lanes = Int.random(in: 1...5, using: &random)
        hasVersions = Bool.random(using: &random)
        limit = Bool.random(using: &random) ? .max : Int.random(in: 150...2000, using: &random)
        trouble = Int.random(in: 0...7, using: &random)
    }

    mutating func run() throws(Wrong) {
        var restarts = 0
        while try !lives(mayDie: restarts < 6) {
            restarts += 1
            if restarts > 40 { throw wrong("it never comes to an end") }
            // What had not been synced may be gone.
            if Bool.random(using: &random) { putAside.subtract(unkept) }
            unkept = []
            if losesAcknowledged { acknowledged += 1 }
        }
        let documents = epochs.joined()
        var expected: [Int: Int] = [:]
        for document in documents where !document.isBad { expected[document.key] = document.number }
        if index != expected {
            let differing = expected.filter { index[$0.key] != $0.value }
            throw wrong("the index has \(index.count) keys of \(expected.count); wrong: \(differing)")
        }
        let bad = Set(documents.filter(\.isBad).map(\.number))
        if putAside != bad { throw wrong("put aside \(putAside.sorted()), not \(bad.sorted())") }
    }

    private func wrong(_ text: String) -> Wrong { Wrong(description: "seed \(seed): \(text)") }

    // MARK: One life of es-load

    /// Whether it came to the end of the input.
    private mutating func lives(mayDie: Bool) throws(Wrong) -> Bool {
        var settings = Loader.Settings()
        settings.lanes = lanes
        settings.putsAside = true
        settings.acknowledges = true
        settings.memory = 1 << 20
        settings.patience = 3_600_000
        settings.seed = random.next()
        settings.hosts = Int.random(in: 1...3, using: &random)
        var loader = Loader(settings)
        var pieces = input(from: acknowledged)
        var flying: [(lane: Int, body: [UInt8], at: Int64)] = []
        let session = Array("0123456789abcdef0123456789abcdef".utf8)
        for _ in 0..<100_000 {
            for action in loader.takeActions() {
                switch action {
                case .post(let lane, _, let body):
                    if flying.contains(where: { $0.lane == lane }) { throw wrong("two requests in one lane") }
                    flying.append((lane, Array(body.bytes), now + Int64.random(in: 1...400, using: &random)))
                case .putAside(let line):
                    let number = try number(of: line)
                    putAside.insert(number)
                    unkept.insert(number)
                case .keepPutAside: unkept = []
                case .acknowledge(_, let epoch, _):
                    if !unkept.isEmpty { throw wrong("acknowledged before what was put aside was kept") }
                    try checkDone(Int(epoch))
                    acknowledged = Int(epoch)
                case .say: break
                case .end(let failure):
                    switch failure {
                    case nil, .putAside: return true
                    case .allRefused, .gaveUp: return false
                    // A request with nothing but poison in it is taken for a wrong request: a restart cuts differently.
                    case .request: return false
                    default: throw wrong("it ends with \(String(describing: failure))")
                    }
                }
            }
            if mayDie, Int.random(in: 0..<400, using: &random) == 0 {
                // What is under way may still arrive, but no later than the next life's.
                for request in flying where Bool.random(using: &random) { _ = apply(request.body) }
                return false
            }
            now += Int64.random(in: 0...200, using: &random)
            let moment = Moment(unixMilliseconds: now, monotonicMilliseconds: now)
            loader.wake(now: moment)
            if loader.wantsInput, Bool.random(using: &random) {
                if pieces.isEmpty {
                    loader.endInput(now: moment)
                } else {
                    switch pieces.removeFirst() {
                    case .lines(let text): loader.take(text.span, firstLine: 1, now: moment)
                    case .barrier(let kind, let epoch):
                        let barrier = Barrier(
                            session: session, epoch: Int64(epoch), kind: kind, watermark: nil, payload: [])
                        loader.barrier(barrier, line: 1, now: moment)
                    }
                }
            } else if Int.random(in: 0..<3, using: &random) == 0 {
                loader.pause(now: moment)
            }
            if let next = flying.indices.filter({ flying[$0].at <= now }).randomElement(using: &random) {
                let request = flying.remove(at: next)
                loader.handle(reply(to: request.body), lane: request.lane, now: moment)
            }
        }
        throw wrong("it stands still")
    }

    private enum Piece {
        case lines([UInt8])
        case barrier(Barrier.Kind, Int)
    }

    /// The stream after so many epochs.
    private mutating func input(from first: Int) -> [Piece] {
        var pieces: [Piece] = [.barrier(.open, 0)]
        let size = Int.random(in: 1...20, using: &random)
        for (number, epoch) in epochs.enumerated() where number >= first {
            var batch: [UInt8] = []
            for (position, document) in epoch.enumerated() {
                batch += line(document)
                if position % size == size - 1 || position == epoch.count - 1 {
                    batch.append(0x0A)
                    pieces.append(.lines(batch))
                    batch = []
                }
            }
            pieces.append(.barrier(number == epochs.count - 1 ? .close : .commit, number + 1))
        }
        if first >= epochs.count { pieces.append(.barrier(.close, first + 1)) }
        return pieces
    }

    private func line(_ document: Document) -> [UInt8] {
        let version = hasVersions ? #","version":\#(document.number),"version_type":"external_gte""# : ""
        let poison = document.isPoison ? #","poison":1"# : ""
        let action = #"{"index":{"_index":"w","_id":"\#(document.key)"\#(version)\#(poison)}}"#
        return Array("\(action)\n{\"n\":\(document.number)\(document.isBad ? ",\"bad\":1" : "")}\n".utf8)
    }

    /// Nothing of what an acknowledgement covers is on its way.
    private func checkDone(_ epoch: Int) throws(Wrong) {
        var last: [Int: Int] = [:]
        for document in epochs[..<min(epoch, epochs.count)].joined() {
            if document.isBad {
                if !putAside.contains(document.number) { throw wrong("epoch \(epoch) without \(document.number)") }
            } else {
                last[document.key] = document.number
            }
        }
        for (key, number) in last where (index[key] ?? 0) < number { throw wrong("epoch \(epoch) is not done: \(key)") }
    }

    private func number(of line: [UInt8]) throws(Wrong) -> Int {
        let text = String(decoding: line, as: UTF8.self)
        guard let tail = text.split(separator: "{\"n\":").last,
            let number = Int(tail.prefix { $0.isNumber })
        else { throw wrong("put aside: \(text)") }
        return number
    }

    // MARK: The server

    private struct Item {
        var key: Int
        var number: Int
        var isBad: Bool
        var isPoison: Bool
    }

    private func items(_ body: [UInt8]) -> [Item] {
        let lines = String(decoding: body, as: UTF8.self).split(separator: "\n")
        return stride(from: 0, to: lines.count, by: 2).map { at in
            let id = lines[at].split(separator: "\"_id\":\"")[1].prefix { $0.isNumber }
            let number = lines[at + 1].split(separator: ":")[1].prefix { $0.isNumber }
            return Item(
                key: Int(id) ?? -1, number: Int(number) ?? -1, isBad: lines[at + 1].contains("bad"),
                isPoison: lines[at].contains("poison"))
        }
    }

    private mutating func reply(to body: [UInt8]) -> Reply {
        func whole(_ status: Int, _ type: String) -> Reply {
            let text = #"{"error":{"type":"\#(type)","reason":"r"},"status":\#(status)}"#
            return .answered(status: status, retryAfter: status == 429 ? 1 : 0, body: Array(text.utf8))
        }
        if Int.random(in: 0..<60, using: &random) == 0, trouble > 4 { readOnlyUntil = now + 5000 }
        if body.count > limit, items(body).count > 1 { return .answered(status: 413, retryAfter: 0, body: []) }
        if now < readOnlyUntil { return whole(403, "cluster_block_exception") }
        switch Int.random(in: 0..<40, using: &random) {
        case 0 where trouble > 0: return .lost("refused")
        case 1 where trouble > 0: return whole(429, "busy")
        case 2 where trouble > 1: return whole(503, "unavailable")
        case 3 where trouble > 2: return .answered(status: 502, retryAfter: 0, body: Array("<html>".utf8))
        case 4 where trouble > 1:
            _ = apply(body)
            return .lost("no reply")
        case 5 where trouble > 2:
            if items(body).contains(where: \.isPoison) { return whole(400, "poison") }
            let reply = apply(body)
            return .answered(status: 200, retryAfter: 0, body: Array(reply.prefix(reply.count * 2 / 3)))
        default: break
        }
        if items(body).contains(where: \.isPoison) { return whole(400, "poison") }
        return .answered(status: 200, retryAfter: 0, body: apply(body))
    }

    /// Stores what it does not refuse, and says which.
    private mutating func apply(_ body: [UInt8]) -> [UInt8] {
        var answers: [String] = []
        if items(body).contains(where: \.isPoison) { return [] }
        for item in items(body) {
            var (status, type) = (201, "")
            if trouble > 0, Int.random(in: 0..<12, using: &random) == 0 {
                (status, type) = (Bool.random(using: &random) ? 429 : 503, "rejected_execution_exception")
            } else if item.isBad {
                (status, type) = (400, "mapper_parsing_exception")
            } else if hasVersions, let there = index[item.key], there > item.number {
                (status, type) = (409, "version_conflict_engine_exception")
            } else {
                index[item.key] = item.number
            }
            let error = type.isEmpty ? "" : #","error":{"type":"\#(type)","reason":"r"}"#
            answers.append(#"{"index":{"status":\#(status)\#(error)}}"#)
        }
        return Array(#"{"errors":true,"items":[\#(answers.joined(separator: ","))]}"#.utf8)
    }
}
