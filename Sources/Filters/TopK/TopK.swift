public import Bytes
import Sketches

/// The most frequent lines, or the largest sums of count lines, in bounded memory: of all the input, or of each window.
public struct TopK: Filter, ~Copyable {
    let settings: TopKSettings
    let cells: CellKey
    /// By slot of the clock; without windows of time there is one.
    var panes = CounterList()
    /// For the sum of the panes of a window.
    var sum: HeavyHitters
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
        sum = HeavyHitters(plan, seed: settings.seed)
        panes.append(HeavyHitters(plan, seed: settings.seed))
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
            if settings.readsCounts || timeField != nil {
                try countEach(lines, firstLine, now, &output)
            } else if lineWindows != nil {
                try countByLines(lines, &output)
            } else {
                let slot = clock == nil ? 0 : try slot(processingTime.milliseconds(at: now), &output)
                if let slot { try count(lines, in: slot) }  // no line comes before it is processed
            }
        }
    }

    /// Counts whole lines in one pane.
    private mutating func count(_ lines: UnsafeRawBufferPointer, in slot: Int) throws(MalformedLine<Problem>) {
        // By ones no count passes 64 bits.
        do { try panes[slot].count(lines) } catch { throw MalformedLine(number: lastLine, problem: .overflow) }
    }

    /// Reads and counts lines one by one.
    private mutating func countEach(
        _ lines: UnsafeRawBufferPointer, _ firstLine: Int, _ now: Moment, _ output: inout Output
    ) throws(MalformedLine<Problem>) {
        guard let base = lines.baseAddress else { return }
        let end = base + lines.count
        let now = clock == nil ? 0 : processingTime.milliseconds(at: now)
        var scanner = LineScanner(lines)
        lastLine = firstLine - 1
        while let line = scanner.next() {
            lastLine += 1
            let entry: TopKEntry
            do throws(Problem) { entry = try read(lines, line) } catch {
                try settle()  // an overflow that is ahead of this line comes first
                try output.reject(UnsafeRawBufferPointer(rebasing: lines[line]), number: lastLine, error)
                continue
            }
            if clock == nil {
                try add(entry, to: 0, end: end)
                try took(1, &output)
            } else if let slot = try slot(timeField == nil ? now : entry.time, &output) {
                try add(entry, to: slot, end: end)
            } else {
                output.setAside(late: UnsafeRawBufferPointer(rebasing: lines[line]))
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
            try count(UnsafeRawBufferPointer(rebasing: rest[..<end]), in: 0)
            try took(taken, &output)
            rest = UnsafeRawBufferPointer(rebasing: rest[end...])
        }
    }

    public var heldBytes: Int { panes.memory + sum.memory }

    /// The input has ended: puts out what is left.
    public consuming func finish(
        now: Moment, into output: inout Output
    ) throws(MalformedLine<Problem>) -> Summary {
        try putAll(closing: true, &output)
        return report.summary
    }
}
