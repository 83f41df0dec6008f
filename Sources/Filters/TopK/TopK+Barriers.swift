public import Bytes
import Sketches

/// What a filter remembers of the barriers.
struct TopKStream {
    var hasBarriers = false
    /// Whether what is held comes back after a restart.
    var hasState = false
    var isRestoring = false
}

extension TopK {
    public var keepsState: Bool { isFinal }

    /// Puts out all that is counted and starts from zero; the windows stay open for what comes later. Where lists are final
    /// nothing is put out but what the watermark has completed: the rest comes back as state.
    public mutating func barrier(
        _ kind: Barrier.Kind, watermark: Watermark?, now: Moment, into output: inout Output
    ) throws(MalformedLine<Problem>) {
        stream.hasBarriers = true
        stream.isRestoring = kind == .restore
        stream.hasState = stream.hasState || kind == .restore
        guard isFinal else {
            try putAll(closing: false, &output)
            if case .eventTime = windows { _ = clock.take(kind, watermark) }
            return
        }
        // Lists are final by the stream's watermark only: its lines come partition by partition.
        let (isDue, isVoid) = clock.take(kind, watermark ?? .unknown)
        if isVoid { try forget() }
        if isDue { try putDue(&output) }
        if kind == .commit, clock.hasOpenWindow, !stream.hasState {
            throw MalformedLine(number: lastLine, problem: .noState)
        }
    }

    /// What is held is void.
    private mutating func forget() throws(MalformedLine<Problem>) {
        try settle()
        for slot in 0..<panes.count { clear(slot) }
        hops.begin()
    }

    // MARK: - What looks wrong

    mutating func putAside(_ late: UnsafeRawBufferPointer, _ output: inout Output) {
        output.setAside(late: late)
        lateInARow += 1
        if lateInARow == 1000 {
            lateInARow = .min  // once is enough
            output.remark(
                "the last 1000 lines were all late: is --grace long enough, and was the time before them right?")
        }
    }

    /// Says once if the unit of the times is likely to be another.
    mutating func doubt(_ output: inout Output) {
        guard !hasDoubted, let doubt = times.doubt else { return }
        hasDoubted = true
        output.remark(doubt)
    }

    mutating func remarkAtEnd(_ output: inout Output) {
        doubt(&output)
        if isFinal, stream.hasBarriers, clock.events.watermark == EventClock.notKnown, clock.hasOpenWindow {
            output.remark("no window was complete: no watermark has come with the barriers")
        }
    }
}
