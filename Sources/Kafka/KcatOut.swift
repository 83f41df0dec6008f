import Bytes
internal import Delivery
import Glibc
public import ToolRuntime

/// `kcat-out`: standard input to a topic.
public struct KcatOut: ~Copyable {
    public struct Plan: Sendable {
        public var topic = ""
        public var shape = MessageShape()
        public var maxLine = 0
        /// Makes the topic with so many partitions where it is missing.
        public var create: Int?
        /// Ends with end-of-stream records.
        public var writesEndOfStream = false
        /// Writes transactions under this id: one for the whole input, or one for each epoch.
        public var transactionalID: String?
        /// The input has barriers, and each epoch's offsets go with its lines.
        public var isExactlyOnce = false
        /// How often watermarks are written at most, in milliseconds.
        public var watermarkEvery: Int64 = 1000
        public var reject: String?
        /// How long what may pass is waited out, in milliseconds.
        public var patience: Int64 = 300_000
        public var wantsSummary = false
        public var wantsProgress = false
        public var statistics: Statistics?

        public init() {}

        /// What of it decides about transactions. An epoch, and time for its lines to pass the filters, fit into one; a whole
        /// input takes as long as brokers let it by themselves.
        fileprivate func decisions(_ open: Barrier?, _ settings: Settings) -> WriterSession.Plan {
            var decisions = WriterSession.Plan()
            decisions.isExactlyOnce = isExactlyOnce
            decisions.writesEndOfStream = writesEndOfStream
            decisions.patience = patience
            decisions.watermarkEvery = watermarkEvery
            decisions.mayHang = LibraryVersion.mayHangInTransactions
            let epoch = open.flatMap { Int64(String(decoding: $0.payload, as: UTF8.self)) } ?? 0
            let most: Int64 = 900_000
            let whole = isExactlyOnce ? max(decisions.transactionMilliseconds, 15_000 + 3 * min(epoch, most)) : most
            let own = settings.value(of: "transaction.timeout.ms").flatMap { Int64($0) }
            decisions.transactionMilliseconds = own ?? min(most, whole)
            return decisions
        }
    }

    private let plan: Plan
    private var input: LineInput
    /// With transactions.
    private var session: WriterSession?
    private let watchdog: Watchdog?
    /// How the transactions have ended.
    private var ending: Ending??
    /// Lines of the input that are barriers.
    private var barrierLines: Int
    private let rejects: Sink?
    private var output: Output
    private let producer: Producer
    private var writer: TopicWriter
    private var progress: Progress

    private init(_ plan: Plan, _ settings: Settings) throws(Failure) {
        try plan.shape.check()
        LibraryVersion.warn("kcat-out", of: settings)
        let patience = Patience(milliseconds: plan.patience, tool: "kcat-out")
        let rejects = try plan.reject.map { path throws(Failure) in try Sink(Descriptor.create(path)) }
        var input = LineInput(maxLine: plan.maxLine)
        let open = plan.isExactlyOnce ? try Self.open(&input) : nil
        let decisions = plan.transactionalID.map { _ in plan.decisions(open, settings) }
        let producer = try Producer(
            settings, topic: plan.topic, longestMessage: max(plan.maxLine, plan.shape.pack ?? 0),
            pack: plan.shape.pack, keepsRefused: rejects != nil, patience: patience,
            transactions: plan.transactionalID.flatMap { id in decisions.map { (id, $0.transactionMilliseconds) } })
        if let partitions = plan.create { try producer.client.create(plan.topic, partitions: partitions, patience) }
        let writer = try TopicWriter(producer, plan.shape, topic: plan.topic, patience)
        (self.plan, self.rejects, self.producer) = (plan, rejects, producer)
        session = decisions.map { WriterSession($0, open: open) }
        watchdog = decisions.map { _ in Watchdog("kcat-out") }
        self.input = input
        self.writer = writer
        barrierLines = plan.isExactlyOnce ? 1 : 0
        output = Output(
            lines: OutputBuffer(capacity: 1) { _ in },
            rejects: rejects.map { OutputBuffer(capacity: 16 << 10, drain: $0.take) })
        progress = Progress("kcat-out", isWanted: plan.wantsProgress, plan.statistics)
    }

