import Bytes
import CRDKafka
import Glibc
public import ToolRuntime

/// `kcat-in`: a topic to standard output.
///
/// One loop takes messages, writes lines and serves librdkafka's events, and waits in one place for all of them: so the
/// membership in a group lives on while nobody takes lines, and a closed output is noticed while no messages come.
public final class TopicReader {
    /// How long a signal, or the loss of the partitions, lets lines wait that nobody takes.
    static let millisecondsToDrain: Int64 = 4000
    /// How long the last commit and the farewell to the group may take.
    static let millisecondsToCommit: Int64 = 5000

    let client: Client
    let plan: ReadPlan
    /// The messages of all partitions. There is one queue for all, so that what librdkafka fetches ahead is bounded as a
    /// whole (`queued.max.messages.kbytes`), however many partitions there are.
    let messages: OpaquePointer
    /// Behind a pointer, since C calls it for each message.
    let intake: UnsafeMutablePointer<Intake>
    var isCommitUnderWay = false
    var commitFailure: rd_kafka_resp_err_t?
    /// Lines whose offsets were committed, in partitions that are no longer ours.
    var committedBefore = 0
    private var nextCommit: Int64 = 0
    private var nextLook: Int64 = 0
    /// In a group: how far each partition has to come for --until-end.
    var ends: [Int64] = []
    /// Partitions that were lost before what was printed of them could be committed.
    var uncommitted: [Int32: PartitionState] = [:]
    /// With barriers: the epochs under way, who we are in the group, and when to look after them.
    var epochs: Epochs?
    var member: GroupMember?
    var nextEpoch: Int64 = 0
    var nextReminder: Int64 = 0
    var nextSettling: Int64 = 0
    /// How long the commit of an epoch may take.
    let commitMilliseconds: Int64
    var linesInEpochs = 0
    /// Where the group's offsets come that were asked for.
    let offsets: OpaquePointer
    var isAskingForOffsets = false
    var acks: AckPipe?
    var state: StateReader?
    private var progress: Progress

    public init(_ settings: Settings, _ plan: ReadPlan) throws(Failure) {
        self.plan = plan
        progress = Progress("kcat-in", isWanted: plan.wantsProgress, plan.statistics)
        if plan.epochMilliseconds != nil {
            let epochs = Epochs()
            self.epochs = epochs
            acks = try plan.ack.map { path throws(Failure) in try AckPipe(path, session: epochs.session) }
        }
        state = try plan.restore.map { topic throws(Failure) in try StateReader(settings, topic) }
        let settings = try Self.complete(settings, plan)
        commitMilliseconds = settings.value(of: "max.poll.interval.ms").flatMap { Int64($0) } ?? 300_000
        client = try Client(RD_KAFKA_CONSUMER, settings, events: RD_KAFKA_EVENT_REBALANCE)
        messages = rd_kafka_queue_new(client.handle)
        client.wake(on: messages)
        offsets = rd_kafka_queue_new(client.handle)
        client.wake(on: offsets)
        intake = .allocate(capacity: 1)
        intake.initialize(to: Intake(plan))
    }

    static func complete(_ settings: Settings, _ plan: ReadPlan) throws(Failure) -> Settings {
        var settings = settings
        if let group = plan.group { try settings.add("group.id=\(group)") }
        if plan.epochMilliseconds != nil {
            // How long the dead keep their partitions, and how long the living may take to commit what they were given
            // before the group goes on without them: both shorter than librdkafka has it, since others wait for it.
            settings.setDefaults([("session.timeout.ms", "10000"), ("max.poll.interval.ms", "60000")])
        }
        settings.setDefaults([
            ("enable.auto.commit", "false"), ("enable.auto.offset.store", "false"), ("enable.partition.eof", "true"),
            ("isolation.level", "read_committed"), ("auto.offset.reset", "earliest"),
            ("allow.auto.create.topics", "false"),
            ("partition.assignment.strategy", "range,roundrobin"),
            // Read ahead by bytes, not by messages.
            ("queued.min.messages", "1000000"),
            // Above librdkafka's, for brokers that answer with more than was asked for; below what the answer of a TLS or
            // HTTP server looks like when it is taken for a length.
            ("receive.message.max.bytes", "300000000"),
            ("group.id", "kcat-in"),  // librdkafka wants one also where it is not used
        ])
        for (name, reason) in [
            ("enable.auto.commit", "lines that nobody has read would be committed"),
            ("enable.auto.offset.store", "lines that nobody has read would be committed"),
        ] where settings.value(of: name) != "false" {
            throw Failure(.configuration, "\(name) must stay false: else \(reason)")
        }
        guard settings.value(of: "enable.partition.eof") == "true" else {
            throw Failure(.configuration, "enable.partition.eof must stay true: the end of a partition is told by it")
        }
        if settings.value(of: "partition.assignment.strategy")?.contains("cooperative") == true {
            throw Failure(
                .configuration, "partition.assignment.strategy: kcat-in takes and gives back all partitions at once")
        }
        return settings
    }

