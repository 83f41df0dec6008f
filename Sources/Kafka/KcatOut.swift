import Bytes
import CRDKafka
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

    /// Reads to the end of the input. Returns only when every line was acknowledged.
    /// - Throws: names the first line that was not delivered, and how many were not.
    public static func run(_ plan: Plan, _ settings: Settings) throws(Failure) {
        let rejects = try plan.reject.map { path throws(Failure) in try Sink(Descriptor.create(path)) }
        var output = Output(
            lines: OutputBuffer(capacity: 1) { _ in }, rejects: rejects.map { OutputBuffer(capacity: 16 << 10, drain: $0.take) })
        let producer = try Producer(settings, topic: plan.topic)
        if let partitions = plan.create { try producer.client.create(plan.topic, partitions: partitions) }
        var writer = try TopicWriter(producer, plan.shape, topic: plan.topic)
        var input = LineInput(maxLine: plan.maxLine)
        var progress = Progress("kcat-out", isWanted: plan.wantsProgress)
        var failure: Failure?
        do throws(Failure) {
            try pump(&input, &writer, producer, &output, &progress)
            try writer.sendPacks(into: &output)
        } catch {
            failure = error
        }
        output.flush()
        rejects?.close()
        failure = failure ?? rejects?.failure
        do throws(Failure) {
            try producer.flush()
            if failure == nil { failure = producer.undelivered }
            if plan.writesEndOfStream {
                try writer.writeEndOfStream(ok: failure == nil && !Signals.isAsked)
                try producer.flush()
                if failure == nil { failure = producer.undelivered }
            }
        } catch {
            failure = failure ?? error
        }
        progress.end()
        if plan.wantsSummary { summarize(input.lineCount, output.rejectedLines, producer) }
        if let failure { throw failure }
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
            if let failure = producer.undelivered { throw failure }
            progress.show(lines: input.lineCount, bytes: writer.byteCount) { ", \(producer.waiting) under way" }
        }
    }

    private static func summarize(_ read: Int, _ rejected: Int, _ producer: Producer) {
        var summary = Summary()
        summary.add("tool", "kcat-out")
        summary.add("read", read)
        summary.add("delivered", max(0, read - rejected - producer.failedLines))
        summary.add("rejected", rejected)
        summary.add("failed", producer.failedLines)
        summary.add("first_failed_line", producer.firstFailure.map { .integer(Int64($0.line)) } ?? .null)
        Descriptor.standardError.writeIgnoringErrors(summary.json + "\n")
    }
}

extension Producer {
    /// Messages that are neither acknowledged nor failed.
    var waiting: Int { Int(rd_kafka_outq_len(client.handle)) }

    /// What to say when a line could not be delivered.
    var undelivered: Failure? {
        guard let (line, failure) = firstFailure else { return nil }
        let others = failedLines > 1 ? " (\(failedLines) lines were not delivered)" : ""
        return Failure(failure.status, (line > 0 ? "line \(line): " : "end-of-stream record: ") + failure.message + others)
    }
}
