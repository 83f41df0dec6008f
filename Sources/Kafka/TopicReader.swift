import Bytes
import CRDKafka
internal import Delivery
import Glibc
public import ToolRuntime

/// `kcat-in`: a topic to standard output.
///
/// One loop takes messages, writes lines and serves librdkafka's events, and waits in one place for all of them: so the
/// membership in a group lives on while nobody takes lines, and a closed output is noticed while no messages come. It decides
/// nothing: it tells `ReaderSession` what happens and does what that says.
public final class TopicReader {
    let client: Client
    let inquirer: Inquirer
    let plan: ReadPlan
    /// The messages of all partitions. There is one queue for all, so that what librdkafka fetches ahead is bounded as a
    /// whole (`queued.max.messages.kbytes`), however many partitions there are.
    let messages: OpaquePointer
    /// The queues of our partitions, which are forwarded to that one.
    var queues: [Int32: OpaquePointer] = [:]
    /// With the partitions in the order of time there is one for each instead.
    var ordered: PartitionQueues?
    /// Held by pointer, since C calls it for each message.
    let intake: UnsafeMutablePointer<Intake>
    var state: StateReader?
    private let acks: AckPipe?
    private var events: [ReaderEvent] = []
    private var isHandling = false
    private var progress: Progress
    /// How it has ended.
    private var ending: Ending??

