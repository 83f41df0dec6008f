public import Bytes
import Sketches

/// The most frequent lines, or the largest sums of count lines, in bounded memory: of all the input, or of each window.
public struct TopK: Filter, ~Copyable {
    let settings: TopKSettings
    let cells: CellKey
    /// By slot of the clock; without windows of time there is one.
    var panes: [Pane]
    /// For the sum of the panes of a window.
    let sum: Pane
    var report: TopKReport

    // What tells windows apart: lines, a clock, or neither. The clock is told the time of a field, or else of processing.
    var lineWindows: LineWindows?
    var clock: WindowClock?
    var timeField: TimeField?
    var processingTime = ProcessingTime()
    var idle: IdleTimer?

    /// The last of the lines read one by one; an overflow that comes to light later is put down to it.
    var lastLine = 0

    public init(_ settings: TopKSettings) throws(TopKSettings.Problem) {
        let plan = try settings.plan()
        self.settings = settings
        cells = CellKey(plan.geometry, seed: settings.seed)
        panes = [Pane(plan, seed: settings.seed)]
        sum = Pane(plan, seed: settings.seed)
        report = TopKReport(settings, plan)
        idle = settings.idle.map(IdleTimer.init(limit:))
        switch settings.windows {
        case .none: break
        case .lines(let size): lineWindows = LineWindows(size: size)
        case .processingTime(let shape): clock = WindowClock(shape)
        case .eventTime(let shape, let field, let format):
            clock = WindowClock(shape)
            timeField = TimeField(field, format: format)
        }
    }

    public mutating func consume(
        _ lines: Span<UInt8>, firstLine: Int, now: Moment, into output: inout Output
    ) throws(MalformedLine<Problem>) {
        idle?.inputCame(at: now)
        try lines.withUnsafeBytes { (lines) throws(MalformedLine<Problem>) in
            var number = firstLine
            if settings.readsCounts || timeField != nil {
                try countEach(lines, &number, now, &output)
            } else if lineWindows != nil {
                try countByLines(lines, &output)
            } else {
                let pane = clock == nil ? panes[0] : try pane(processingTime.milliseconds(at: now), &output)
                if let pane { try count(lines, in: pane) }  // no line comes before it is processed
            }
        }
    }

    /// Counts whole lines in one pane.
    private func count(_ lines: UnsafeRawBufferPointer, in pane: Pane) throws(MalformedLine<Problem>) {
        // By ones no count passes 64 bits.
        do { try pane.counter.count(lines) } catch { throw MalformedLine(number: lastLine, problem: .overflow) }
    }

    /// Reads and counts lines one by one.
    private mutating func countEach(
        _ lines: UnsafeRawBufferPointer, _ number: inout Int, _ now: Moment, _ output: inout Output
    ) throws(MalformedLine<Problem>) {
        let now = clock == nil ? 0 : processingTime.milliseconds(at: now)
        var scanner = LineScanner(lines)
        while let range = scanner.next() {
            defer { number += 1 }
            lastLine = number
            let line = UnsafeRawBufferPointer(rebasing: lines[range])
            let entry: TopKEntry
            do throws(Problem) { entry = try read(line) } catch {
                try refuse(line, number, error, &output)
                continue
            }
            guard clock != nil else {
                try add(entry, line: number, to: panes[0])
                try took(1, &output)
                continue
            }
            if let pane = try pane(timeField == nil ? now : entry.time, &output) {
                try add(entry, line: number, to: pane)
            } else {
                output.setAside(late: line)
            }
        }
        try settle()
    }

    /// Counts whole lines, so many in each window.
    private mutating func countByLines(
        _ lines: UnsafeRawBufferPointer, _ output: inout Output
    ) throws(MalformedLine<Problem>) {
        var rest = lines
        while !rest.isEmpty, let room = lineWindows?.room {
            var scanner = LineScanner(rest)
            var (taken, end) = (0, 0)
            while taken < room, let line = scanner.next() { (taken, end) = (taken + 1, line.upperBound + 1) }
            try count(UnsafeRawBufferPointer(rebasing: rest[..<end]), in: panes[0])
            try took(taken, &output)
            rest = UnsafeRawBufferPointer(rebasing: rest[end...])
        }
    }

    /// The input has ended: puts out what is left.
    public consuming func finish(
        now: Moment, into output: inout Output
    ) throws(MalformedLine<Problem>) -> Summary {
        try putAll(closing: true, &output)
        return report.summary
    }
}