    /// Waits for the `open` barrier, the first line of the stream.
    private static func open(_ input: inout LineInput) throws(Failure) -> Barrier {
        guard case .piece(let piece) = try input.next() else {
            Signals.dieIfAsked()
            throw Failure(.tryAgain, "the input ended before it began: some stage before kcat-out has failed")
        }
        // The finder takes only an `open` barrier for the first.
        guard case .barrier(let barrier, _) = piece else {
            throw Failure(
                .malformedData, "line 1: not a barrier: --exactly-once is for what kcat-in --exactly-once writes")
        }
        return barrier
    }

    /// Reads to the end of the input. Returns only when every line was acknowledged, or put aside.
    /// - Throws: names the first line that was not delivered, and how many were not.
    public static func run(_ plan: Plan, _ settings: Settings) throws(Failure) {
        var run = try KcatOut(plan, settings)
        try run.run()
    }

    private mutating func run() throws(Failure) {
        var failure: Failure?
        do throws(Failure) {
            try advance(.start)
            try pump()
        } catch {
            failure = error
        }
        do throws(Failure) {
            if session == nil {
                try end(&failure)
            } else {
                try endTransactions(&failure)
            }
        } catch {
            failure = failure ?? error
        }
        output.flush()
        rejects?.close()
        let facts = facts
        progress.end { facts }
        let read = input.lineCount - barrierLines
        let lost = read - output.rejectedLines - producer.deliveredLines
        if plan.wantsSummary { summarize(read, lost) }
        if plan.transactionalID == nil { failure = producer.undelivered(lost) ?? failure }
        if let failure = failure ?? rejects?.failure, !Signals.isAsked || lost > 0 { throw failure }
        Signals.dieIfAsked()
    }

    private mutating func pump() throws(Failure) {
        while true {
            // Packs that are not full wait only as long as more input is there at once.
            let looks = [progress.patience, producer.patienceUntilLook].compactMap(\.self).min()
            let patience = writer.hasPacks || output.isPending ? 0 : looks
            switch try input.next(patience: patience, wake: producer.client.wakeDescriptor) {
            case .piece(.lines(let lines, let firstLine)):
                try advance(.lines(firstLine))
                try writer.write(UnsafeRawBufferPointer(lines), firstLine: firstLine, into: &output)
            case .piece(.barrier(let barrier, _)):
                barrierLines += 1
                try take(barrier)
            case .idle:
                try writer.sendPacks(into: &output)
                output.flush()
            case .end: return
            }
            try producer.serve()
            try writer.rejectRefused(into: &output)
            try producer.throwFirst()
            if progress.isDue {
                progress.show(
                    lines: input.lineCount, bytes: writer.byteCount, rest: ", \(producer.underWay) under way")
            }
            if progress.isReportDue {
                let facts = facts
                progress.report { facts }
            }
        }
    }

    private mutating func take(_ barrier: Barrier) throws(Failure) {
        guard session != nil else {
            throw Failure(.configuration, "the input has barriers, which only --exactly-once takes")
        }
        try writer.sendPacks(into: &output)
        try writer.lookForPartitions(nextLine: input.lineCount + 1, into: &output)
        try advance(.barrier(barrier, partitions: writer.partitions))
    }

    /// Tells the session, and does the steps that it says, one after the other.
    /// - Throws: how it ends, if not well.
    private mutating func advance(_ event: WriterSession.Event) throws(Failure) {
        guard session != nil, ending == nil else { return }
        var events = [event]
        while !events.isEmpty {
            let event = events.removeFirst()
            for action in session?.handle(event, at: Client.monotonicMilliseconds()) ?? [] {
                switch action {
                case .step(let step): events.append(carryOut(step))
                case .pause(let milliseconds): usleep(useconds_t(milliseconds * 1000))
                case .say(let words): Descriptor.standardError.writeIgnoringErrors("kcat-out: \(words)\n")
                case .end(let ending): self.ending = .some(ending)
                }
            }
            if Signals.isAsked, ending == nil, case .failed = events.first { events = [.stopAsked] }
        }
        if case .some(.some(let ending)) = ending { throw Failure(ending) }
    }

