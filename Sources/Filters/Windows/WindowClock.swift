public import Bytes

/// Knows which lines belong to which windows, when a window closes, and which lines are late. What is counted in a pane is
/// its owner's; the clock only hands out small numbers, *slots*, for the panes that are open, and takes them back.
///
///     while true {
///         switch clock.place(time) {
///         case .slot(let slot): count the line there
///         case .late: put the line aside
///         case .due: while let window = clock.nextDue() { print its panes; free window.finished }; continue
///         }
///         break
///     }
///
/// A window closes when the watermark (`EventClock`) reaches its end, and windows close in the order of their starts. A
/// line is late when every window that it belongs to has closed; of a line that is late for some of its windows only, the
/// others get it. Windows without a line are passed over.
///
/// Where what is put out are *parts* of windows, which others add up, nothing is late: each pane is put out once all its
/// windows have closed, and a line that comes later opens the pane once more.
///
/// `end` closes all windows for good. `barrier` makes all of them due but leaves them open: what comes later is a second
/// part of the same window.
///
/// - Cost: one comparison for a line in the pane of the line before. Otherwise a division, and a binary search among the
///   open panes.
public struct WindowClock: Sendable {
    public enum Place: Equatable, Sendable {
        /// The slot of the line's pane.
        case slot(Int)
        case late
        /// Windows are due: take them all with `nextDue`, and ask again.
        case due
    }

    /// A window to put out; or, where parts are put out, a pane.
    public struct Window: Equatable, Sendable {
        public let start: Int64
        /// The slot of its last pane, if that has lines; no window before it had this pane.
        public let newest: Int?
        /// The slot of its first pane, if that has lines. No later window needs it: it is free from now on, and may be
        /// handed out again.
        public let finished: Int?
    }

    public let shape: WindowShape
    public private(set) var events: EventClock
    private let putsOutParts: Bool
    private let panesInWindow: Int64
    private var panes = OpenPanes()
    /// Windows whose last pane is below this one are closed.
    private var closed: Int64
    /// Windows up to this one are due, and what `closed` becomes when they have been taken.
    private var due: Int64
    private var closedAfterDue: Int64
    /// The lowest time of a line that may close a window.
    private var nextAdvance = Int64.min
    /// The times that need no thought: those of the pane of the last line that move no watermark to the next window's end.
    private var easyStart: Int64 = 0
    private var easyCount: UInt64 = 0
    private var easySlot = 0

    public init(_ shape: WindowShape, putsOutParts: Bool = false) {
        self.shape = shape
        self.putsOutParts = putsOutParts
        events = EventClock(grace: shape.grace)
        panesInWindow = shape.panesInWindow
        closed = shape.reached(.min)
        (due, closedAfterDue) = (closed, closed)
        findNextAdvance()
    }

    /// Past this time, in milliseconds, a line moves no watermark.
    public mutating func limit(to ceiling: Int64) {
        if ceiling < events.ceiling { easyCount = 0 }
        events.ceiling = ceiling
    }

    // MARK: - Lines

    /// Where the line of this time belongs. The time, in milliseconds, lies in `Timestamp.range`, or is a start of `shape`.
    public mutating func place(_ time: Int64) -> Place {
        if UInt64(bitPattern: time &- easyStart) < easyCount { return .slot(easySlot) }
        return placeWithCare(time)
    }

    @inline(never)
    private mutating func placeWithCare(_ time: Int64) -> Place {
        if time >= nextAdvance || time > events.ceiling {
            events.see(time)
            if advance() { return .due }
        }
        let pane = shape.pane(at: time)
        guard putsOutParts || pane + panesInWindow > closed else { return .late }
        easySlot = panes.slot(opening: pane)
        easyStart = shape.start(ofPane: pane)
        let end = min(shape.start(ofPane: pane + 1), nextAdvance)
        easyCount = time > events.ceiling ? 0 : UInt64(max(0, min(end - 1, events.ceiling) - easyStart + 1))
        return .slot(easySlot)
    }

    /// The slot of a line that is state; nil where its windows were put out before the restart.
    public mutating func placeRestored(_ time: Int64) -> Int? {
        let pane = shape.pane(at: time)
        guard events.done == EventClock.notKnown || pane + panesInWindow > shape.reached(events.done) else {
            return nil
        }
        return panes.slot(opening: pane)
    }

