import Bytes
import Glibc

/// Runs a filter between standard input and standard output.
///
/// Output is written when a buffer is full, at a barrier, at the end, and whenever the next read would block, so that
/// `tail -f` flows through line by line while a file goes through in large pieces.
struct FilterLoop<F: Filter & ~Copyable>: ~Copyable {
    private let tool: String
    private var input: LineInput
    private var output: Output
    private let standardOutput: Sink
    private let sides: [Sink]
    private var statistics: Statistics?

    init(_ tool: String, maxLine: Int, standardOutput: Sink, rejects: Sink?, late: Sink?, statistics: Statistics?) {
        self.tool = tool
        self.statistics = statistics
        input = LineInput(maxLine: maxLine)
        self.standardOutput = standardOutput
        sides = [rejects, late].compactMap { $0 }
        output = Output(
            lines: OutputBuffer(drain: standardOutput.take),
            rejects: rejects.map { OutputBuffer(capacity: 16 << 10, drain: $0.take) },
            late: late.map { OutputBuffer(capacity: 16 << 10, drain: $0.take) })
    }

    /// Runs to the end of the input. What was worked out before a failure is written.
    mutating func run(_ filter: consuming F) -> Result<Summary, Failure> {
        do throws(Failure) {
            let summary = try pump(filter)
            output.flush()
            passOnRemarks()
            Signals.dieIfAsked()
            for sink in [standardOutput] + sides { sink.close() }
            try checkSinks()
            return .success(summary)
        } catch {
            output.flush()
            return .failure(error)
        }
    }

    private mutating func pump(_ filter: consuming F) throws(Failure) -> Summary {
        var isRestoring = false
        do {
            while true {
                switch try input.next(patience: patience(with: filter)) {
                case .piece(.lines(let lines, let firstLine)):
                    if isRestoring, !filter.keepsState {
                        throw Failure(
                            .malformedData,
                            "line \(firstLine): state, which only merge-counts --updates and cms-topk --window-field restore"
                        )
                    }
                    try filter.consume(lines.span, firstLine: firstLine, now: .now(), into: &output)
                case .piece(.barrier(let barrier, let line)):
                    isRestoring = barrier.kind == .restore
                    try filter.barrier(barrier.kind, watermark: barrier.watermark, now: .now(), into: &output)
                    output.lines.append(line)
                    output.flush()
                case .idle:
                    output.flush()
                    // The wait may have been for the output, or ended early.
                    let now = Moment.now()
                    if let left = filter.patience(at: now), left <= 0 { try filter.wake(now: now, into: &output) }
                case .end:
                    return Signals.isAsked ? Summary() : try filter.finish(now: .now(), into: &output)
                }
                try checkSinks()
                passOnRemarks()
                if statistics != nil { report(filter) }
            }
        } catch let error as MalformedLine<F.Problem> {
            throw Failure(.malformedData, error.description)
        } catch let error as Failure {
            throw error
        } catch {
            throw Failure(.internalError, "\(error)")
        }
    }

    /// How long to wait for input, in milliseconds; nil: for ever.
    private func patience(with filter: borrowing F) -> Int64? {
        // With output waiting, input is only asked for: if there is none, the output goes first.
        if output.isPending { return 0 }
        let now = Moment.now()
        let patience = filter.patience(at: now).map { max(0, $0) }
        guard let statistics else { return patience }
        return min(patience ?? .max, statistics.patience(at: now))
    }

    private mutating func passOnRemarks() { for remark in output.takeRemarks() { complain(tool, remark) } }

    private func checkSinks() throws(Failure) {
        if let failure = standardOutput.failure { throw failure }
        for side in sides { if let failure = side.failure { throw failure } }
    }

    var lateLines: Int { output.lateLines }

    // MARK: - Numbers

    private mutating func report(_ filter: borrowing F) {
        let (counts, sides) = (counts, sideCounts)
        statistics?.report {
            var more = sides
            more.add("held_bytes", filter.heldBytes)
            return (counts, more)
        }
    }

    /// The last line of `--stats`.
    mutating func reportEnd() {
        let counts = counts
        var more = sideCounts
        more.add("held_bytes", 0)
        statistics?.end(counts, more)
    }

    private var counts: Statistics.Counts {
        .init(
            read: input.lineCount, bytesRead: input.byteCount, written: standardOutput.lineCount,
            bytesWritten: standardOutput.byteCount)
    }

    private var sideCounts: Summary {
        var counts = Summary()
        counts.add("rejected", output.rejectedLines)
        counts.add("late", output.lateLines)
        return counts
    }

    /// What `--summary` shows of any filter.
    var lineCounts: Summary {
        var summary = Summary()
        summary.add("read", input.lineCount)
        summary.add("written", standardOutput.lineCount)
        summary.add(contentsOf: sideCounts)
        return summary
    }
}
