public import Bytes

/// The time at which a line is processed, as the time of the line.
///
/// Where the wall clock goes back a little, time stands still until it has caught up. Where it goes back by more than a
/// second it was wrong before: time follows it.
public struct ProcessingTime: Equatable, Sendable {
    private var highest = Timestamp.range.lowerBound
    private static let longestStandstill: Int64 = 1000

    public init() {}

    /// Whether the wall clock has gone back so far that windows have to begin anew.
    public func hasStepped(at now: Moment) -> Bool { now.unixMilliseconds < highest - Self.longestStandstill }

    /// What time it is, in milliseconds since the Unix epoch.
    public mutating func milliseconds(at now: Moment) -> Int64 {
        let time = min(max(now.unixMilliseconds, Timestamp.range.lowerBound), Timestamp.range.upperBound)
        highest = hasStepped(at: now) ? time : max(highest, time)
        return highest
    }

    /// How many milliseconds from `now` until the window that ends at `end` is due; nil where there is none.
    public func patience(at now: Moment, until end: Int64?) -> Int64? {
        if hasStepped(at: now) { return end.map { _ in 0 } }
        return end.map { max(0, $0 - max(highest, now.unixMilliseconds)) }
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
