/// How far a reader has come in a partition. All are offsets of the next message.
///
///     committed ≤ inBarrier ≤ accepted … read = next
///
/// Without barriers `accepted` goes up when standard output has taken the lines; with them when their epoch is committed.
package struct PartitionProgress {
    /// The one after the last message that was read, or where reading began.
    package private(set) var next: Int64
    /// Something was read, or skipped on purpose.
    package private(set) var hasMoved = false
    /// The one that standard output has taken all before of; nil until there is one.
    package var accepted: Int64?
    package var committed: Int64?
    /// The one that the last barrier carries.
    package var inBarrier: Int64?
    /// Lines that standard output has taken, those that are being committed, and those that were.
    package var acceptedLines = 0
    package var linesInCommit = 0
    package var committedLines = 0
    /// Where `--until-end` ends.
    package var end = Int64.max
    /// End-of-stream records before `accepted`.
    package var ends: EndsOfStream
    /// The same, before `next`.
    package var endsRead: EndsOfStream
    /// Its times at `accepted`, where the stream carries watermarks.
    package var times: PartitionTimes?
    /// All that was asked for has been read.
    package var isDone = false
    /// Its place is being looked for, since what came next is gone.
    package var isLost = false

    package init(next: Int64, committed: Int64? = nil, ends: EndsOfStream = EndsOfStream()) {
        (self.next, self.committed, self.ends, endsRead) = (next, committed, ends, ends)
    }

    /// The position moves on: a message was read, or the way to `next` holds none.
    package mutating func advance(to next: Int64) {
        self.next = next
        hasMoved = true
    }

    /// Goes on where it stood before it was given back: what was printed by then waits to be committed.
    package mutating func resume(from own: PartitionProgress, at accepted: Int64) {
        (next, self.accepted, ends, endsRead) = (accepted, accepted, own.ends, own.ends)
        acceptedLines = own.acceptedLines - own.committedLines
    }

    /// How far it was read; nil: nothing was.
    package var read: Int64? { hasMoved ? next : nil }

    /// Whether what is accepted waits to be committed.
    package var isOwed: Bool { accepted != nil && accepted != committed }
}

/// A place in a partition where what comes next is gone.
package struct Gap: Equatable {
    package let partition: Int32
    /// The offset that was to be read next.
    package let next: Int64
    package let range: LogRange

    /// nil where `next` is there, or is to be written next.
    package init?(_ partition: Int32, next: Int64, in range: LogRange) {
        guard next < range.low || next > range.high else { return nil }
        (self.partition, self.next, self.range) = (partition, next, range)
    }

    /// How many offsets are missing.
    package var count: Int64 { next < range.low ? range.low - next : next - range.high }
    /// The nearest that is there.
    package var resumption: Int64 { next < range.low ? range.low : range.high }

    /// - Parameter isCommitted: `next` is what the group has committed.
    package func words(isCommitted: Bool) -> String {
        let place = isCommitted ? "the committed offset is" : "the next offset was"
        if next < range.low {
            return
                "partition \(partition): \(count) messages are gone: \(place) \(next), and the first that is left \(range.low)"
        }
        return """
            partition \(partition): \(count) messages are gone: \(place) \(next), and the partition ends at \(range.high): \
            it was made anew, or its leader has lost what came last
            """
    }
}