    /// Reads until the plan says that it is enough, standard output is closed, or a signal asks for the end.
    public func run() throws(Failure) {
        var failure: Failure?
        do throws(Failure) {
            openStream()
            try begin(try client.partitionCount(of: plan.topic))
            try pump()
            endEpoch()
        } catch {
            failure = error
        }
        do throws(Failure) {
            try drain()
            if failure == nil {
                try awaitEpochs()
                closeStream()
                try drain()
            }
            // Lines that could not be kept are not committed.
            try intake.pointee.output.close()
            try commitAndWait(Self.millisecondsToCommit)
        } catch {
            failure = failure ?? error
        }
        progress.end { facts }
        if plan.wantsSummary { summarize() }
        leaveGroup()
        if intake.pointee.output.isClosed { Signals.die(by: SIGPIPE) }
        if let failure, !Signals.isAsked || epochs != nil { throw failure }
        // A stream that was closed, and all of whose epochs are committed, has ended well whoever asked for it.
        if epochs == nil { Signals.dieIfAsked() }
        if intake.pointee.hasFailedWriter {
            throw Failure(.inputOutput, "the input of a writer of topic \"\(plan.topic)\" had failed")
        }
    }

    /// Whether nothing is left to read of the partitions that are ours.
    var isDone: Bool {
        if intake.pointee.hasReachedLimit { return true }
        return (plan.untilEnd || plan.untilEndOfStream != nil) && intake.pointee.openPartitions == 0
    }

    /// Whether it may end. A member of a group stays until all partitions are done, whoever has them: it takes over those
    /// of a member that dies, and when one leaves early all the others must stop and deal anew.
    private func mayEnd() throws(Failure) -> Bool {
        guard isDone else { return false }
        guard plan.group != nil, !intake.pointee.hasReachedLimit else { return true }
        guard intake.pointee.output.waiting == 0 else { return false }
        endEpoch()
        commit()
        let now = Client.monotonicMilliseconds()
        guard epochs?.isSettled ?? true, !isCommitUnderWay, intake.pointee.moved.isEmpty, now >= nextLook else {
            return false
        }
        nextLook = now + 200
        return try isGroupDone()
    }

    private func pump() throws(Failure) {
        while true {
            try serve()
            if try mayEnd() || Signals.isAsked || intake.pointee.output.isClosed { return }
            let mayHaveMore = try state?.fill(&intake.pointee.output) ?? fill()
            if let failure = intake.pointee.failure { throw failure }
            pauseDone()
            var isBlocked = false
            if !mayHaveMore || !intake.pointee.output.hasRoom { isBlocked = try !intake.pointee.write() }
            try turnEpochs()
            commitIfDue()
            if progress.isDue {
                let rest = progressOfPartitions()
                progress.show(
                    lines: intake.pointee.readLines, bytes: intake.pointee.output.acceptedBytes, rest: rest)
            }
            progress.report { facts }
            if isBlocked || !mayHaveMore || isDone, !intake.pointee.hasReachedLimit {
                wait(min(isDone ? 100 : 500, epochPatience))
            }
        }
    }

