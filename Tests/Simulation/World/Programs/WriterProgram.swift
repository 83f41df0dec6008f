import Bytes
import Delivery

/// `kcat-out --exactly-once`: what comes goes into a `WriterSession`, whose steps it takes one after the other, as the real shell
/// does: while one is under way, nothing is read.
final class WriterProgram: Program {
    private let plan: WriterSession.Plan
    private let topic: Topic
    private let transactionalID: Int32
    private let isKeyed: Bool
    private lazy var producer = Producer(
        self, topic, transactionalID: transactionalID, timeout: plan.transactionMilliseconds * 1000)
    private var session: WriterSession?
    var input: Pipe?
    /// Taken from the pipe, and not dealt with.
    private var pieces: [Piece] = []
    private var first = 0
    private var hasToldEnd = false
    /// The step under way, by its number; nil: none.
    private var underWay: Int?
    private var steps = 0

    init(_ world: World, _ name: String, _ plan: WriterSession.Plan, _ topic: Topic, id: Int32, isKeyed: Bool) {
        (self.plan, self.topic, transactionalID, self.isKeyed) = (plan, topic, id, isKeyed)
        super.init(world, name)
    }

    override func step() {
        guard let input else { return }
        while isAlive, underWay == nil {
            if session != nil, let failure = producer.failure {
                let words = "not delivered: \(failure.trouble)"
                return handle(.refused(Ending(failure.trouble.kind, words)))
            }
            if first == pieces.count {
                (pieces, first) = (input.take(), 0)
                if pieces.isEmpty { break }
                if !mayGoOn() { return }
            }
            first += 1
            take(pieces[first - 1])
        }
        if isAlive, underWay == nil, first == pieces.count, input.hasEnded, !hasToldEnd {
            hasToldEnd = true
            guard session != nil else { return end(.status(75)) }
            handle(.inputEnded)
        }
    }

    private func take(_ piece: Piece) {
        switch piece {
        case .barrier(let bytes):
            guard let barrier = bytes.dropLast().withUnsafeBytes({ Barrier($0) }) else {
                return world.judge.fail("\(name) gets a barrier that is none")
            }
            if session == nil {
                guard barrier.kind == .open else {
                    world.note("\(name): line 1: not a barrier that opens a stream")
                    return end(.status(65))
                }
                session = WriterSession(plan, open: barrier)
                return handle(.start)
            }
            handle(.barrier(barrier, partitions: Int32(topic.partitions.count)))
        case .line(let line):
            guard session != nil else {
                world.note("\(name): line 1: not a barrier")
                return end(.status(65))
            }
            if session?.state != .open {
                // Its turn comes when the transaction is open.
                first -= 1
                return handle(.lines(1))
            }
            _ = session?.handle(.lines(1), at: world.milliseconds)
            let count = producer.partitionCount
            producer.send(.line(line), to: isKeyed ? Int(line.key) % count : world.random.below(count))
        }
    }

    private func handle(_ event: WriterSession.Event) {
        guard isAlive, let actions = session?.handle(event, at: world.milliseconds) else { return }
        var pause: Int64 = 0
        for action in actions where mayGoOn() {
            switch action {
            case .say(let text): world.note("\(name): \(text)")
            case .pause(let milliseconds): pause = milliseconds * 1000
            case .step(let step): begin(step, after: pause)
            case .end(let ending):
                if let ending { world.note("\(name): \(ending.message)") }
                end(.status(ending.map(\.kind).map(ReaderProgram.status) ?? 0))
            }
        }
        if isAlive, underWay == nil { wake() }
    }

    private func begin(_ step: WriterSession.Step, after pause: Int64) {
        steps += 1
        let number = steps
        underWay = number
        world.note("\(name): step \(Self.words(step))")
        if let limit = session?.limit(of: step), !plan.sabotage.contains(.noWatch) {
            after(pause + limit * 1000) { [self] in
                guard underWay == number else { return }
                world.note("\(name): \(WriterSession.attempt(step)): no end of it")
                end(.status(75))
            }
        }
        func done(_ failure: Producer.Failure?) {
            guard underWay == number else { return }
            underWay = nil
            guard let failure else { return handle(.done(step)) }
            let error = WriterSession.StepError(
                ErrorCode(failure.trouble.rawValue), "\(failure.trouble)", isRetriable: failure.isRetriable,
                requiresAbort: failure.requiresAbort, isFatal: failure.isFatal)
            handle(.failed(step, error))
        }
        after(pause + world.random.delay(10...500)) { [self] in
            if mayGoOn() { carryOut(step, done) }
        }
    }

    private static func words(_ step: WriterSession.Step) -> String {
        guard case .sendOffsets(let offsets) = step else { return "\(step)" }
        return "sendOffsets \(offsets.positions.map { "\($0.partition): \($0.next)" })"
    }

    private func carryOut(_ step: WriterSession.Step, _ done: @escaping (Producer.Failure?) -> Void) {
        switch step {
        case .initialize: producer.initialize(done)
        case .begin: done(producer.begin())
        case .endOfStream(let isOK):
            for partition in 0..<producer.partitionCount {
                producer.send(.endOfStream(isOK: isOK, writer: transactionalID), to: partition)
            }
            done(nil)
        case .watermark: done(nil)  // its pipelines have no event time
        case .flush: producer.flush(done)
        case .sendOffsets(let offsets): producer.sendOffsets(offsets, done)
        case .commit: producer.end(isCommit: true, done)
        case .abort: producer.end(isCommit: false, done)
        }
    }

    override func tearDown() {
        super.tearDown()
        producer.tearDown()
    }

    override func hasEnded() {
        input?.closeReader()
        world.hasEnded(self)
    }
}

extension Trouble {
    /// How the real shell words it: `ErrorCode.meaning` of a line that was not delivered in a transaction.
    var kind: Ending.Kind {
        switch ErrorCode(rawValue).meaning {
        case .lasting(.unavailable), .passes, .missing, .gone, .fenced: .tryAgain
        case .lasting(let kind): kind
        }
    }
}
