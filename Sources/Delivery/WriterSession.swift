import Bytes

/// What `kcat-out` decides of its transactions: when one begins, when it is committed and with which offsets, and what an error
/// in the middle means. Events go in, actions come out; whoever carries out a step tells its result before the next event.
///
///     state      lines           a commit barrier           the end of the input
///     fresh      –               –                          –                        until `initialize` is done
///     idle       begin           begin, flush, offsets,     (end of stream) commit, or nothing
///                                commit
///     open       –               flush, offsets, commit     the same with `close` or in one transaction; else abort: 75
///     over       –               –                          –                        after a failure, or the last commit
package struct WriterSession {
    /// How long a transaction may take before the brokers abort it, unless the epochs are longer.
    package static let transactionMilliseconds: Int64 = 60_000

    package struct Plan: Sendable {
        /// The input has barriers, and each epoch's offsets go with its lines; else all of it is one transaction.
        package var isExactlyOnce = false
        package var writesEndOfStream = false
        /// Brokers abort a transaction that takes longer.
        package var transactionMilliseconds = WriterSession.transactionMilliseconds
        /// librdkafka from 2.10 on may wait for ever in `sendOffsets` for a coordinator that has gone.
        package var mayHang = false
        package var patience: Int64 = 300_000
        /// How often watermarks are written at most, in milliseconds.
        package var watermarkEvery: Int64 = 1000
        package var sabotage: Sabotage = []

        package init() {}
    }

    package enum Step: Equatable, Sendable {
        /// Ends what an earlier process with the same transactional id has left open, and shuts that process out.
        case initialize
        case begin
        case endOfStream(isOK: Bool)
        /// Into each partition.
        case watermark(WatermarkRecord)
        case flush
        case sendOffsets(EpochOffsets)
        case commit
        case abort
    }

    /// What a step that failed says.
    package struct StepError: Equatable {
        package var code: ErrorCode
        package var text: String
        package var isRetriable: Bool
        package var requiresAbort: Bool
        package var isFatal: Bool

        package init(_ code: ErrorCode, _ text: String, isRetriable: Bool, requiresAbort: Bool, isFatal: Bool) {
            (self.code, self.text) = (code, text)
            (self.isRetriable, self.requiresAbort, self.isFatal) = (isRetriable, requiresAbort, isFatal)
        }
    }

    package enum Event {
        case start
        /// Lines come, the first of them of this number.
        case lines(Int)
        /// Where the topic has so many partitions.
        case barrier(Barrier, partitions: Int32)
        case inputEnded
        case stopAsked
        case done(Step)
        case failed(Step, StepError)
        /// A line was not delivered, or the tool cannot go on.
        case refused(Ending)
    }

    package enum Action: Equatable {
        case step(Step)
        /// Before the next step.
        case pause(milliseconds: Int64)
        case say(String)
        /// The last.
        case end(Ending?)
    }

    package enum State: Equatable { case fresh, idle, open, over }

    package let plan: Plan
    package private(set) var state = State.fresh
    package private(set) var barriers: BarrierSequence?
    private var steps: [Step] = []
    private var failure: Ending?
    private var isLast = false
    private var outage = Outage()
    private var watermarks: OwedWatermarks

    /// - Parameter open: the first barrier, with exactly once.
    package init(_ plan: Plan, open: Barrier? = nil) {
        self.plan = plan
        watermarks = OwedWatermarks(every: plan.watermarkEvery)
        barriers = open.map { BarrierSequence(after: $0) }
    }

    package mutating func handle(_ event: Event, at now: Int64) -> [Action] {
        switch event {
        case .start: return next([.initialize])
        case .lines(let first):
            do { try barriers?.takeLines(first) } catch { return fail(error) }
            return state == .idle ? next([.begin]) : []
        case .barrier(let barrier, let partitions): return take(barrier, partitions, at: now)
        case .inputEnded: return end()
        case .stopAsked: return fail(nil)
        case .refused(let ending): return fail(ending)
        case .done(let step): return noteDone(step, at: now)
        case .failed(let step, let error): return noteFailed(step, error, at: now)
        }
    }

    private mutating func next(_ more: [Step]) -> [Action] {
        steps += more
        return steps.first.map { [.step($0)] } ?? []
    }

    private mutating func take(_ barrier: Barrier, _ partitions: Int32, at now: Int64) -> [Action] {
        guard barriers != nil else {
            return fail(Ending(.configuration, "the input has barriers, which only --exactly-once takes"))
        }
        do {
            // Nothing is committed without offsets: by them the broker sees whether this is still for us to commit.
            let taken = try barriers?.take(barrier, isLenient: plan.sabotage.contains(.anyBarrier))
            guard let taken else { return [] }
            let (record, offsets) = watermarks.take(taken, to: partitions, at: now)
            guard !taken.positions.isEmpty || record != nil else { return [] }
            var commit: [Step] = [.flush, .sendOffsets(offsets), .commit]
            if plan.sabotage.contains(.commitsUnflushed) { commit.removeFirst() }
            if plan.sabotage.contains(.commitsNoOffsets) { commit.remove(at: commit.count - 2) }
            let marks: [Step] = record.map { [.watermark($0)] } ?? []
            return next((state == .idle ? [.begin] : []) + marks + commit)
        } catch {
            return fail(error)
        }
    }

    private mutating func end() -> [Action] {
        guard failure == nil, state != .over else { return [] }
        let end = barriers?.end
        if plan.isExactlyOnce, end == nil {
            if plan.sabotage.contains(.commitsCutInput), state == .open {
                isLast = true
                return next([.flush, .commit])
            }
            return fail(
                Ending(
                    .tryAgain, "the input was cut off: a stage before kcat-out has failed; nothing is committed of it"))
        }
        if plan.isExactlyOnce, !plan.writesEndOfStream || end == .stopped { return fail(nil) }
        isLast = true
        let marks: [Step] = plan.writesEndOfStream ? [.endOfStream(isOK: end != .failed)] : []
        return next((state == .idle ? [.begin] : []) + marks + [.flush, .commit])
    }

    private mutating func noteDone(_ step: Step, at now: Int64) -> [Action] {
        guard steps.first == step else { return [] }
        steps.removeFirst()
        let words = outage.end(at: now).map { [Action.say($0)] } ?? []
        switch step {
        case .initialize, .commit: state = .idle
        case .begin: state = .open
        case .abort: return over()
        case .endOfStream, .watermark, .flush, .sendOffsets: break
        }
        if steps.isEmpty, isLast { return words + over() }
        return words + next([])
    }

    private mutating func noteFailed(_ step: Step, _ error: StepError, at now: Int64) -> [Action] {
        guard steps.first == step else { return [] }
        if step == .abort { return over() }
        // librdkafka says that the same may be done once more; while it does, nothing is lost by it.
        let mayRepeat = error.isRetriable && !error.requiresAbort && !error.isFatal
        if mayRepeat, outage.milliseconds < plan.patience {
            outage.note("\(Self.attempt(step)): \(error.text)", at: now)
            let words = outage.words(at: now).map { [Action.say($0)] } ?? []
            return words + [.pause(milliseconds: 100), .step(step)]
        }
        return fail(Self.ending(of: step, error, plan))
    }

    /// Gives up what is open, so that readers need not wait until the brokers do so, and ends.
    private mutating func fail(_ ending: Ending?) -> [Action] {
        guard state != .over, failure == nil else { return [] }
        failure = ending
        if state == .open {
            steps = [.abort]
            return [.step(.abort)]
        }
        return over()
    }

    private mutating func over() -> [Action] {
        (state, steps) = (.over, [])
        return [.end(failure)]
    }

    // MARK: Words and limits

    package static func attempt(_ step: Step) -> String {
        switch step {
        case .initialize: "cannot begin transactions"
        case .begin: "cannot begin a transaction"
        case .endOfStream: "cannot write the end-of-stream record"
        case .watermark: "cannot write a watermark"
        case .flush: "cannot deliver"
        case .sendOffsets(let offsets):
            "cannot commit the offsets of \"\(String(decoding: offsets.topic, as: UTF8.self))\""
        case .commit: "cannot commit"
        case .abort: "cannot give up the transaction"
        }
    }

    /// What it means that a producer is not taken for the newest; nil for all other errors.
    package static func wordsOfFencing(_ code: ErrorCode) -> String? {
        guard [.invalidProducerEpoch, .producerFenced, .fenced].contains(code) else { return nil }
        return "another process has taken the transactional id, or the brokers gave the transaction up after its time"
    }

    static func ending(of step: Step, _ error: StepError, _ plan: Plan) -> Ending {
        let attempt = attempt(step)
        if let words = wordsOfFencing(error.code) {
            return Ending(.tryAgain, "\(attempt): \(words) (transaction.timeout.ms=\(plan.transactionMilliseconds))")
        }
        if error.code == .invalidTransactionTimeout {
            return Ending(
                .configuration,
                "\(attempt): transaction.timeout.ms=\(plan.transactionMilliseconds) is more than the brokers allow "
                    + "(transaction.max.timeout.ms): set it lower with -X")
        }
        let words = "\(attempt): \(error.text)"
        switch error.code.meaning {
        case .lasting(.unavailable), .passes, .missing, .gone:
            // The brokers have given it up, or cannot be reached: all of it may be tried again.
            return Ending(step == .initialize && !error.isFatal ? .unavailable : .tryAgain, words)
        case .fenced: return Ending(.tryAgain, words)
        case .lasting(let kind): return Ending(kind, words)
        }
    }

    /// How many milliseconds a step may take in all; then the process ends with 75, whatever it hangs in. Nothing is lost by
    /// that: what was not committed is read again.
    package func limit(of step: Step) -> Int64 {
        if plan.sabotage.contains(.noWatch) { return .max }
        return switch step {
        // An election takes longer, but who waits for one here may wait for ever; who begins anew waits in `initialize`.
        case .sendOffsets where plan.mayHang: min(5000, plan.transactionMilliseconds)
        case .initialize: plan.patience + 30_000
        case .abort: 10_000
        default: plan.transactionMilliseconds + 10_000
        }
    }
}
