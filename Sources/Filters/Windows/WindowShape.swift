import Bytes

/// How time is cut into windows: windows of `size` milliseconds, one of them beginning at each multiple of `hop` since the
/// Unix epoch, or so much later as the offset says. A window contains its start and not its end. Where `hop` is `size`
/// (tumbling windows) each time is in one window; where it is a fraction of it (hopping windows) in `size / hop` of them.
///
/// The stretch from one multiple of `hop` to the next is a *pane*: each line is counted once, in its pane, and a window is
/// the sum of its panes (J. Li et al., "No pane, no gain", SIGMOD Record 34(1), 2005, doi:10.1145/1058150.1058158). The
/// size has to be a multiple of the hop, so that a pane is never shorter than a hop. Panes are numbered in the order of
/// time; in a time zone they are days, which may have 23 or 25 hours, and the first day of a week is a Monday.
public struct WindowShape: Equatable, Sendable {
    /// The largest size and the longest grace, in milliseconds: a leap year, so that all sums of times fit.
    public static let longest: Int64 = 366 * 86_400_000
    /// The first label that can be written.
    private static let firstLabel: Int64 = -62_167_219_200_000

    public enum Problem: Error, Equatable, Sendable, CustomStringConvertible {
        case sizeOutOfRange
        case hopDoesNotDivideSize
        case graceOutOfRange
        case offsetOutOfRange
        case notWholeDays

        public var description: String {
            switch self {
            case .sizeOutOfRange: "a window is from 1ms to 366d long"
            case .hopDoesNotDivideSize: "the window has to be a whole number of hops"
            case .graceOutOfRange: "the grace is at most 366d"
            case .offsetOutOfRange: "the offset of a window has to be less than its hop"
            case .notWholeDays: "in a time zone the window, and the hop, have to be whole days"
            }
        }
    }

    /// What panes are.
    private enum Panes: Equatable, Sendable {
        /// All of one length, the pane 0 beginning so many milliseconds after 1970.
        case even(offset: Int64)
        case days(LocalDays)
        /// One for each label, which is the start of a window wherever it lies.
        case labels
    }

    /// In milliseconds, as are hop and grace.
    public let size: Int64
    public let hop: Int64
    /// How far behind the highest time a line may come.
    public let grace: Int64
    private let panes: Panes

    /// - Parameters:
    ///   - hop: nil for tumbling windows.
    ///   - offset: how much later than at a multiple of the hop windows begin.
    ///   - zone: whose days windows are made of; nil: all days have 24 hours.
    public init(
        size: Int64, hop: Int64? = nil, grace: Int64 = 0, offset: Int64 = 0, zone: Zone? = nil
    ) throws(Problem) {
        guard (1...Self.longest).contains(size) else { throw .sizeOutOfRange }
        let hop = hop ?? size
        guard hop >= 1, size % hop == 0 else { throw .hopDoesNotDivideSize }
        guard (0...Self.longest).contains(grace) else { throw .graceOutOfRange }
        guard offset >= 0, offset < hop else { throw .offsetOutOfRange }
        (self.size, self.hop, self.grace) = (size, hop, grace)
        guard let zone else {
            panes = .even(offset: offset)
            return
        }
        guard hop % LocalDays.length == 0 else { throw .notWholeDays }
        panes = .days(LocalDays(zone, count: hop / LocalDays.length, offset: offset))
    }

    /// Windows that are named by labels, of which any may be the start of one.
    /// - Parameter size: in milliseconds; how long after its label a window ends.
    public init(labelsOf size: Int64, grace: Int64 = 0) throws(Problem) {
        guard (1...Self.longest).contains(size) else { throw .sizeOutOfRange }
        guard (0...Self.longest).contains(grace) else { throw .graceOutOfRange }
        (self.size, hop, self.grace, panes) = (size, size, grace, .labels)
    }

    private init() { (size, hop, grace, panes) = (1, 1, 0, .even(offset: 0)) }

    /// Some shape, where there are no windows of time.
    static let any = WindowShape()

    // MARK: - Panes

    /// How many panes a window has.
    var panesInWindow: Int64 { size / hop }

    /// The most panes that can be open at once, as long as it is the grace that holds windows open.
    public var paneLimit: Int64 { size / hop + (grace + hop - 1) / hop }

    /// How long after the end of its last pane a window ends.
    var lag: Int64 { if case .labels = panes { size - 1 } else { 0 } }

    /// The pane in which a time lies.
    func pane(at time: Int64) -> Int64 {
        switch panes {
        case .even(let offset): Timestamp.floorDivide(time - offset, hop)
        case .days(let days): days.index(of: time)
        case .labels: time
        }
    }

    /// Where a pane begins, which is where the one before it ends.
    func start(ofPane pane: Int64) -> Int64 {
        switch panes {
        case .even(let offset): pane * hop + offset
        case .days(let days): days.start(pane)
        case .labels: pane
        }
    }

    /// Where the window ends that begins at `start`.
    func end(ofWindow start: Int64) -> Int64 {
        guard case .days = panes else { return start + size }
        return self.start(ofPane: pane(at: start) + panesInWindow)
    }

    /// The pane below which all windows are closed at this watermark.
    func reached(_ watermark: Int64) -> Int64 {
        // Before and behind all times, with room for sums.
        let lowest = Timestamp.range.lowerBound - 2 * Self.longest
        let highest = Timestamp.range.upperBound + 3 * Self.longest
        return pane(at: min(max(watermark, lowest), highest) - lag)
    }

    // MARK: - Labels

    /// Whether a window, or a pane of one, begins at `time`, and its label can be written.
    public func isStart(_ time: Int64) -> Bool {
        let pane = pane(at: time)
        return start(ofPane: pane) == time && start(ofPane: pane - panesInWindow + 1) >= Self.firstLabel
            && time <= Timestamp.range.upperBound
    }

    /// Writes the label of the window that begins at `start` to `target`, which has room for `Timestamp.longest` bytes,
    /// and returns how many bytes it wrote. Milliseconds are shown only where windows may begin between two seconds.
    public func writeLabel(_ start: Int64, to target: UnsafeMutablePointer<UInt8>) -> Int {
        Timestamp.write(start, withMilliseconds: showsMilliseconds, to: target)
    }

    private var showsMilliseconds: Bool {
        if case .even(let offset) = panes, offset % 1000 != 0 { return true }
        return hop % 1000 != 0
    }
}
