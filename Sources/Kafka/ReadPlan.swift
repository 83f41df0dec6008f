public import ToolRuntime

/// What `kcat-in` reads, when it ends, and how messages become lines.
public struct ReadPlan: Sendable {
    /// What a message with line ends in it becomes: several lines, one line with `\n` and `\\` for LF and `\`, or an error.
    public enum EmbeddedLF: String, CaseIterable, Sendable { case split, escape, fail }

    public var topic = ""
    /// nil: all partitions, nothing committed.
    public var group: String?
    public var start: StartOffset = .stored
    /// nil: all of them.
    public var partitions: [Int32]?
    /// Ends at what is the end of each partition when it is taken.
    public var untilEnd = false
    /// Ends when each partition has had so many end-of-stream records.
    public var untilEndOfStream: Int?
    /// Ends after so many lines.
    public var limit: Int?
    public var with: [MessageField] = []
    public var embeddedLF: EmbeddedLF = .split
    /// Writes barriers: the length of an epoch in milliseconds.
    public var epochMilliseconds: Int64?
    /// Epochs are committed when their numbers come out of this FIFO, rather than by whoever takes the barriers.
    public var ack: String?
    /// The topic whose partitions hold the state that belongs to ours.
    public var restore: String?
    public var wantsSummary = false
    public var wantsProgress = false
    public var statistics: Statistics?

    public init() {}
}
