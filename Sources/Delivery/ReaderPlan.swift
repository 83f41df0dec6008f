/// What a reader is to do, as far as it decides what happens when.
package struct ReaderPlan: Sendable {
    package var topic = ""
    /// Reads as a member of a group, which deals out the partitions and keeps the offsets.
    package var hasGroup = false
    /// Without a group: only these partitions.
    package var partitions: [Int32]?
    /// Ends at what is the end of each partition when it starts.
    package var untilEnd = false
    /// Ends when each partition has had so many end-of-stream records.
    package var untilEndOfStream: Int?
    /// Ends after so many lines.
    package var limit: Int?
    /// Writes barriers, at least so often (milliseconds).
    package var epochMilliseconds: Int64?
    /// A sink outside Kafka says which epochs are done.
    package var hasAcks = false
    /// The stream carries watermarks, which come from there; with barriers.
    package var eventTime: EventTimes.Source?
    /// For how long a partition with nothing to read is waited for, in milliseconds.
    package var idle: Int64 = 1000
    /// State comes before the lines of partitions that are new here.
    package var restores = false
    /// The state is the input's own: it goes up to where reading begins.
    package var restoresInput = false
    /// Goes on where messages are gone, rather than end.
    package var skipsGaps = false
    /// How long what passes is waited out, in milliseconds.
    package var patience: Int64 = 300_000
    /// How long the group waits for what was read to be committed (`max.poll.interval.ms`).
    package var commitMilliseconds: Int64 = 300_000
    /// For tests of the tests.
    package var sabotage: Sabotage = []

    package init() {}
}

/// Faults that a test puts into the decisions, to see that the simulator finds them.
package struct Sabotage: OptionSet, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    /// Commits what was read rather than what standard output has taken.
    package static let commitsWhatWasRead = Sabotage(rawValue: 1 << 0)
    /// Goes on where it stood, whatever another member has read meanwhile.
    package static let keepsPlaceAfterMove = Sabotage(rawValue: 1 << 1)
    /// Keeps what nobody has taken when partitions go.
    package static let keepsUnwrittenLines = Sabotage(rawValue: 1 << 2)
    /// Reads on before the state is there.
    package static let readsBeforeRestored = Sabotage(rawValue: 1 << 3)
    /// Takes a gap for a place to go on.
    package static let ignoresGaps = Sabotage(rawValue: 1 << 4)
    /// Gives partitions back before their epoch is committed.
    package static let revokesEarly = Sabotage(rawValue: 1 << 5)
    /// Takes the end of a partition from what is stable.
    package static let endsAtFirstStop = Sabotage(rawValue: 1 << 6)
    /// Ends an epoch by time only.
    package static let noBytesInEpochs = Sabotage(rawValue: 1 << 7)
    /// Takes each barrier, whatever its number.
    package static let anyBarrier = Sabotage(rawValue: 1 << 8)
    /// Commits although the input was cut off.
    package static let commitsCutInput = Sabotage(rawValue: 1 << 9)
    /// Waits for ever for a step that never ends.
    package static let noWatch = Sabotage(rawValue: 1 << 10)
    /// Commits before all lines are acknowledged.
    package static let commitsUnflushed = Sabotage(rawValue: 1 << 11)
    /// Commits lines without the offsets that belong to them.
    package static let commitsNoOffsets = Sabotage(rawValue: 1 << 12)
    /// Takes a passing error for the end.
    package static let noPatience = Sabotage(rawValue: 1 << 13)
}

/// What happens to a reader. `Kafka` makes these of librdkafka's events.
package enum ReaderEvent {
    case start
    case answer(Int, Answer)
    /// By the group.
    /// - Parameter member: who this reader is now; nil where nobody asks for it.
    case assigned([Int32], GroupMember?)
    case revoked(isLost: Bool)
    /// The end of a partition, as a reader of committed messages sees it: nothing that it may read has this offset yet.
    case endOfPartition(Int32, Int64)
    case endOfStream(Int32, Int64, isOK: Bool, writer: [UInt8]?)
    case watermark(Int32, Int64, WatermarkRecord)
    case partitionFailed(Int32, ErrorCode, String)
    /// What was asked to be committed; offsets that were.
    case committed([Int32: Int64], ErrorCode?)
    /// Standard output has taken so many bytes in all. To be told at each turn: marks without bytes are taken with it, too.
    case accepted(Int)
    /// All state that was begun is in the output.
    case restored
    /// A sink has said that it is done with this epoch and those before.
    case acked(Int64)
    /// The client complains by itself.
    case clientFailed(ErrorCode, String, isFatal: Bool)
    /// The reader cannot go on for a reason of its own.
    case failed(Ending)
    case stopAsked
    /// Nobody reads standard output any more.
    case outputClosed
    /// After `closeOutput`: whether all was kept.
    case outputKept(Ending?)
    case tick
}

package enum ReaderAction: Equatable {
    case ask(Int, Question)
    case subscribe
    /// These partitions from these offsets on, and no other.
    case assign([Int32: Int64])
    /// Answers the group that all is given back.
    case unassign
    case pause([Int32])
    case commit([Position])
    /// A barrier, to be put at the end of the output.
    case write([UInt8])
    /// What stands in the output after this position is dropped.
    case cut(to: Int)
    /// - Parameter limits: where the state of a partition ends; without one: at the end of the topic.
    case beginRestore([Int32], limits: [Int32: Int64])
    case stopRestore
    case say(String)
    case closeOutput
    /// The last.
    case end(Ending?)
}
