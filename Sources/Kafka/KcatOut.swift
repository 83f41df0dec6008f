import Bytes
public import ToolRuntime

/// `kcat-out`: standard input to a topic.
public enum KcatOut {
    public struct Plan: Sendable {
        public var topic = ""
        public var shape = MessageShape()
        public var maxLine = 0
        /// Makes the topic with so many partitions where it is missing.
        public var create: Int?
        /// Ends with end-of-stream records.
        public var writesEndOfStream = false
        public var reject: String?
        public var wantsSummary = false
        public var wantsProgress = false

        public init() {}
    }

    /// Reads to the end of the input. Returns only when every line was acknowledged, or put aside.
    /// - Throws: names the first line that was not delivered, and how many were not.
    public static func run(_ plan: Plan, _ settings: Settings) throws(Failure) {
        try plan.shape.check()
        let rejects = try plan.reject.map { path throws(Failure) in try Sink(Descriptor.create(path)) }
        var output = Output(
            lines: OutputBuffer(capacity: 1) { _ in },
            rejects: rejects.map { OutputBuffer(capacity: 16 << 10, drain: $0.take) })
        let producer = try Producer(
            settings, topic: plan.topic, longestMessage: max(plan.maxLine, plan.shape.pack ?? 0),
            pack: plan.shape.pack, keepsRefused: rejects != nil)
        if let partitions = plan.create { try producer.client.create(plan.topic, partitions: partitions) }
        var writer = try TopicWriter(producer, plan.shape, topic: plan.topic)
        var input = LineInput(maxLine: plan.maxLine)
        var progress = Progress("kcat-out", isWanted: plan.wantsProgress)
        var failure: Failure?
        do throws(Failure) {
            try pump(&input, &writer, producer, &output, &progress)
        } catch {
            failure = error
        }
        // What was taken before a failure is delivered all the same.
        do throws(Failure) { try end(&writer, producer, &output, failure) } catch { failure = failure ?? error }
        if plan.writesEndOfStream {
            do throws(Failure) {
                try writer.writeEndOfStream(ok: failure == nil && producer.firstFailure == nil && !Signals.isAsked)
                try producer.flush()
            } catch { failure = failure ?? error }
        }
        output.flush()
        rejects?.close()
        progress.end()
        let lost = input.lineCount - output.rejectedLines - producer.deliveredLines
        if plan.wantsSummary { summarize(input.lineCount, output.rejectedLines, lost, producer) }
        failure = producer.undelivered(lost) ?? failure ?? rejects?.failure
        if let failure, !Signals.isAsked || lost > 0 { throw failure }
        Signals.dieIfAsked()
    }

    private static func pump(
        _ input: inout LineInput, _ writer: inout TopicWriter, _ producer: Producer, _ output: inout Output,
        _ progress: inout Progress
    ) throws(Failure) {
        while true {
            // Packs that are not full wait only as long as more input is there at once.
            let patience = writer.hasPacks || output.isPending ? 0 : progress.patience
            switch try input.next(patience: patience, wake: producer.client.wakeDescriptor) {
            case .piece(.lines(let lines, let firstLine)):
                try writer.write(UnsafeRawBufferPointer(lines), firstLine: firstLine, into: &output)
            case .piece(.barrier):
                throw Failure(.configuration, "the input has barriers, which only an exactly-once writer can take")
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
        }
    }

    private static func end(
        _ writer: inout TopicWriter, _ producer: Producer, _ output: inout Output, _ failure: Failure?
    ) throws(Failure) {
        if producer.firstFailure == nil { try writer.sendPacks(into: &output) }
        try producer.flush()
        try writer.rejectRefused(into: &output)
    }

    private static func summarize(_ read: Int, _ rejected: Int, _ lost: Int, _ producer: Producer) {
        var summary = Summary()
        summary.add("tool", "kcat-out")
        summary.add("read", read)
        summary.add("delivered", producer.deliveredLines)
        summary.add("rejected", rejected)
        summary.add("failed", lost)
        summary.add(
            "first_failed_line", producer.firstFailure.flatMap { $0.line > 0 ? .integer(Int64($0.line)) : nil } ?? .null
        )
        Descriptor.standardError.writeIgnoringErrors(summary.json + "\n")
    }
}

extension Producer {
    /// Lines that were acknowledged, once nothing is under way.
    var deliveredLines: Int { takenLines - failedLines }

    /// What to say when a line, or the record behind the last, could not be delivered.
    /// - Parameter lost: how many of the lines read were neither delivered nor put aside.
    func undelivered(_ lost: Int) -> Failure? {
        guard let (line, failure) = firstFailure else { return nil }
        if line == 0 { return Failure(failure.status, "end-of-stream record: \(failure.message)") }
        let count = lost > 1 ? "; \(lost) lines were read and not delivered" : ""
        return Failure(failure.status, "line \(line): \(failure.message)\(count)")
    }
}
