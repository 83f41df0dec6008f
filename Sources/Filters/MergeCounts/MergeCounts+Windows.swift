import Bytes
import Sketches

/// Totals of windows, which are forgotten when these are over.
extension MergeCounts {
    /// Adds lines that have the label of a window, but for those that are late.
    mutating func addToWindows(
        _ lines: UnsafeRawBufferPointer, firstLine: Int, now: Moment, into output: inout Output
    ) throws(MalformedLine<Problem>) {
        windows?.begin(at: now, &events)
        var scanner = LineScanner(lines)
        // Lines are added in runs, up to the next one that is not to be.
        var (run, runLine, number) = (0, firstLine, firstLine)
        while let line = scanner.next() {
            let bytes = UnsafeRawBufferPointer(rebasing: lines[line])
            var problem: TimeField.Problem?
            var isLate = false
            do throws(TimeField.Problem) { isLate = try windows?.isLate(bytes, &events) ?? false } catch {
                problem = error
            }
            if isLate || problem != nil {
                let before = UnsafeRawBufferPointer(rebasing: lines[run..<line.lowerBound])
                if !before.isEmpty { try add(before, firstLine: runLine, into: &output) }
                (run, runLine) = (line.upperBound + 1, number + 1)
                if let problem {
                    try output.reject(bytes, number: number, Problem.window(problem))
                } else {
                    output.setAside(late: bytes)
                }
            }
            number += 1
        }
        if run < lines.count {
            try add(UnsafeRawBufferPointer(rebasing: lines[run...]), firstLine: runLine, into: &output)
        }
        if events.linesAhead > 0, !hasSaidAhead {
            hasSaidAhead = true
            output.remark(EventClock.aheadRemark)
        }
        if totals.count > windows?.limit ?? .max { forgetWhatIsOver() }
    }

    /// Forgets the keys of windows that are over, but for those whose total is still to be put out.
    mutating func forgetWhatIsOver() {
        guard !events.isRestoring, windows != nil else { return }
        let watermark = events.watermark
        totals.remove { key in windows?.isOver(key: key, watermark) ?? false }
        windows?.setLimit(left: totals.count)
    }
}