    public init(_ settings: Settings, _ plan: ReadPlan) throws(Failure) {
        self.plan = plan
        progress = Progress("kcat-in", isWanted: plan.wantsProgress, plan.statistics)
        LibraryVersion.warn("kcat-in", of: settings)
        let name = randomName()
        let patience = Patience(milliseconds: plan.patience, tool: "kcat-in")
        acks = try plan.ack.map { path throws(Failure) in try AckPipe(path, session: name) }
        state = try plan.restore.map { topic throws(Failure) in try StateReader(settings, topic, patience) }
        let settings = try Self.complete(settings, plan)
        client = try Client(RD_KAFKA_CONSUMER, settings, events: RD_KAFKA_EVENT_REBALANCE)
        inquirer = try Inquirer(for: client, settings, plan)
        messages = rd_kafka_queue_new(client.handle)
        client.wake(on: messages)
        ordered = plan.timeOrder.map { PartitionQueues(plan, $0) }
        let now = Client.monotonicMilliseconds()
        let milliseconds = settings.value(of: "max.poll.interval.ms").flatMap { Int64($0) }
        let session = ReaderSession(plan.decisions(commitMilliseconds: milliseconds), session: name, at: now)
        intake = .allocate(capacity: 1)
        intake.initialize(to: Intake(plan, session, at: now))
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
            ("isolation.level", "read_committed"), ("auto.offset.reset", "error"),
            ("allow.auto.create.topics", "false"),
            ("partition.assignment.strategy", "range,roundrobin"),
            // Read ahead by bytes, not by messages.
            ("queued.min.messages", "1000000"),
            // Above librdkafka's, for brokers that answer with more than was asked for; below what the answer of a TLS or
            // HTTP server looks like when it is taken for a length.
            ("receive.message.max.bytes", "300000000"),
            // Added partitions are seen by then.
            ("topic.metadata.refresh.interval.ms", "10000"),
            ("group.id", "kcat-in"),  // librdkafka wants one also where it is not used
        ])
        if plan.timeOrder != nil {
            settings.setDefaults([("queued.max.messages.kbytes", "\(PartitionQueues.kilobytesFetchedAhead)")])
            if LibraryVersion.hasQueueBackoff { settings.setDefaults([("fetch.queue.backoff.ms", "10")]) }
        }
        for (name, wanted, reason) in [
            ("enable.auto.commit", "false", "lines that nobody has read would be committed"),
            ("enable.auto.offset.store", "false", "lines that nobody has read would be committed"),
            ("enable.partition.eof", "true", "the end of a partition is told by it"),
            (
                "auto.offset.reset", "error",
                "lines would be passed over unseen; -o says where to begin, --on-gap what then"
            ),
        ] where settings.value(of: name) != wanted {
            throw Failure(.configuration, "\(name) must stay \(wanted): \(reason)")
        }
        if plan.epochMilliseconds != nil, settings.value(of: "isolation.level") != "read_committed" {
            throw Failure(
                .configuration, "isolation.level must stay read_committed: lines that come to nothing would be counted")
        }
        if settings.value(of: "partition.assignment.strategy")?.contains("cooperative") == true {
            throw Failure(
                .configuration, "partition.assignment.strategy: kcat-in takes and gives back all partitions at once")
        }
        return settings
    }

    /// Reads until the plan says that it is enough, standard output is closed, or a signal asks for the end.
    public func run() throws(Failure) {
        handle(.start)
        while ending == nil { turn() }
        progress.end { facts }
        if let doubt = intake.pointee.doubt ?? ordered?.doubt { say(doubt) }
        if plan.wantsSummary { summarize() }
        leaveGroup()
        if intake.pointee.output.isClosed { Signals.die(by: SIGPIPE) }
        let isWithBarriers = plan.epochMilliseconds != nil
        if case .some(.some(let ending)) = ending, !Signals.isAsked || isWithBarriers { throw Failure(ending) }
        // A stream that was closed, and all of whose epochs are committed, has ended well whoever asked for it.
        if !isWithBarriers { Signals.dieIfAsked() }
        if intake.pointee.session.hasFailedWriter {
            throw Failure(.inputOutput, "the input of a writer of topic \"\(plan.topic)\" had failed")
        }
    }

    /// One turn of the loop: what has happened, what there is to read, what can be written, and a wait.
    private func turn() {
        do throws(Failure) {
            try serve()
            for (number, answer) in try inquirer.takeAnswers() { handle(.answer(number, answer)) }
            if let last = try acks?.last(written: intake.pointee.session.ledger?.next ?? 0) { handle(.acked(last)) }
            let mayHaveMore = try fill()
            for words in intake.pointee.takeRemarks() + (ordered?.takeRemarks() ?? []) { say(words) }
            if let failure = intake.pointee.failure, intake.pointee.session.finish == nil { throw failure }
            var isBlocked = false
            if !mayHaveMore || !intake.pointee.output.hasRoom { isBlocked = try !intake.pointee.output.write() }
            if intake.pointee.output.isClosed { handle(.outputClosed) }
            handle(.accepted(intake.pointee.output.acceptedBytes))
            report()
            guard ending == nil, isBlocked || !mayHaveMore else { return }
            let now = Client.monotonicMilliseconds()
            var wake = min(intake.pointee.session.nextWake(after: now), now + (progress.patience ?? .max / 2))
            if !isBlocked, let idle = ordered?.nextWake() { wake = min(wake, idle) }
            intake.pointee.output.wait(wake: client.wakeDescriptor, milliseconds: CInt(max(0, wake - now)))
        } catch {
            handle(.failed(Ending(error)))
        }
        if Signals.isAsked {
            ordered?.finishBegun(intake)
            handle(.stopAsked)
        }
    }

    /// Tells the session, and does what it says.
    func handle(_ event: ReaderEvent) {
        events.append(event)
        guard !isHandling else { return }
        isHandling = true
        defer { isHandling = false }
        while !events.isEmpty {
            let now = Client.monotonicMilliseconds()
            intake.pointee.now = now
            for action in intake.pointee.session.handle(events.removeFirst(), at: now) {
                do throws(Failure) { try carryOut(action) } catch { events.append(.failed(Ending(error))) }
            }
        }
    }

    private func carryOut(_ action: ReaderAction) throws(Failure) {
        switch action {
        case .ask(let number, let question): inquirer.ask(number, question)
        case .subscribe: try subscribe()
        case .assign(let starts): try assign(starts)
        case .unassign: unassign()
        case .pause(let numbers): pause(numbers)
        case .commit(let positions): commit(positions)
        case .write(let line): intake.pointee.output.append(line)
        case .cut(let position): intake.pointee.output.cut(to: position)
        case .beginRestore(let numbers, let limits): try state?.begin(numbers, limits, for: plan.topic)
        case .stopRestore: state?.stop()
        case .say(let words): say(words)
        case .closeOutput:
            do throws(Failure) {
                try intake.pointee.output.close()
                events.append(.outputKept(nil))
            } catch {
                events.append(.outputKept(Ending(error)))
            }
        case .end(let ending): self.ending = .some(ending)
        }
    }

    private func say(_ words: String) { Descriptor.standardError.writeIgnoringErrors("kcat-in: \(words)\n") }

    /// Takes state, or messages until none is left or enough are taken. Returns whether there may be more.
    private func fill() throws(Failure) -> Bool {
        if intake.pointee.session.isRestoring, let state {
            let mayHaveMore = try state.fill(&intake.pointee.output)
            intake.pointee.session.appended(to: intake.pointee.output.position)
            if state.takeEnd() { handle(.restored) }
            return mayHaveMore
        }
        guard !intake.pointee.isFull else { return !intake.pointee.output.hasRoom }
        if plan.timeOrder != nil {
            let now = Moment.now()
            intake.pointee.now = now.monotonicMilliseconds
            ordered?.fill(intake, wallClock: now.unixMilliseconds)
            return intake.pointee.isFull
        }
        // Nothing of ours is called again once it has yielded.
        struct Context {
            let intake: UnsafeMutablePointer<Intake>
            let client: OpaquePointer
        }
        let moment = Moment.now()
        intake.pointee.now = moment.monotonicMilliseconds
        intake.pointee.noteWallClock(moment.unixMilliseconds)
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

    // MARK: Figures

    private func report() {
        if progress.isDue {
            progress.show(
                lines: intake.pointee.session.readLines, bytes: intake.pointee.output.acceptedBytes,
                rest: progressOfPartitions())
        }
        progress.report { facts }
    }

    /// How many messages there are after the position of each partition, and up to where `--until-end` ends; nil while a
    /// partition's end is not known.
    private var lag: (all: Int64, left: Int64)? {
        var (lag, left): (Int64, Int64) = (0, 0)
        for (number, state) in intake.pointee.session.partitions.enumerated() {
            var (low, high): (Int64, Int64) = (0, 0)
            guard let state else { continue }
            let code = rd_kafka_get_watermark_offsets(client.handle, plan.topic, Int32(number), &low, &high)
            guard code == RD_KAFKA_RESP_ERR_NO_ERROR, high >= 0 else { return nil }
            let position = state.accepted ?? state.committed ?? low
            lag += max(0, high - position)
            left += max(0, min(state.end, high) - position)
        }
        return (lag, left)
    }

    /// For `--stats`.
    private var facts: (Statistics.Counts, Summary) {
        var more = Summary()
        if let lag { more.add("lag", Int(lag.all)) }
        more.add("held_bytes", intake.pointee.output.waiting)
        let counts = Statistics.Counts(
            read: intake.pointee.session.readLines, bytesRead: intake.pointee.output.position,
            written: intake.pointee.session.acceptedLines, bytesWritten: intake.pointee.output.acceptedBytes)
        return (counts, more)
    }

    /// Lag and, where the end is known, the time left.
    private func progressOfPartitions() -> String {
        guard let (lag, left) = lag else { return "" }
        let text = ", lag \(Progress.short(Double(lag)))"
        guard plan.untilEnd, let seconds = progress.seconds(for: left) else { return text }
        return text + ", \(seconds) s left"
    }

    private func summarize() {
        let session = intake.pointee.session
        var summary = Summary()
        summary.add("tool", "kcat-in")
        summary.add("read", session.readLines)
        summary.add("bytes", intake.pointee.output.acceptedBytes)
        summary.add("committed", session.committedLines)
        if plan.skipsGaps { summary.add("gap_lines", Int(session.missing)) }
        if let ledger = session.ledger { summary.add("epochs", ledger.committedEpochs) }
        if let state {
            summary.add("restored", state.lineCount)
            summary.add("restore_ms", Int(state.milliseconds))
        }
        Descriptor.standardError.writeIgnoringErrors(summary.json + "\n")
    }
}

/// 128 random bits, in hexadecimal digits: data cannot guess it.
private func randomName() -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    let digits = Array("0123456789abcdef".utf8)
    return (0..<32).map { _ in digits[Int(generator.next() & 15)] }
}
