public import Bytes
import Sketches

/// When windows are put out.
extension TopK {
    /// The slot of the pane for a time; nil if the line is late. Windows that are due before it are put out.
    mutating func slot(_ time: Int64, _ output: inout Output) throws(MalformedLine<Problem>) -> Int? {
        while true {
            switch clock?.place(time) {
            case .slot(let slot):
                while panes.count <= slot { panes.append(HeavyHitters(report.plan, seed: settings.seed)) }
                return slot
            case .late, nil: return nil
            case .due: try putDue(&output)
            }
        }
    }

    /// Takes note that so many lines were counted in the window of lines, if there is one, and puts it out when it is full.
    mutating func took(_ lines: Int, _ output: inout Output) throws(MalformedLine<Problem>) {
        lineWindows?.take(lines)
        if lineWindows?.room == 0 { try putLineWindow(closing: true, &output) }
    }

    public func patience(at now: Moment) -> Int64? {
        let untilDue = timeField == nil ? processingTime.patience(at: now, until: clock?.nextEnd) : nil
        let untilIdle = hasOpenWindow ? idle?.patience(at: now) : nil
        guard let untilDue, let untilIdle else { return untilDue ?? untilIdle }
        return min(untilDue, untilIdle)
    }

    private var hasOpenWindow: Bool { clock?.nextEnd != nil || (lineWindows?.count ?? 0) > 0 }

    public mutating func wake(now: Moment, into output: inout Output) throws(MalformedLine<Problem>) {
        if clock != nil, timeField == nil, clock!.advance(to: processingTime.milliseconds(at: now)) {
            try putDue(&output)
        }
        if hasOpenWindow, idle?.patience(at: now) == 0 {
            // In processing time the window is not over: what still comes in it is not late, but a second part of it.
            try putAll(closing: clock == nil || timeField != nil, &output)
        }
    }

    /// Puts out all that is counted and starts from zero; the windows stay open for what comes later.
    public mutating func barrier(
        _ kind: Barrier.Kind, now: Moment, into output: inout Output
    ) throws(MalformedLine<Problem>) {
        try putAll(closing: false, &output)
    }

    mutating func putAll(closing: Bool, _ output: inout Output) throws(MalformedLine<Problem>) {
        if clock != nil {
            if closing { clock!.end() } else { clock!.barrier() }
            try putDue(&output)
        } else if lineWindows != nil {
            try putLineWindow(closing: closing, &output)
        } else {
            try put(0, label: nil, &output)
        }
    }

    private mutating func putLineWindow(closing: Bool, _ output: inout Output) throws(MalformedLine<Problem>) {
        guard let start = lineWindows?.start else { return }
        try put(0, label: Array(String(start).utf8), &output)
        if closing { lineWindows?.close() }
    }

    /// Puts out the windows that are due.
    ///
    /// As a list, a window is the sum of its panes. As partials each pane is put out once, with its own start, when no
    /// window needs it any more: so no line is counted twice where they are merged, and reading them with the same
    /// --window and --hop makes the same windows again.
    private mutating func putDue(_ output: inout Output) throws(MalformedLine<Problem>) {
        while let window = clock?.nextDue() {
            let label = label(window.start)
            if let finished = window.finished, window.slots.count == 1 || settings.emission == .partials {
                try put(finished, label: label, &output)
            } else if settings.emission == .top {
                for slot in window.slots { try addToSum(slot) }
                try put(nil, label: label, &output)
                if let finished = window.finished { report.clear(&panes[finished]) }
            }
        }
    }

    private mutating func addToSum(_ slot: Int) throws(MalformedLine<Problem>) {
        do {
            try panes[slot].settle()
            try sum.add(panes[slot])
        } catch { throw MalformedLine(number: error.line ?? lastLine, problem: .overflow) }
    }

    /// Puts out what a pane, or for nil the sum, has counted.
    private mutating func put(
        _ slot: Int?, label: [UInt8]?, _ output: inout Output
    ) throws(MalformedLine<Problem>) {
        let memory = heldBytes
        do {
            if let slot {
                try report.put(&panes[slot], label: label, memory: memory, cells, &output.lines)
            } else {
                try report.put(&sum, label: label, memory: memory, cells, &output.lines)
            }
        } catch { throw MalformedLine(number: error.line ?? lastLine, problem: .overflow) }
    }

    private func label(_ start: Int64) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Timestamp.longest) { target, count in
            // The capacity is that of the longest label.
            if let shape = clock?.shape, let base = target.baseAddress { count = shape.writeLabel(start, to: base) }
        }
    }
}
