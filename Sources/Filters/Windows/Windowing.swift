public import Bytes

/// What tells windows apart.
public enum Windowing: Sendable {
    /// Nothing: from barrier to barrier, or all of the input.
    case none
    /// Windows of so many lines each.
    case lines(Int)
    /// The time at which a line is read.
    case processingTime(WindowShape)
    /// A time in each line.
    case eventTime(WindowShape, EventTime)
}

/// Where a line has its time, and how far a clock trusts it.
public struct EventTime: Equatable, Sendable {
    /// Which field, from 1.
    public let field: Int
    /// How it is written; nil where it is the label of a window, as our windows print it.
    public let format: TimeFormat?
    /// How many milliseconds ahead of the wall clock a time may be and still move the watermark; nil: any.
    public let maxAhead: Int64?

    public init(field: Int, format: TimeFormat?, maxAhead: Int64? = nil) {
        precondition(field >= 1)
        (self.field, self.format, self.maxAhead) = (field, format, maxAhead)
    }

    public var isLabel: Bool { format == nil }
}
