import Bytes
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
        public var reject: String?
        public var wantsSummary = false
        public var wantsProgress = false
        public var statistics: Statistics?

        public init() {}
    }

    private let plan: Plan
    private var input: LineInput
    private var barriers: BarrierSequence?
    /// Lines of the input that are barriers.
    private var barrierLines: Int
    private let rejects: Sink?
    private var output: Output
    private let producer: Producer
    private var writer: TopicWriter
    private var progress: Progress

    private init(_ plan: Plan, _ settings: Settings) throws(Failure) {
        try plan.shape.check()
        let rejects = try plan.reject.map { path throws(Failure) in try Sink(Descriptor.create(path)) }
        var input = LineInput(maxLine: plan.maxLine)
        let barriers = plan.isExactlyOnce ? try BarrierSequence(firstOf: &input) : nil
        // An epoch, and time for its lines to pass the filters; a whole input as long as brokers let it by themselves.
        let timeout = barriers.map { min(900_000, 15_000 + 3 * $0.epochMilliseconds) } ?? 900_000
        let producer = try Producer(
            settings, topic: plan.topic, longestMessage: max(plan.maxLine, plan.shape.pack ?? 0),
            pack: plan.shape.pack, keepsRefused: rejects != nil,
            transactions: plan.transactionalID.map { ($0, timeout) })
        if let partitions = plan.create { try producer.client.create(plan.topic, partitions: partitions) }
        let writer = try TopicWriter(producer, plan.shape, topic: plan.topic)
        if plan.transactionalID != nil { try producer.beginTransactions() }
        (self.plan, self.rejects, self.producer, self.barriers) = (plan, rejects, producer, barriers)
        self.input = input
        self.writer = writer
        barrierLines = plan.isExactlyOnce ? 1 : 0
        output = Output(
            lines: OutputBuffer(capacity: 1) { _ in },
            rejects: rejects.map { OutputBuffer(capacity: 16 << 10, drain: $0.take) })
        progress = Progress("kcat-out", isWanted: plan.wantsProgress, plan.statistics)
    }

    /// Reads to the end of the input. Returns only when every line was acknowledged, or put aside.
    /// - Throws: names the first line that was not delivered, and how many were not.
    public static func run(_ plan: Plan, _ settings: Settings) throws(Failure) {
        var run = try KcatOut(plan, settings)
        try run.run()
    }

    private mutating func run() throws(Failure) {
        var failure: Failure?
        do throws(Failure) { try pump() } catch { failure = error }
        do throws(Failure) {
            if plan.transactionalID == nil { try end(&failure) } else { try endTransaction(failure) }
        } catch {
            failure = failure ?? error
        }
        producer.abortTransaction()
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
            let patience = writer.hasPacks || output.isPending ? 0 : progress.patience
            switch try input.next(patience: patience, wake: producer.client.wakeDescriptor) {
            case .piece(.lines(let lines, let firstLine)):
                try barriers?.takeLines(firstLine)
                if plan.transactionalID != nil { try producer.beginTransaction() }
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
            if let (_, failure) = producer.firstFailure { throw failure }
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
        guard barriers != nil else {
            throw Failure(.configuration, "the input has barriers, which only --exactly-once takes")
        }
        // Nothing is committed without offsets: by them the broker sees whether this is still for us to commit.
        guard let offsets = try barriers?.take(barrier), !offsets.positions.isEmpty else { return }
        try writer.sendPacks(into: &output)
        try producer.commitTransaction(offsets)
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
    private mutating func endTransaction(_ failure: Failure?) throws(Failure) {
        guard failure == nil, !Signals.isAsked else { return }
        if let barriers {
            guard let end = barriers.end else {
                throw Failure(
                    .tryAgain, "the input was cut off: a stage before kcat-out has failed; nothing is committed of it")
            }
            guard plan.writesEndOfStream, end != .stopped else { return }
        }
        try writer.sendPacks(into: &output)
        try producer.beginTransaction()
        if plan.writesEndOfStream {
            try writer.writeEndOfStream(ok: barriers?.end != .failed, writer: plan.transactionalID)
        }
        try producer.commitTransaction()
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
