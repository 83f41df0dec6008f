public import Bytes
import Sketches

/// The most frequent lines, or the largest sums of count lines, in bounded memory: of all the input, or of each window.
public struct TopK: Filter, ~Copyable {
    let settings: TopKSettings
    let cells: CellKey
    /// By slot of the clock; without windows of time there is one.
    var panes = CounterList()
    /// The slots of those with keys on their way in; some may be named twice.
    var unsettled: [Int] = []
    /// For the sum of the panes of a window.
    var sum: HeavyHitters
    var hops: HopSum
    let sumsPanes: Bool
    var report: TopKReport

    // What tells windows apart. Which of these is in use, `windows` says.
    let windows: Windowing
    var lineWindows: LineWindows
    var clock: WindowClock
    var times: TimeField
    var processingTime = ProcessingTime()
    var idle: IdleTimer?
    /// Whether there are windows of time, and whether lines have times of their own.
    let isTimed: Bool
    let readsTimes: Bool
    let isFinal: Bool
    let paneLimit: Int

    /// What barriers there were.
    var stream = TopKStream()
    /// What was said once.
    var hasDoubted = false
    var hasSaidAhead = false
    var lateInARow = 0
    /// The last of the lines read one by one; an overflow that comes to light later is put down to it.
    var lastLine = 0

    public init(_ settings: TopKSettings) throws(TopKSettings.Problem) {
        let plan = try settings.plan()
        self.settings = settings
        cells = CellKey(plan.geometry, seed: settings.seed)
        sum = HeavyHitters(plan, seed: settings.seed)
        hops = HopSum(seed: settings.seed)
        sumsPanes = settings.sumsPanes
        panes.append(HeavyHitters(plan, seed: settings.seed))
        report = TopKReport(settings, plan)
        idle = settings.idle.map(IdleTimer.init(limit:))
        windows = settings.windows
        (isFinal, paneLimit) = (settings.isFinal, settings.paneLimit)
        var (size, shape, time) = (1, WindowShape.any, EventTime(field: 1, format: .s))
        switch settings.windows {
        case .none: (isTimed, readsTimes) = (false, false)
        case .lines(let lines): (size, isTimed, readsTimes) = (lines, false, false)
        case .processingTime(let windows): (shape, isTimed, readsTimes) = (windows, true, false)
        case .eventTime(let windows, let source): (shape, time, isTimed, readsTimes) = (windows, source, true, true)
        }
        lineWindows = LineWindows(size: size)
        clock = WindowClock(shape, putsOutParts: settings.emission == .partials)
        times = TimeField(time, in: shape)
    }

    public mutating func consume(
        _ lines: Span<UInt8>, firstLine: Int, now: Moment, into output: inout Output
    ) throws(MalformedLine<Problem>) {
        idle?.inputCame(at: now)
        let time = try begin(at: now, &output)
        try lines.withUnsafeBytes { (lines) throws(MalformedLine<Problem>) in
            if settings.readsCounts || readsTimes { return try countEach(lines, firstLine, time, &output) }
            switch windows {
            case .none: try count(lines, in: 0)
            case .lines: try countByLines(lines, &output)
            case .processingTime, .eventTime:
                // No line comes before it is processed.
                if let slot = try slot(time, &output) { try count(lines, in: slot) }
            }
        }
    }

    /// Counts whole lines in one pane.
    private mutating func count(_ lines: UnsafeRawBufferPointer, in slot: Int) throws(MalformedLine<Problem>) {
        // By ones no count passes 64 bits.
        do { try panes[slot].count(lines) } catch { throw MalformedLine(number: lastLine, problem: .overflow) }
        panes.noteMemory(of: slot)
    }

    /// Reads and counts lines one by one.
    private mutating func countEach(
        _ lines: UnsafeRawBufferPointer, _ firstLine: Int, _ now: Int64, _ output: inout Output
    ) throws(MalformedLine<Problem>) {
        guard let base = lines.baseAddress else { return }
        let end = base + lines.count
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
            if stream.isRestoring {
                if let slot = restoredSlot(entry.time) { try add(entry, to: slot, end: end) }
            } else {
                if !isTimed {
                    try add(entry, to: 0, end: end)
                    if case .lines = windows { try took(1, &output) }
                } else if let slot = try slot(readsTimes ? entry.time : now, &output) {
                    try add(entry, to: slot, end: end)
                    if lateInARow > 0 { lateInARow = 0 }
                } else {
                    putAside(UnsafeRawBufferPointer(rebasing: lines[line]), &output)
                }
            }
            if lastLine & 1023 == 0, clock.paneCount > paneLimit { try holdMemory(&output) }
        }
        try settle()
        if clock.events.linesAhead > 0, !hasSaidAhead {
            hasSaidAhead = true
            output.remark(EventClock.aheadRemark)
        }
    }

    /// Counts whole lines, so many in each window.
    private mutating func countByLines(
        _ lines: UnsafeRawBufferPointer, _ output: inout Output
    ) throws(MalformedLine<Problem>) {
        var rest = lines
        while !rest.isEmpty {
            var scanner = LineScanner(rest)
            var (taken, end) = (0, 0)
            while taken < lineWindows.room, let line = scanner.next() {
                (taken, end) = (taken + 1, line.upperBound + 1)
            }
            try count(UnsafeRawBufferPointer(rebasing: rest[..<end]), in: 0)
            try took(taken, &output)
            rest = UnsafeRawBufferPointer(rebasing: rest[end...])
        }
    }

    public var heldBytes: Int { panes.memory + sum.memory + (sumsPanes ? hops.running.memory : 0) }

    /// The input has ended: puts out what is left. Windows that are kept over barriers are no one's but the next run's.
    public consuming func finish(
        now: Moment, into output: inout Output
    ) throws(MalformedLine<Problem>) -> Summary {
        if !(isFinal && stream.hasBarriers) { try putAll(closing: true, &output) }
        remarkAtEnd(&output)
        var summary = report.summary
        if readsTimes { summary.add("ahead", clock.events.linesAhead) }
        return summary
    }
}
