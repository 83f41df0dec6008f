/// Tells by how many bytes standard output has taken which messages it has taken whole.
///
/// Positions are bytes of the output since it began. A mark costs 32 bytes a message, from when it is read until it is taken.
package struct AcceptanceMarks {
    package struct Mark: Equatable {
        /// Where the message's lines end in the output.
        package let end: Int
        /// The offset after the message.
        package let next: Int64
        package let partition: Int32
        package let lines: Int32
    }

    private var marks: [Mark] = []
    private var first = 0
    /// Where the last message ends that was taken or given up.
    private var acceptedEnd = 0

    package init() {}

    package var isEmpty: Bool { first == marks.count }

    @inline(__always)
    package mutating func add(_ partition: Int32, next: Int64, lines: Int, end: Int) {
        marks.append(Mark(end: end, next: next, partition: partition, lines: Int32(clamping: lines)))
    }

    /// The next message that standard output has taken whole, once it has taken `bytes`.
    @inline(__always)
    package mutating func next(accepted bytes: Int) -> Mark? {
        guard first < marks.count, marks[first].end <= bytes else {
            if first == marks.count, first > 0 {
                marks.removeAll(keepingCapacity: true)
                first = 0
            }
            return nil
        }
        defer { first += 1 }
        acceptedEnd = marks[first].end
        return marks[first]
    }

    /// Whether the output, of which `bytes` were taken, stands in the middle of a message.
    package func isInMessage(accepted bytes: Int) -> Bool {
        first < marks.count && bytes > acceptedEnd && bytes < marks[first].end
    }

    /// Gives up all messages of which nothing was taken. The rest of one that was begun stays, lest half a line be taken for a
    /// whole one; so does that of one that was given up before and is not written yet.
    /// - Returns: where the output is to be cut, and how many lines are given up.
    package mutating func giveUp(accepted bytes: Int) -> (end: Int, lines: Int) {
        let isBegun = isInMessage(accepted: bytes)
        let kept = isBegun ? 1 : 0
        let end = isBegun ? marks[first].end : max(bytes, acceptedEnd)
        let lines = marks[(first + kept)...].reduce(0) { $0 + Int($1.lines) }
        marks.removeAll(keepingCapacity: true)
        (first, acceptedEnd) = (0, end)
        return (end, lines)
    }
}
