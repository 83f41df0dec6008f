import CRDKafka
import ToolRuntime

/// A partition that this reader has, and how far it has come.
struct PartitionState {
    let queue: OpaquePointer
    /// The offset behind the last message that standard output has accepted; nil until there is one.
    var accepted: Int64?
    /// The one that was committed last.
    var committed: Int64?
    /// The offset behind the last message that was read, and the one that the last barrier carries.
    var read: Int64?
    var inBarrier: Int64?
    /// Lines that standard output has accepted, those that are being committed, and those that were.
    var acceptedLines = 0
    var linesInCommit = 0
    var committedLines = 0
    /// Where `--until-end` ends.
    var end = Int64.max
    /// End-of-stream records in front of `accepted`.
    var ends: EndsOfStream
    /// The same, with those that wait to be accepted.
    var endsRead = EndsOfStream()
    /// All that the plan asks for has been read.
    var isDone = false
}

/// Turns messages into lines and remembers what they stand for. It is called for each message, from C, through a pointer.
struct Intake: ~Copyable {
    /// Says that `partition` has come to `next` when standard output has accepted all up to `end`, a position in it.
    private struct Mark {
        let end: Int
        let next: Int64
        let partition: Int32
        let lines: Int32
    }

    private let plan: ReadPlan
    var output = LineOutput()
    private var renderer: MessageRenderer
    /// By number; nil: another member's.
    private(set) var partitions: [PartitionState?] = []
    /// Partitions of ours that are not done.
    private(set) var openPartitions = 0
    /// Those of them that were done since the reader looked last.
    var newlyDone: [Int32] = []
    private var marks: [Mark] = []
    private var firstMark = 0
    /// End-of-stream records that wait to be accepted: like marks, but few.
    private var endMarks: [(end: Int, partition: Int32, ends: EndsOfStream)] = []
    /// Lines read, less those that a lost partition has taken back.
    private(set) var readLines = 0
    /// A writer had ended with a failure, in a partition whose end was awaited.
    private(set) var hasFailedWriter = false
    /// The first failure; nothing is taken after it.
    private(set) var failure: Failure?

    init(_ plan: ReadPlan) {
        self.plan = plan
        renderer = MessageRenderer(with: plan.with, embeddedLF: plan.embeddedLF)
    }

    var hasReachedLimit: Bool { readLines >= plan.limit ?? .max }

    /// Whether enough has been read for now: the rest stays in librdkafka's queue.
    var isFull: Bool { !output.hasRoom || hasReachedLimit || failure != nil }

    // MARK: Partitions

    mutating func begin(_ number: Int32, _ state: PartitionState, at start: Int64) {
        while partitions.count <= Int(number) { partitions.append(nil) }
        partitions[Int(number)] = state
        partitions[Int(number)]?.endsRead = state.ends
        openPartitions += 1
        if start >= state.end { finish(number) }
        if let writers = plan.untilEndOfStream, state.ends.count >= writers {
            finish(number)
            hasFailedWriter = hasFailedWriter || state.ends.hasFailed
        }
    }

    /// A writer had failed in a partition that another member has read.
    mutating func noteFailedWriter() { hasFailedWriter = true }

    func isOurs(_ number: Int32) -> Bool { partitions.indices.contains(Int(number)) && partitions[Int(number)] != nil }

    /// Forgets all partitions, and the lines of theirs that are not on their way: their next owner prints them.
    mutating func endAll() {
        // A message whose first bytes are gone is finished, lest half a line be taken for a whole one.
        let accepted = output.acceptedBytes
        let first = firstMark < marks.count ? marks[firstMark] : nil
        let last = firstMark > 0 ? marks[firstMark - 1].end : acceptedEnd
        if let first, accepted > last, accepted < first.end {
            output.cut(to: first.end)
            readLines -= marks[(firstMark + 1)...].reduce(0) { $0 + Int($1.lines) }
        } else {
            output.cut(to: accepted)
            readLines -= marks[firstMark...].reduce(0) { $0 + Int($1.lines) }
        }
        acceptedEnd = output.position
        marks.removeAll(keepingCapacity: true)
        firstMark = 0
        endMarks = []
        partitions = []
        (openPartitions, newlyDone) = (0, [])
    }

    /// Where the last message that was accepted or given up ends.
    private var acceptedEnd = 0

    private mutating func finish(_ number: Int32) {
        guard partitions[Int(number)]?.isDone == false else { return }
        partitions[Int(number)]?.isDone = true
        openPartitions -= 1
        newlyDone.append(number)
    }

    // MARK: Messages

