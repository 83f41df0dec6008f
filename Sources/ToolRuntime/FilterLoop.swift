import Bytes
import Glibc

extension Moment {
    static func now() -> Moment {
        Moment(unixMilliseconds: milliseconds(CLOCK_REALTIME), monotonicMilliseconds: milliseconds(CLOCK_MONOTONIC))
    }

    private static func milliseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}

/// Runs a filter between standard input and standard output.
///
/// Output is written when a buffer is full, at a barrier, at the end, and whenever the next read would block, so that
/// `tail -f` flows through line by line while a file goes through in large pieces.
struct FilterLoop<F: Filter & ~Copyable>: ~Copyable {
    private var input: LineBuffer
    private var output: Output
    private let standardOutput: Sink
    private let sides: [Sink]

    init(maxLine: Int, standardOutput: Sink, rejects: Sink?, late: Sink?) {
        input = LineBuffer(maxLine: maxLine)
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
        do {
            while try fill(&filter) {
                while let piece = try input.next() {
                    switch piece {
                    case .lines(let lines, let firstLine):
                        try filter.consume(lines.span, firstLine: firstLine, now: .now(), into: &output)
                    case .barrier(let barrier, let line):
                        try filter.barrier(barrier.kind, now: .now(), into: &output)
                        output.lines.append(line)
                        output.flush()
                    }
                    try checkSinks()
                }
            }
            if Signals.isAsked { return Summary() }
            return try filter.finish(now: .now(), into: &output)
        } catch let error as MalformedLine<F.Problem> {
            throw Failure(.malformedData, error.description)
        } catch let error as LineBuffer.LineTooLong {
            throw Failure(.malformedData, error.description)
        } catch let error as Failure {
            throw error
        } catch {
            throw Failure(.internalError, "\(error)")
        }
    }

    /// Gets more input into the line buffer, waking the filter when its patience runs out meanwhile.
    /// Returns false when there is none: the input has ended and has been handed out, or a signal asks for the end.
    private mutating func fill(_ filter: inout F) throws -> Bool {
        guard !ended else { return false }
        while !Signals.isAsked {
            if output.isPending, !Descriptor.standardInput.wait(for: Int16(POLLIN), milliseconds: 0) {
                output.flush()
                try checkSinks()
            }
            if let patience = filter.patience(at: .now()),
                !Descriptor.standardInput.wait(for: Int16(POLLIN), milliseconds: max(0, patience))
            {
                // A wait may also end early, by a signal.
                let now = Moment.now()
                if let left = filter.patience(at: now), left <= 0 { try filter.wake(now: now, into: &output) }
                continue
            }
            guard let count = try Descriptor.standardInput.read(into: try input.space()) else { continue }
            // An end that a signal's handler made is not the end of the input: a partial line stays one.
            if Signals.isAsked { break }
            if count > 0 {
                input.fill(count)
            } else {
                ended = true
                try input.end()
            }
            return true
        }
        return false
    }

    private var ended = false

    private func checkSinks() throws(Failure) {
        if let failure = standardOutput.failure { throw failure }
        for side in sides { if let failure = side.failure { throw failure } }
    }

    var lateLines: Int { output.lateLines }

    /// What `--summary` shows of any filter.
    var lineCounts: Summary {
        var summary = Summary()
        summary.add("read", input.lineCount)
        summary.add("written", standardOutput.lineCount)
        summary.add("rejected", output.rejectedLines)
        summary.add("late", output.lateLines)
        return summary
    }
}
