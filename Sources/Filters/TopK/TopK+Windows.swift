public import Bytes
import Sketches

/// When windows are put out.
extension TopK {
    /// The pane for a time; nil if the line is late. Windows that are due before it are put out.
    mutating func pane(_ time: Int64, _ output: inout Output) throws(MalformedLine<Problem>) -> Pane? {
        while true {
            switch clock?.place(time) {
            case .slot(let slot):
                while panes.count <= slot { panes.append(Pane(report.plan, seed: settings.seed)) }
                return panes[slot]
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
        if clock != nil, timeField == nil, clock!.advance(to: processingTime.milliseconds(at: now)) { try putDue(&output) }
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
            try put(panes[0], label: nil, &output)
        }
    }

    private mutating func putLineWindow(closing: Bool, _ output: inout Output) throws(MalformedLine<Problem>) {
        guard let start = lineWindows?.start else { return }
        try put(panes[0], label: Array(String(start).utf8), &output)
        if closing { lineWindows?.close() }
    }

    /// Puts out the windows that are due.
    ///
    /// As a list, a window is the sum of its panes. As partials each pane is put out once, with its own start, when no
    /// window needs it any more: so no line is counted twice where they are merged, and reading them with the same
    /// --window and --hop makes the same windows again.
    private mutating func putDue(_ output: inout Output) throws(MalformedLine<Problem>) {
        while let window = clock?.nextDue() {
            let finished = window.finished.map { panes[$0] }
            let label = label(window.start)
            if let finished, window.slots.count == 1 || settings.emission == .partials {
                try put(finished, label: label, &output)
            } else if settings.emission == .top {
                for slot in window.slots { try addToSum(panes[slot]) }
                try put(sum, label: label, &output)
                if let finished { report.clear(&finished.counter) }
            }
        }
    }

    private func addToSum(_ pane: Pane) throws(MalformedLine<Problem>) {
        do {
            try pane.counter.settle()
            try sum.counter.add(pane.counter)
        } catch { throw MalformedLine(number: error.line ?? lastLine, problem: .overflow) }
    }

    private mutating func put(
        _ pane: Pane, label: [UInt8]?, _ output: inout Output
    ) throws(MalformedLine<Problem>) {
        let memory = panes.reduce(sum.counter.memory) { $0 + $1.counter.memory }
        do { try report.put(&pane.counter, label: label, memory: memory, cells, &output.lines) } catch {
            throw MalformedLine(number: error.line ?? lastLine, problem: .overflow)
        }
    }

    private func label(_ start: Int64) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Timestamp.longest) { target, count in
            // The capacity is that of the longest label.
            if let shape = clock?.shape, let base = target.baseAddress { count = shape.writeLabel(start, to: base) }
        }
    }
}