    /// Whether a window was put out that the pane in this slot belongs to, so that its lines are wanted in the sum as well.
    public func isPartlyOut(_ slot: Int) -> Bool { panes.pane(of: slot).map { $0 < closed } ?? false }

    // MARK: - Time

    /// Takes note that time has come to `time`. Returns whether windows are due.
    public mutating func advance(to time: Int64) -> Bool {
        guard time >= nextAdvance else { return false }
        events.see(time)
        return advance()
    }

    /// Takes note of a barrier. Returns whether windows are due, and whether what is held is void: then no pane is open.
    public mutating func take(_ kind: Barrier.Kind, _ watermark: Watermark?) -> (isDue: Bool, isVoid: Bool) {
        easyCount = 0
        let isVoid = events.barrier(kind, watermark)
        if isVoid { restart() }
        findNextAdvance()
        return (advance(), isVoid)
    }

    /// Begins anew, as if no line had come and no time had passed.
    public mutating func startOver() {
        events = EventClock(grace: shape.grace)
        restart()
    }

    /// Forgets all panes, and which windows have closed.
    private mutating func restart() {
        panes = OpenPanes()
        closed = shape.reached(.min)
        (due, closedAfterDue, easyCount) = (closed, closed, 0)
        findNextAdvance()
    }

    private mutating func findNextAdvance() {
        let end = shape.start(ofPane: closed + 1)
        nextAdvance = events.isOfStream || events.isRestoring ? .max : end + shape.lag + shape.grace
    }

    private mutating func advance() -> Bool {
        guard events.watermark != EventClock.notKnown else { return false }
        let reached = shape.reached(events.watermark)
        guard reached > closed else { return false }
        return makeDue(reached, closing: reached)
    }

    /// Makes all windows due, and closes them for good.
    public mutating func end() {
        guard let last = panes.last else { return }
        _ = makeDue(last + panesInWindow, closing: max(closed, last + panesInWindow))
    }

    /// Makes all windows due, and leaves them open.
    public mutating func barrier() {
        guard let last = panes.last else { return }
        _ = makeDue(last + panesInWindow, closing: closed)
    }

    private mutating func makeDue(_ end: Int64, closing: Int64) -> Bool {
        precondition(due == closedAfterDue && due == closed, "due windows were not taken")
        easyCount = 0
        if let next = nextDueEnd, next <= end {
            (due, closedAfterDue) = (end, closing)
            return true
        }
        (closed, due, closedAfterDue) = (closing, closing, closing)
        findNextAdvance()
        return false
    }

    /// The pane behind the next window, or part of one, that has lines.
    private var nextDueEnd: Int64? {
        panes.first.map { putsOutParts ? $0 + panesInWindow : max($0, closed) + 1 }
    }

    /// Where the next open window ends that has lines.
    public var nextEnd: Int64? { nextDueEnd.map { shape.start(ofPane: $0) + shape.lag } }

    public var hasOpenWindow: Bool { panes.first != nil }

    /// How many panes are open.
    public var paneCount: Int { panes.count }

    /// The next window that is due, in the order of starts; nil when there is none left.
    public mutating func nextDue() -> Window? {
        guard let first = panes.first, let end = nextDueEnd, end <= due else {
            (closed, due) = (closedAfterDue, closedAfterDue)
            findNextAdvance()
            return nil
        }
        if putsOutParts { return takeFirst() }
        closed = end
        let newest = panes.slot(of: end - 1)
        let isFinished = first == end - panesInWindow
        let finished = isFinished ? panes.removeFirst() : nil
        return Window(start: shape.start(ofPane: end - panesInWindow), newest: newest, finished: finished)
    }

    /// Takes the oldest open pane before its time, where parts are put out: another may need its place.
    public mutating func takeFirst() -> Window? {
        guard putsOutParts, let first = panes.first else { return nil }
        easyCount = 0
        let slot = panes.removeFirst()
        return Window(start: shape.start(ofPane: first), newest: slot, finished: slot)
    }

    /// The slots of the panes that are left of the window that was put out last, but for the one that it has finished.
    public func slotsOfLastWindow(_ body: (Int) -> Void) { panes.forEach(below: closed, body) }
}