    /// Takes messages until none is left, or enough are taken. Returns whether there may be more.
    private func fill() -> Bool {
        guard !intake.pointee.isFull else { return true }
        // Nothing of ours is called again once it has yielded.
        struct Context {
            let intake: UnsafeMutablePointer<Intake>
            let client: OpaquePointer
        }
        var context = Context(intake: intake, client: client.handle)
        rd_kafka_consume_callback_queue(
            messages, 0,
            { message, context in
                guard let message, let context = context?.assumingMemoryBound(to: Context.self) else { return }
                context.pointee.intake.pointee.take(message)
                if context.pointee.intake.pointee.isFull { rd_kafka_yield(context.pointee.client) }
            }, &context)
        return intake.pointee.isFull
    }

    /// What comes behind the end that was asked for need not be fetched.
    private func pauseDone() {
        guard !intake.pointee.newlyDone.isEmpty else { return }
        let list = PartitionList(plan.topic, intake.pointee.newlyDone.map { ($0, 0) })
        rd_kafka_pause_partitions(client.handle, list.pointer)
        intake.pointee.newlyDone = []
    }

    func wait(_ milliseconds: CInt) {
        intake.pointee.output.wait(wake: client.wakeDescriptor, milliseconds: milliseconds)
    }

    /// Writes what waits. Standard output may take its time, but not once a signal has come.
    private func drain() throws(Failure) {
        var deadline: Int64?
        while try !intake.pointee.write() {
            let now = Client.monotonicMilliseconds()
            if Signals.isAsked, deadline == nil { deadline = now + Self.millisecondsToDrain }
            if let deadline, now >= deadline { return }
            try serve()
            try settleEpochs()
            commitIfDue()
            wait(100)
        }
    }

    private func commitIfDue() {
        let now = Client.monotonicMilliseconds()
        guard now >= nextCommit else { return }
        nextCommit = now + 1000
        commit()
    }

    /// How many messages there are behind the position of each partition, and up to where `--until-end` ends.
    private var lag: (all: Int64, left: Int64) {
        var (lag, left): (Int64, Int64) = (0, 0)
        for (number, state) in intake.pointee.partitions.enumerated() {
            var (low, high): (Int64, Int64) = (0, 0)
            guard let state,
                rd_kafka_get_watermark_offsets(client.handle, plan.topic, Int32(number), &low, &high)
                    == RD_KAFKA_RESP_ERR_NO_ERROR
            else { continue }
            let position = state.accepted ?? state.committed ?? low
            lag += max(0, high - position)
            left += max(0, min(state.end, high) - position)
        }
        return (lag, left)
    }

    /// For `--stats`.
    private var facts: (Statistics.Counts, Summary) {
        var more = Summary()
        more.add("lag", Int(lag.all))
        more.add("held_bytes", intake.pointee.output.waiting)
        let counts = Statistics.Counts(
            read: intake.pointee.readLines, bytesRead: intake.pointee.output.position,
            written: committedBefore + intake.pointee.partitions.reduce(0) { $0 + ($1?.acceptedLines ?? 0) },
            bytesWritten: intake.pointee.output.acceptedBytes)
        return (counts, more)
    }

    /// Lag and, where the end is known, the time left.
    private func progressOfPartitions() -> String {
        let (lag, left) = lag
        let text = ", lag \(Progress.short(Double(lag)))"
        guard plan.untilEnd, let seconds = progress.seconds(for: left) else { return text }
        return text + ", \(seconds) s left"
    }

    private func summarize() {
        var summary = Summary()
        summary.add("tool", "kcat-in")
        summary.add("read", intake.pointee.readLines)
        summary.add("bytes", intake.pointee.output.acceptedBytes)
        summary.add(
            "committed", committedBefore + intake.pointee.partitions.reduce(0) { $0 + ($1?.committedLines ?? 0) })
        if let epochs { summary.add("epochs", epochs.committedEpochs) }
        if let state {
            summary.add("restored", state.lineCount)
            summary.add("restore_ms", Int(state.milliseconds))
        }
        Descriptor.standardError.writeIgnoringErrors(summary.json + "\n")
    }
}
