/// A point in time, told by both clocks, so that pure code needs none.
public struct Moment: Equatable, Sendable {
    /// Wall clock: milliseconds since 1970-01-01T00:00:00Z. It may jump.
    public var unixMilliseconds: Int64
    /// Milliseconds since some fixed start. It never goes back: for waiting.
    public var monotonicMilliseconds: Int64

    public init(unixMilliseconds: Int64, monotonicMilliseconds: Int64) {
        self.unixMilliseconds = unixMilliseconds
        self.monotonicMilliseconds = monotonicMilliseconds
    }
}

/// How often something is done: after so much time, or after so many lines.
public enum Interval: Equatable, Sendable {
    case milliseconds(Int64)
    case lines(Int)
}