    mutating func take(_ message: UnsafeMutablePointer<rd_kafka_message_t>) {
        let number = message.pointee.partition
        guard failure == nil, partitions.indices.contains(Int(number)), let state = partitions[Int(number)],
            !state.isDone
        else { return }
        guard message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR else { return takeError(message) }
        let offset = message.pointee.offset
        guard offset < state.end else {
            mark(number, next: state.end, lines: 0)
            return finish(number)
        }
        if message.pointee.len == 0, let (isOK, writer) = MessageRenderer.endOfStream(message) {
            return takeEndOfStream(number, isOK: isOK, writer, next: offset + 1)
        }
        do throws(Failure) {
            let room = plan.limit.map { $0 - readLines } ?? Int.max
            let lines = try renderer.append(message, to: &output, limit: room)
            readLines += lines.count
            // Cut short by the limit: its offset is not passed.
            if lines.isWhole { mark(number, next: offset + 1, lines: lines.count) }
            // librdkafka may take a second to say that this was the end.
            if offset + 1 >= state.end, lines.isWhole { finish(number) }
        } catch {
            failure = error
        }
    }

    private mutating func takeError(_ message: UnsafeMutablePointer<rd_kafka_message_t>) {
        let number = message.pointee.partition
        switch message.pointee.err {
        // The end is told by this, not by counting: offsets are also taken up by the marks of transactions.
        case RD_KAFKA_RESP_ERR__PARTITION_EOF:
            guard plan.untilEnd else { return }
            // The marks of transactions are behind us as well: a group sees by the offset that this partition is done.
            mark(number, next: message.pointee.offset, lines: 0)
            finish(number)
        case let code:
            failure = .kafka(
                "cannot read partition \(number)", code, rd_kafka_message_errstr(message).map { String(cString: $0) })
        }
    }

    private mutating func takeEndOfStream(_ number: Int32, isOK: Bool, _ writer: [UInt8]?, next: Int64) {
        guard var ends = partitions[Int(number)]?.endsRead else { return }
        ends.add(isOK: isOK, writer: writer)
        partitions[Int(number)]?.endsRead = ends
        mark(number, next: next, lines: 0)
        endMarks.append((output.position, number, ends))
        if let writers = plan.untilEndOfStream, ends.count >= writers { finish(number) }
    }

    private mutating func mark(_ partition: Int32, next: Int64, lines: Int) {
        partitions[Int(partition)]?.read = next
        marks.append(Mark(end: output.position, next: next, partition: partition, lines: Int32(clamping: lines)))
    }

    // MARK: Acceptance

    /// Writes what standard output takes, and notes what that means. Returns whether it took all.
    mutating func write() throws(Failure) -> Bool {
        defer { accept() }
        return try output.write()
    }

    private mutating func accept() {
        let position = output.acceptedBytes
        while firstMark < marks.count, marks[firstMark].end <= position {
            let mark = marks[firstMark]
            firstMark += 1
            acceptedEnd = mark.end
            // With barriers it takes more than standard output to be done with a line.
            if plan.epochMilliseconds != nil { continue }
            partitions[Int(mark.partition)]?.accepted = mark.next
            partitions[Int(mark.partition)]?.acceptedLines += Int(mark.lines)
        }
        if firstMark == marks.count {
            marks.removeAll(keepingCapacity: true)
            firstMark = 0
        }
        while let first = endMarks.first, first.end <= position {
            endMarks.removeFirst()
            partitions[Int(first.partition)]?.ends = first.ends
            if let writers = plan.untilEndOfStream, first.ends.count <= writers {
                hasFailedWriter = hasFailedWriter || first.ends.hasFailed
            }
        }
    }

    // MARK: Epochs

    /// Whether something was read since the last barrier.
    var hasRead: Bool { partitions.contains { $0.map { $0.read != $0.inBarrier } ?? false } }

    /// How far each partition was read, of those that were read further since the last barrier; which is now.
    mutating func takePositions() -> [Position] {
        partitions.indices.compactMap { number in
            guard let state = partitions[number], let next = state.read, next != state.inBarrier else { return nil }
            partitions[number]?.inBarrier = next
            return Position(partition: Int32(number), next: next, ends: state.endsRead)
        }
    }

    /// What lies before these positions has reached its end; if `committed`, the group says so.
    mutating func noteDone(_ positions: [Position], committed: Bool) {
        for position in positions where isOurs(position.partition) {
            let number = Int(position.partition)
            partitions[number]?.accepted = position.next
            partitions[number]?.ends = position.ends
            if committed { partitions[number]?.committed = position.next }
        }
    }

    // MARK: Commits

    /// The partitions of which more was accepted than committed.
    var moved: [(number: Int32, next: Int64, ends: EndsOfStream)] {
        partitions.indices.compactMap { number in
            guard let state = partitions[number], let next = state.accepted, next != state.committed else { return nil }
            return (Int32(number), next, state.ends)
        }
    }

    /// Takes what is to be committed: how many lines go with it is known only now.
    mutating func noteCommitBegun() {
        for number in partitions.indices {
            let lines = partitions[number]?.acceptedLines ?? 0
            partitions[number]?.linesInCommit = lines
        }
    }

    mutating func noteCommitted(_ number: Int32, next: Int64) {
        guard partitions.indices.contains(Int(number)), let lines = partitions[Int(number)]?.linesInCommit else {
            return
        }
        partitions[Int(number)]?.committed = next
        partitions[Int(number)]?.committedLines = lines
    }
}
