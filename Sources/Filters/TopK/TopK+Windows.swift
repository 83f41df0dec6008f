public import Bytes
import Sketches

/// When windows are put out.
extension TopK {
    /// Takes note of what time it is. Returns the time of lines that have none of their own.
    mutating func begin(at now: Moment, _ output: inout Output) throws(MalformedLine<Problem>) -> Int64 {
        switch windows {
        case .none, .lines: return 0
        case .processingTime:
            if processingTime.hasStepped(at: now) {
                // What was counted until now belongs under the time that it was thought to be.
                try putAll(closing: false, &output)
                clock.startOver()
                hops.begin()
            }
            return processingTime.milliseconds(at: now)
        case .eventTime(_, let time):
            if let maxAhead = time.maxAhead { clock.limit(to: now.unixMilliseconds + maxAhead) }
            return 0
        }
    }

    /// The slot of the pane for a time; nil if the line is late. Windows that are due before it are put out.
    @inline(__always)
    mutating func slot(_ time: Int64, _ output: inout Output) throws(MalformedLine<Problem>) -> Int? {
        while true {
            switch clock.place(time) {
            case .slot(let slot):
                if slot >= panes.count { openPanes(upTo: slot) }
                return slot
            case .late: return nil
            case .due: try putDue(&output)
            }
        }
    }

    /// The slot of a line that is state; nil if its window was put out before.
    mutating func restoredSlot(_ time: Int64) -> Int? {
        guard let slot = clock.placeRestored(time) else { return nil }
        if slot >= panes.count { openPanes(upTo: slot) }
        return slot
    }

    @inline(never)
    private mutating func openPanes(upTo slot: Int) {
        while panes.count <= slot { panes.append(HeavyHitters(report.plan, seed: settings.seed)) }
    }

    /// Takes note that so many lines were counted in the window of lines, and puts it out when it is full.
    mutating func took(_ lines: Int, _ output: inout Output) throws(MalformedLine<Problem>) {
        lineWindows.take(lines)
        if lineWindows.room == 0 { try putLineWindow(closing: true, &output) }
    }

    public func patience(at now: Moment) -> Int64? {
        var untilDue: Int64?
        if case .processingTime = windows { untilDue = processingTime.patience(at: now, until: clock.nextEnd) }
        let untilIdle = canBeIdle ? idle?.patience(at: now) : nil
        guard let untilDue, let untilIdle else { return untilDue ?? untilIdle }
        return min(untilDue, untilIdle)
    }

    /// Whether quiet input ends a window. Where the stream has watermarks, they say what is complete.
    private var canBeIdle: Bool {
        switch windows {
        case .none: false
        case .lines: lineWindows.count > 0
        case .processingTime: clock.hasOpenWindow
        case .eventTime: clock.hasOpenWindow && !clock.events.isOfStream && !(isFinal && stream.hasBarriers)
        }
    }

    public mutating func wake(now: Moment, into output: inout Output) throws(MalformedLine<Problem>) {
        let time = try begin(at: now, &output)
        var isProcessingTime = false
        if case .processingTime = windows {
            isProcessingTime = true
            if clock.advance(to: time) { try putDue(&output) }
        }
        if canBeIdle, idle?.patience(at: now) == 0 {
            // In processing time the window is not over: what still comes in it is not late, but a second part of it.
            try putAll(closing: !isProcessingTime, &output)
        }
    }

    mutating func putAll(closing: Bool, _ output: inout Output) throws(MalformedLine<Problem>) {
        switch windows {
        case .none: try put(0, label: nil, &output)
        case .lines: try putLineWindow(closing: closing, &output)
        case .processingTime, .eventTime:
            if closing { clock.end() } else { clock.barrier() }
            try putDue(&output)
        }
    }

    private mutating func putLineWindow(closing: Bool, _ output: inout Output) throws(MalformedLine<Problem>) {
        try put(0, label: Array(String(lineWindows.start).utf8), &output)
        if closing { lineWindows.close() }
    }

    /// Puts out the windows that are due.
    ///
    /// As a list, a window is the sum of its panes. As partials each pane is put out once, with its own start, when no
    /// window needs it any more: so no line is counted twice where they are merged, and reading them with the same
    /// --window and --hop makes the same windows again.
    mutating func putDue(_ output: inout Output) throws(MalformedLine<Problem>) {
        while let window = clock.nextDue() { try put(window, &output) }
        doubt(&output)
    }

    private mutating func put(
        _ window: WindowClock.Window, _ output: inout Output
    ) throws(MalformedLine<Problem>) {
        let label = label(window.start)
        guard settings.sumsPanes else {
            if let finished = window.finished { try put(finished, label: label, &output) }
            return
        }
        try putHop(window, label, &output)
    }

    /// Starts a pane from zero.
    mutating func clear(_ slot: Int) {
        report.clear(&panes[slot])
        panes.noteMemory(of: slot)
    }

    mutating func addToSum(_ slot: Int) throws(MalformedLine<Problem>) {
        do {
            try settle(slot)
            try sum.add(panes[slot])
        } catch { throw MalformedLine(number: error.line ?? lastLine, problem: .overflow) }
    }

    /// Puts out what a pane, or for nil the sum, has counted.
    mutating func put(
        _ slot: Int?, label: [UInt8]?, _ output: inout Output
    ) throws(MalformedLine<Problem>) {
        do {
            if let slot {
                try settle(slot)
                try report.put(&panes[slot], label: label, memory: heldBytes, cells, &output.lines)
                panes.noteMemory(of: slot)
            } else {
                try report.put(&sum, label: label, memory: heldBytes, cells, &output.lines)
            }
        } catch { throw MalformedLine(number: error.line ?? lastLine, problem: .overflow) }
    }

    private func label(_ start: Int64) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Timestamp.longest) { target, count in
            // The capacity is that of the longest label.
            guard let base = target.baseAddress else { return }
            count =
                times.showsMilliseconds
                ? Timestamp.write(start, withMilliseconds: true, to: base) : clock.shape.writeLabel(start, to: base)
        }
    }

    /// Where more panes are open than the memory was shared out to: puts the oldest out as parts, or says that it is too
    /// little.
    mutating func holdMemory(_ output: inout Output) throws(MalformedLine<Problem>) {
        try settle()
        while clock.paneCount > paneLimit, panes.memory > settings.memory {
            guard let oldest = clock.takeFirst() else {
                throw MalformedLine(number: lastLine, problem: .windows(open: clock.paneCount))
            }
            try put(oldest, &output)
        }
    }
}
