import Bytes

/// Knows which lines belong to which windows, when a window closes, and which lines are late. What is counted in a pane is
/// its owner's; the clock only hands out small numbers, *slots*, for the panes that are open, and takes them back.
///
///     while true {
///         switch clock.place(time) {
///         case .slot(let slot): count the line there
///         case .late: put the line aside
///         case .due: while let window = clock.nextDue() { print the sum of window.slots; free window.finished }; continue
///         }
///         break
///     }
///
/// The *watermark* is the highest time seen less the grace. A window closes when the watermark reaches its end, and windows
/// close in the order of their starts. A line is late when every window that it belongs to has closed; of a line that is
/// late for some of its windows only, the others get it. Windows without a line are passed over.
///
/// `end` closes all windows for good. `barrier` makes all of them due but leaves them open: what comes later is a second
/// part of the same window. The watermark stays as it was: it is not lost with a restart so much as begun anew, and then
/// lines that would have been late are counted.
///
/// - Cost: one comparison for a line in the pane of the line before. Otherwise a division and a search among the open
///   panes, of which there are `shape.paneLimit` at most.
public struct WindowClock: Sendable {
    public enum Place: Equatable, Sendable {
        /// The slot of the line's pane.
        case slot(Int)
        case late
        /// Windows are due: take them all with `nextDue`, and ask again.
        case due
    }

    /// A window to put out.
    public struct Window: Equatable, Sendable {
        public let start: Int64
        /// The panes of it that have lines, in the order of time.
        public let slots: [Int]
        /// The slot among them that no later window needs: it is free from now on, and may be handed out again.
        public let finished: Int?
    }

    private struct Pane {
        let start: Int64
        let slot: Int
    }

    public let shape: WindowShape
    /// The panes that have lines and a window that is open, in the order of their starts.
    private var panes: [Pane] = []
    private var freeSlots: [Int] = []
    private var slotCount = 0
    /// All windows that end here or earlier are closed. A multiple of the hop.
    private var closed: Int64
    /// Windows that end here or earlier are due, and what `closed` becomes when they have been taken.
    private var due: Int64
    private var closedAfterDue: Int64
    /// The times that need no thought: those of the pane of the last line that move no watermark to the next window's end.
    private var easyStart: Int64 = 0
    private var easyCount: UInt64 = 0
    private var easySlot = 0

    public init(_ shape: WindowShape) {
        self.shape = shape
        // Before all times, with room for sums.
        closed = Timestamp.floorDivide(Timestamp.range.lowerBound - 4 * WindowShape.longest, shape.hop) * shape.hop
        due = closed
        closedAfterDue = closed
    }

    /// Where the line of this time belongs. The time, in milliseconds, lies in `Timestamp.range`.
    public mutating func place(_ time: Int64) -> Place {
        if UInt64(bitPattern: time &- easyStart) < easyCount { return .slot(easySlot) }
        return placeWithCare(time)
    }

    @inline(never)
    private mutating func placeWithCare(_ time: Int64) -> Place {
        if advance(to: time) { return .due }
        let start = Timestamp.floorDivide(time, shape.hop) * shape.hop
        guard start + shape.size > closed else { return .late }
        easySlot = slot(at: start)
        easyStart = start
        easyCount = UInt64(min(start + shape.hop, nextAdvance) - start)
        return .slot(easySlot)
    }

    /// The lowest time that moves the watermark to or past the end of a window. Above every time that was seen.
    private var nextAdvance: Int64 { closed + shape.hop + shape.grace }

    /// Takes note that time has come to `time`. Returns whether windows are due.
    public mutating func advance(to time: Int64) -> Bool {
        guard time >= nextAdvance else { return false }
        let watermark = Timestamp.floorDivide(time - shape.grace, shape.hop) * shape.hop
        return makeDue(watermark, closing: watermark)
    }

    /// Makes all windows due, and closes them for good.
    public mutating func end() {
        guard let last = panes.last else { return }
        _ = makeDue(last.start + shape.size, closing: last.start + shape.size)
    }

    /// Makes all windows due, and leaves them open.
    public mutating func barrier() {
        guard let last = panes.last else { return }
        _ = makeDue(last.start + shape.size, closing: closed)
    }

    private mutating func makeDue(_ end: Int64, closing: Int64) -> Bool {
        precondition(due == closedAfterDue && due == closed, "due windows were not taken")
        easyCount = 0
        if let next = nextEnd, next <= end {
            (due, closedAfterDue) = (end, closing)
            return true
        }
        (closed, due, closedAfterDue) = (closing, closing, closing)
        return false
    }

    /// Where the next open window ends that has lines.
    public var nextEnd: Int64? { panes.first.map { max($0.start, closed) + shape.hop } }

    /// The next window that is due, in the order of starts; nil when there is none left.
    public mutating func nextDue() -> Window? {
        guard let end = nextEnd, end <= due else {
            (closed, due) = (closedAfterDue, closedAfterDue)
            return nil
        }
        closed = end
        let start = end - shape.size
        let slots = panes.prefix { $0.start < end }.map(\.slot)
        guard let first = panes.first, first.start == start else {
            return Window(start: start, slots: slots, finished: nil)
        }
        panes.removeFirst()
        freeSlots.append(first.slot)
        return Window(start: start, slots: slots, finished: first.slot)
    }

    private mutating func slot(at start: Int64) -> Int {
        var at = panes.count
        while at > 0, panes[at - 1].start >= start {
            at -= 1
            if panes[at].start == start { return panes[at].slot }
        }
        if freeSlots.isEmpty {
            freeSlots.append(slotCount)
            slotCount += 1
        }
        let slot = freeSlots.removeLast()
        panes.insert(Pane(start: start, slot: slot), at: at)
        return slot
    }
}
