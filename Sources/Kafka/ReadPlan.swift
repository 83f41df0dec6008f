internal import Delivery
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
    /// Merges the partitions in the order of this time.
    public var timeOrder: TimeSource?
    /// Barriers carry watermarks, which come from there.
    public var eventTime: EventTimeSource?
    /// For how long a partition with nothing to read is waited for, in milliseconds.
    public var idle: Int64 = 1000
    /// How many milliseconds ahead of the clock a time may be and still count.
    public var maxAhead: Int64 = 3_600_000
    /// Goes on where messages are gone, rather than end.
    public var skipsGaps = false
    /// How long what may pass is waited out, in milliseconds.
    public var patience: Int64 = 300_000
    public var wantsSummary = false
    public var wantsProgress = false
    public var statistics: Statistics?

    public init() {}

    /// What of it decides when what happens.
    /// - Parameter commitMilliseconds: `max.poll.interval.ms`; nil: librdkafka's.
    func decisions(commitMilliseconds: Int64?) -> ReaderPlan {
        var decisions = ReaderPlan()
        decisions.topic = topic
        decisions.hasGroup = group != nil
        decisions.partitions = partitions
        decisions.untilEnd = untilEnd
        decisions.untilEndOfStream = untilEndOfStream
        decisions.limit = limit
        decisions.epochMilliseconds = epochMilliseconds
        decisions.hasAcks = ack != nil
        decisions.eventTime = eventTime?.decisions
        decisions.idle = idle
        decisions.restores = restore != nil
        decisions.restoresInput = restore == topic
        decisions.skipsGaps = skipsGaps
        decisions.patience = patience
        decisions.commitMilliseconds = commitMilliseconds ?? 300_000
        return decisions
    }
}