    private mutating func carryOut(_ step: WriterSession.Step) -> WriterSession.Event {
        let limit = session?.limit(of: step) ?? 0
        do throws(Failure) {
            switch step {
            case .endOfStream(let isOK):
                try writer.writeEndOfStream(ok: isOK, writer: plan.transactionalID)
            case .watermark(let record): try writer.writeWatermark(record, writer: plan.transactionalID ?? "")
            case .flush:
                let producer = producer
                let failure = watchdog?.during(WriterSession.attempt(step), milliseconds: limit) { () -> Failure? in
                    do throws(Failure) { try producer.flush() } catch { return error }
                    return nil
                }
                if let failure { throw failure }
                try writer.rejectRefused(into: &output)
                if let (line, failure) = producer.firstFailure {
                    throw Failure(failure.status, "line \(line): \(failure.message); its transaction is not committed")
                }
            default:
                let producer = producer
                let error = watchdog?.during(WriterSession.attempt(step), milliseconds: limit) {
                    producer.carryOut(step)
                }
                if let error = error ?? nil { return .failed(step, error) }
            }
            return .done(step)
        } catch {
            return .refused(Ending(error))
        }
    }

    /// Without transactions: what was taken before a failure is delivered all the same.
    private mutating func end(_ failure: inout Failure?) throws(Failure) {
        do throws(Failure) {
            if producer.firstFailure == nil { try writer.sendPacks(into: &output) }
            try producer.flush()
            try writer.rejectRefused(into: &output)
        } catch {
            failure = failure ?? error
        }
        guard plan.writesEndOfStream else { return }
        let isOK = failure == nil && producer.firstFailure == nil && !Signals.isAsked
        try writer.writeEndOfStream(ok: isOK, writer: nil)
        try producer.flush()
    }

    /// With transactions: the last one, unless something was missing.
    private mutating func endTransactions(_ failure: inout Failure?) throws(Failure) {
        if let failure { return try advance(.refused(Ending(failure))) }
        if Signals.isAsked { return try advance(.stopAsked) }
        try writer.sendPacks(into: &output)
        try advance(.inputEnded)
        try writer.rejectRefused(into: &output)
    }

    /// For `--stats`. What is under way is messages, of those written.
    private var facts: (Statistics.Counts, Summary) {
        var more = Summary()
        more.add("rejected", output.rejectedLines)
        more.add("under_way", producer.underWay)
        let counts = Statistics.Counts(
            read: input.lineCount - barrierLines, bytesRead: input.byteCount, written: producer.deliveredLines,
            bytesWritten: writer.byteCount)
        return (counts, more)
    }

    private func summarize(_ read: Int, _ lost: Int) {
        var summary = Summary()
        summary.add("tool", "kcat-out")
        summary.add("read", read)
        summary.add("delivered", producer.deliveredLines)
        summary.add("rejected", output.rejectedLines)
        summary.add("failed", lost)
        summary.add(
            "first_failed_line", producer.firstFailure.flatMap { $0.line > 0 ? .integer(Int64($0.line)) : nil } ?? .null
        )
        Descriptor.standardError.writeIgnoringErrors(summary.json + "\n")
    }
}

extension Producer {
    /// What to say when a line, or the record behind the last, could not be delivered.
    /// - Parameter lost: how many of the lines read were neither delivered nor put aside.
    func undelivered(_ lost: Int) -> Failure? {
        guard let (line, failure) = firstFailure else { return nil }
        if line == 0 { return Failure(failure.status, "end-of-stream record: \(failure.message)") }
        let count = lost > 1 ? "; \(lost) lines were read and not delivered" : ""
        return Failure(failure.status, "line \(line): \(failure.message)\(count)")
    }
}
