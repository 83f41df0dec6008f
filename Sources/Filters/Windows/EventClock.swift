public import Bytes

/// The watermark: that of the stream, where its barriers carry one, and otherwise the highest time seen less the grace.
///
/// | barrier | the watermark | what is held |
/// |---|---|---|
/// | the first `restore` of a restore | not known; from here on state is read | void |
/// | another `restore` | the same | stays: the next partition's part follows |
/// | any other, behind a `restore` | the least *done* of the parts, or what the barrier says if that is later | stays |
/// | any other | what the barrier says; it never goes back | stays |
///
/// The first `restore` of a restore is one that does not follow on another `restore`. *Done* is what the watermark field of
/// a `restore` says: the windows that end by then were put out for the partition whose lines follow. No partition's own
/// watermark is below its done, so the stream's is not below the least of them: the clock can begin there.
public struct EventClock: Equatable, Sendable {
    /// Below all times.
    public static let notKnown = Int64.min

    /// How far a line may be behind the highest time; in milliseconds.
    public let grace: Int64
    /// In milliseconds since the Unix epoch, or `notKnown`.
    public private(set) var watermark = notKnown
    /// Whether the stream carries watermarks: then times in lines move nothing.
    public private(set) var isOfStream = false
    /// Whether lines are state.
    public private(set) var isRestoring = false
    /// Of the partition whose state is being read, or `notKnown`.
    public private(set) var done = notKnown
    private var leastDone = notKnown
    /// The highest time that moves the watermark: a clock that is further ahead is wrong.
    public var ceiling = Int64.max
    /// Lines past it; what is said of the first.
    public private(set) var linesAhead = 0

    static let aheadRemark = "a time is further ahead of the clock than --max-ahead: it closes no window"

    public init(grace: Int64 = 0) { self.grace = grace }

    /// Takes note of the time of a line.
    public mutating func see(_ time: Int64) {
        guard !isOfStream, !isRestoring else { return }
        guard time <= ceiling else {
            linesAhead += 1
            return
        }
        watermark = max(watermark, time - grace)
    }

    /// Takes note of a barrier. Returns whether what is held is void.
    public mutating func barrier(_ kind: Barrier.Kind, _ mark: Watermark?) -> Bool {
        if mark != nil { isOfStream = true }
        let time = if case .time(let time)? = mark { time } else { Self.notKnown }
        guard kind == .restore else {
            watermark = max(watermark, isRestoring ? leastDone : watermark, time)
            isRestoring = false
            return false
        }
        let isFirst = !isRestoring
        (isRestoring, done) = (true, time)
        leastDone = isFirst ? time : min(leastDone, time)
        if isFirst { watermark = Self.notKnown }
        return isFirst
    }
}
