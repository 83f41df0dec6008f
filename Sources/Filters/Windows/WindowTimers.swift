public import Bytes

/// The time at which a line is processed, as the time of the line. Where the wall clock jumps back it stands still, so that
/// no line is late.
public struct ProcessingTime: Equatable, Sendable {
    private var highest = Timestamp.range.lowerBound

    public init() {}

    /// What time it is, in milliseconds since the Unix epoch.
    public mutating func milliseconds(at now: Moment) -> Int64 {
        highest = max(highest, min(now.unixMilliseconds, Timestamp.range.upperBound))
        return highest
    }

    /// How many milliseconds from `now` until the window that ends at `end` is due; nil where there is none.
    public func patience(at now: Moment, until end: Int64?) -> Int64? {
        end.map { max(0, $0 - max(highest, now.unixMilliseconds)) }
    }
}

/// Tells when the input has been quiet for so long that open windows are closed (`--idle`).
public struct IdleTimer: Equatable, Sendable {
    /// In milliseconds.
    public let limit: Int64
    private var lastInput: Int64?

    public init(limit: Int64) { self.limit = limit }

    /// Takes note that lines have come.
    public mutating func inputCame(at now: Moment) { lastInput = now.monotonicMilliseconds }

    /// How many milliseconds from `now` until the input will have been quiet for too long; nil before the first line.
    public func patience(at now: Moment) -> Int64? {
        lastInput.map { max(0, $0 + limit - now.monotonicMilliseconds) }
    }
}
