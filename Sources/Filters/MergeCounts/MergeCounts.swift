public import Bytes
import CBytes
import Sketches

/// Sums count lines by key.
///
/// `Mode` says what is put out when. At an interval, a barrier or the end, the order is that of the keys, byte by byte, or
/// of the counts, so it does not depend on the order of the input.
public struct MergeCounts: ~Copyable, Filter {
    public enum Mode: Equatable, Sendable {
        /// The totals at the end, or at a barrier, which begins the next sums; by key, or the `top` largest (0: all) by
        /// count.
        case totals(top: Int?)
        /// The new total of each key that came, at each barrier, at each interval, and at the end. Totals are kept.
        case updates(every: Interval?)
        /// The input is sorted by key, and a total is put out when the next key comes.
        case sorted
    }

    public enum Problem: LineProblem {
        case count(CountLine.Problem)
        case window(TimeField.Problem)
        /// The key, quoted.
        case totalOutOfRange(String)
        /// The key, quoted.
        case notSorted(String)

        public var description: String {
            switch self {
            case .count(let problem): problem.description
            case .window(let problem): problem.description
            case .totalOutOfRange(let key): "total of \(key) is out of 64-bit range"
            case .notSorted(let key): "key \(key) is not in order (--sorted)"
            }
        }
    }

    private let mode: Mode
    var totals: KeyTotals
    /// What is kept of windows; nil: all, whether the keys have windows or not.
    var windows: KeptWindows?
    var events = EventClock()
    var hasSaidAhead = false
    private var sorted = SortedTotals()
    /// When the first line since the last output came.
    private var waitingSince: Int64?
    private var linesSinceOutput = 0
    /// The most distinct keys held at once.
    private var mostKeys = 0

    /// - Parameter retention: how long the totals of a window are kept; nil: for ever. Only for updates.
    public init(_ mode: Mode, keeping retention: Retention? = nil) {
        self.mode = mode
        windows = retention.map { KeptWindows($0) }
        if case .updates = mode { totals = KeyTotals(tracksChanges: true) } else { totals = KeyTotals() }
    }

    // MARK: - Lines

    public mutating func consume(
        _ lines: Span<UInt8>, firstLine: Int, now: Moment, into output: inout Output
    ) throws(MalformedLine<Problem>) {
        if patience(at: now) == 0 { writeChanges(into: &output) }
        try lines.withUnsafeBytes { (bytes) throws(MalformedLine<Problem>) in
            if mode == .sorted {
                try sorted.add(bytes, firstLine: firstLine, into: &output)
            } else if windows != nil {
                try addToWindows(bytes, firstLine: firstLine, now: now, into: &output)
            } else {
                try add(bytes, firstLine: firstLine, into: &output)
            }
        }
        waitingSince = waitingSince ?? now.monotonicMilliseconds
    }

    mutating func add(
        _ lines: UnsafeRawBufferPointer, firstLine: Int, into output: inout Output
    ) throws(MalformedLine<Problem>) {
        var limit = Int.max
        if case .updates(.lines(let every)) = mode, !totals.isRestoring { limit = every }
        var place = KeyTotals.Place()
        while true {
            let before = place.index
            let stop = totals.add(lines, from: &place, atMost: limit - linesSinceOutput)
            switch stop {
            case .end: break
            case .malformed(let problem):
                let line = take(lines, &place)
                try output.reject(line, number: firstLine + place.index - 1, Problem.count(problem))
            case .overflow:
                let line = take(lines, &place)
                let problem = Problem.totalOutOfRange(Self.quotedKey(line))
                try output.reject(line, number: firstLine + place.index - 1, problem)
            }
            linesSinceOutput += place.index - before
            if linesSinceOutput == limit { writeChanges(into: &output) }
            if place.offset == lines.count { return }
        }
    }

    /// The line at `place`, which moves behind it.
    private func take(_ lines: UnsafeRawBufferPointer, _ place: inout KeyTotals.Place) -> UnsafeRawBufferPointer {
        let rest = UnsafeRawBufferPointer(rebasing: lines[place.offset...])
        let end = rest.baseAddress.map { cbytes_first($0, 0x0A, rest.count) } ?? 0
        place.offset += end + 1
        place.index += 1
        return UnsafeRawBufferPointer(rebasing: rest[..<end])
    }

    static func quotedKey(_ line: UnsafeRawBufferPointer) -> String {
        quoted(UnsafeRawBufferPointer(rebasing: line[..<(line.lastIndex(of: UInt8(ascii: "\t")) ?? line.count)]))
    }

    // MARK: - Output

    public var keepsState: Bool { if case .updates = mode { true } else { false } }

    public func patience(at now: Moment) -> Int64? {
        guard case .updates(.milliseconds(let every)) = mode, let waitingSince, !totals.isRestoring else { return nil }
        return max(0, waitingSince + every - now.monotonicMilliseconds)
    }

    public var heldBytes: Int { totals.memory }

    public mutating func wake(now: Moment, into output: inout Output) {
        if patience(at: now) == 0 { writeChanges(into: &output) }
    }

    public mutating func barrier(
        _ kind: Barrier.Kind, watermark: Watermark?, now: Moment, into output: inout Output
    ) throws(MalformedLine<Problem>) {
        if events.barrier(kind, watermark) { totals.reset() }
        totals.isRestoring = events.isRestoring
        switch kind {
        case .open, .restore: break
        case .restored:
            forgetWhatIsOver()
            waitingSince = nil
            linesSinceOutput = 0
        case .commit, .close:
            try writeAll(into: &output)
            mostKeys = max(mostKeys, totals.count)
            if case .totals = mode { totals.reset() }
        }
    }

    public consuming func finish(now: Moment, into output: inout Output) throws(MalformedLine<Problem>) -> Summary {
        try writeAll(into: &output)
        forgetWhatIsOver()
        var summary = Summary()
        let keys = mode == .sorted ? sorted.count : windows == nil ? max(mostKeys, totals.count) : totals.count
        summary.add("keys", keys)
        summary.add("held_bytes", heldBytes)
        if windows != nil { summary.add("ahead", events.linesAhead) }
        return summary
    }

    /// Puts out all that is owed.
    private mutating func writeAll(into output: inout Output) throws(MalformedLine<Problem>) {
        switch mode {
        case .sorted: sorted.end(into: &output)
        case .totals(let top):
            totals.write(top: top == 0 ? .max : top, to: &output.lines)
        case .updates: writeChanges(into: &output)
        }
    }

    private mutating func writeChanges(into output: inout Output) {
        totals.writeChanged(to: &output.lines)
        waitingSince = nil
        linesSinceOutput = 0
    }
}
