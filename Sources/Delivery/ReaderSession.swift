import Bytes

/// What `kcat-in` decides: which partitions it reads and from where, what may be committed, when an epoch ends, what a rebalance
/// owes, which error passes, and when it is done. Events and the time go in, actions come out; nothing here waits.
///
///     starting ── the topic is known ──► reading ── all read, a signal, or a failure ──► finishing ──► ended
///                                        │     ▲
///                         the group takes │     │ and deals again
///                                        ▼     │
///                                   revocation: what was read is written and committed first
///
/// Positions are bytes of the output since it began, times milliseconds of a clock that never goes back. Messages do not come as
/// events: see `admits` and `took`, which cost no allocation.
package struct ReaderSession {
    package let plan: ReaderPlan
    var actions: [ReaderAction] = []

    // The topic and its partitions, by number; nil: another member's.
    package internal(set) var partitions: [PartitionProgress?] = []
    /// Partitions of ours that are not done.
    package internal(set) var openPartitions = 0
    var newlyDone: [Int32] = []
    /// Partitions of the topic, as far as is known.
    package internal(set) var count: Int32?
    /// In a group, for `untilEnd`: where each partition ends.
    var goals: [Int32: Int64] = [:]
    /// Lost before what was taken of them could be committed.
    var uncommitted: [Int32: PartitionProgress] = [:]
    var joining: Joining?
    var revocation: Revocation?
    /// Partitions were dealt to us, if only none, or are all ours.
    var hasBegun = false

    // The output.
    var marks = AcceptanceMarks()
    /// End-of-stream records that wait for their place in the output: like marks, but few.
    var endMarks: [(end: Int, partition: Int32, ends: EndsOfStream)] = []
    package internal(set) var position = 0
    package internal(set) var acceptedBytes = 0
    var isClosed = false

    // What is asked of the brokers.
    var questions = 0
    var topicInquiry = Inquiry()
    var rangesInquiry = Inquiry()
    var rangesPurpose = RangesPurpose.begin
    var storedInquiry = Inquiry()
    var settlingInquiry = Inquiry()
    var groupInquiry = Inquiry()
    var hasMetBroker = false
    var outage = Outage()
    var outageOwner = OutageOwner.client
    var linesAtOutage = 0
    /// When the topic is looked at again: whether it has grown, and whether brokers answer.
    var nextCount: Int64 = 0

    // Commits.
    var isCommitUnderWay = false
    var commitFailure: ErrorCode?
    var nextCommit: Int64 = 0

    // Barriers.
    package internal(set) var ledger: EpochLedger?
    package internal(set) var member: GroupMember?
    package internal(set) var isRestoring = false
    /// Partitions whose state comes after that of the one that is being restored.
    var toRestore: [Int32] = []
    package internal(set) var times: EventTimes?
    var nextEpoch: Int64 = 0
    var nextReminder: Int64 = 0
    var nextSettling: Int64 = 0

    // The end.
    package internal(set) var finish: Finish?
    package internal(set) var hasEnded = false
    var isStopAsked = false
    /// What is known of the end that all members wait for.
    var endCheck = EndCheck.none
    var nextEndCheck: Int64 = 0

    // Figures.
    /// Lines read, less those that were given up.
    package internal(set) var readLines = 0
    /// Lines whose offsets were committed, in partitions that are no longer ours, or in epochs.
    var committedBefore = 0
    /// Messages that were gone before they could be read.
    package internal(set) var missing: Int64 = 0
    /// A writer had ended with a failure, in a partition whose end was awaited.
    package internal(set) var hasFailedWriter = false

    /// Who has noted an outage, and so knows when it is over: a client by any answer, a partition by what is read of it, an
    /// inquiry by its own answer.
    enum OutageOwner: Equatable { case client, partition, topic, ranges, stored, group }
    enum RangesPurpose { case begin, goals, join, added, gaps }
    enum EndCheck { case none, count, group, passed }

    /// Partitions that the group has dealt to us, on their way to be read.
    struct Joining {
        var numbers: [Int32]
        var member: GroupMember?
        var stored: [Int32: StoredOffset]?
    }

    /// The group takes the partitions away.
    struct Revocation {
        var isLost: Bool
        var begun: Int64
        /// What nobody has taken was given up.
        var hasGivenUp = false
    }

    /// - Parameter session: for barriers, see `EpochLedger`.
    package init(_ plan: ReaderPlan, session: [UInt8], at now: Int64) {
        self.plan = plan
        if let milliseconds = plan.epochMilliseconds {
            // Twice an epoch, but well before the group or the brokers give up what takes long.
            let limit = min(plan.commitMilliseconds, WriterSession.transactionMilliseconds) / 4
            let committed = min(max(2 * milliseconds, 2000), limit)
            ledger = EpochLedger(session: session, committedWithin: committed, at: now)
            times = plan.eventTime.map { EventTimes($0, idle: plan.idle) }
            write(.open, Array("\(milliseconds)".utf8), at: now)
        }
    }

    /// Whether messages may be taken now.
    package var mayRead: Bool {
        revocation == nil && finish == nil && !hasEnded && !hasReachedLimit
            && (!isRestoring || plan.sabotage.contains(.readsBeforeRestored))
    }

    /// Partitions are being given back that are still ours.
    package var isGivingBack: Bool { revocation?.isLost == false }
    package var hasReachedLimit: Bool { readLines >= plan.limit ?? .max }
    /// Lines whose offsets the group has.
    package var committedLines: Int { committedBefore + partitions.reduce(0) { $0 + ($1?.committedLines ?? 0) } }
    package var acceptedLines: Int { committedBefore + partitions.reduce(0) { $0 + ($1?.acceptedLines ?? 0) } }

    package mutating func handle(_ event: ReaderEvent, at now: Int64) -> [ReaderAction] {
        guard !hasEnded else { return [] }
        take(event, at: now)
        advance(at: now)
        defer { actions = [] }
        return actions
    }

    /// Notes an event that comes among the messages, in its place between them; what it leads to comes with the next `handle`.
    package mutating func take(_ event: ReaderEvent, at now: Int64) {
        switch event {
        case .start:
            topicInquiry.ask(.partitionCount, at: now)
            nextCount = now + Self.millisecondsBetweenCounts
        case .answer(let number, let answer): take(answer, to: number, at: now)
        case .assigned(let numbers, let member): join(numbers, member, at: now)
        case .revoked(let isLost): revoke(isLost: isLost, at: now)
        case .endOfPartition(let number, let offset): takeEnd(of: number, offset, at: now)
        case .endOfStream(let number, let offset, let isOK, let writer):
            takeEndOfStream(number, offset, isOK: isOK, writer)
        case .watermark(let number, let offset, let record): takeWatermark(number, offset, record)
        case .partitionFailed(let number, let code, let text): takeFailure(of: number, code, text, at: now)
        case .committed(let offsets, let code): noteCommit(offsets, code, at: now)
        case .accepted(let bytes): accept(bytes)
        case .restored:
            guard isRestoring else { return }
            goOnRestoring(at: now)
        case .acked(let number): settle(upTo: number, at: now)
        case .clientFailed(let code, let text, let isFatal): takeComplaint(code, text, isFatal: isFatal, at: now)
        case .failed(let ending):
            fail(ending, at: now)
            // Standard output takes nothing more.
            if ending.kind == .inputOutput { isClosed = true }
        case .stopAsked:
            isStopAsked = true
            if finish == nil { finish = Finish(begun: now) }
        case .outputClosed:
            isClosed = true
            if finish == nil { finish = Finish(begun: now) }
        case .outputKept(let ending):
            if let ending { fail(ending, at: now) }
            if finish?.step == .closing { finish?.step = .committing(since: now) }
        case .tick: return
        }
    }

    /// Does all that is due.
    private mutating func advance(at now: Int64) {
        guard !hasEnded else { return }
        if readLines != linesAtOutage, let words = outage.end(at: now) { say(words) }
        if let words = outage.words(at: now) { say(words) }
        if revocation != nil { advanceRevocation(at: now) }
        if finish == nil {
            turnEpochs(at: now)
            commitIfDue(at: now)
            lookForNews(at: now)
            endIfDone(at: now)
        }
        if finish != nil { advanceFinish(at: now) }
        if !newlyDone.isEmpty {
            // What comes after the end that was asked for need not be fetched.
            actions.append(.pause(newlyDone))
            newlyDone = []
        }
        ask(at: now)
    }

    private mutating func ask(at now: Int64) {
        func due(_ inquiry: WritableKeyPath<Self, Inquiry>) {
            if let question = self[keyPath: inquiry].due(questions + 1, at: now) {
                questions += 1
                actions.append(.ask(questions, question))
            }
        }
        due(\.topicInquiry)
        due(\.rangesInquiry)
        due(\.storedInquiry)
        due(\.settlingInquiry)
        due(\.groupInquiry)
    }

    private mutating func take(_ answer: Answer, to number: Int, at now: Int64) {
        if case .failure(let code, let text) = answer {
            return takeFailure(code, text, to: number, at: now)
        }
        hasMetBroker = true
        let answered: [(Inquiry, OutageOwner)] = [
            (topicInquiry, .topic), (rangesInquiry, .ranges), (storedInquiry, .stored), (groupInquiry, .group),
        ]
        let isOver =
            outageOwner == .client
            || answered.contains { $1 == outageOwner && (!$0.isOpen || $0.isAnswered(by: number)) }
        if isOver, let words = outage.end(at: now) { say(words) }
        switch answer {
        case .partitionCount(let count) where topicInquiry.isAnswered(by: number):
            topicInquiry.end()
            takeCount(count, at: now)
        case .ranges(let ranges) where rangesInquiry.isAnswered(by: number):
            rangesInquiry.end()
            take(ranges, at: now)
        case .offsets(let offsets) where storedInquiry.isAnswered(by: number):
            storedInquiry.end()
            joining?.stored = offsets
            if let joining { askRanges(joining.numbers, .join, at: now) }
        case .offsets(let offsets) where settlingInquiry.isAnswered(by: number):
            settlingInquiry.end()
            settle(by: offsets, at: now)
        case .offsets(let offsets) where groupInquiry.isAnswered(by: number):
            groupInquiry.end()
            checkGroup(offsets, at: now)
        default: return  // to what is no longer asked
        }
    }

    private mutating func takeFailure(_ code: ErrorCode, _ text: String, to number: Int, at now: Int64) {
        func fail(_ inquiry: WritableKeyPath<Self, Inquiry>, _ owner: OutageOwner, _ words: String) {
            guard self[keyPath: inquiry].isAnswered(by: number) else { return }
            let patience = plan.sabotage.contains(.noPatience) ? 0 : plan.patience
            note(words, of: owner, at: now)
            if let ending = self[keyPath: inquiry].fail(code, words, patience: patience, at: now) {
                self.fail(ending, at: now)
            }
        }
        fail(\.topicInquiry, .topic, text)
        fail(\.rangesInquiry, .ranges, "cannot look up the offsets of \"\(plan.topic)\": \(text)")
        fail(
            \.storedInquiry, .stored, "cannot look up the group's offsets, which an open transaction may hold: \(text)")
        fail(\.groupInquiry, .group, "cannot look up the group's offsets: \(text)")
        if settlingInquiry.isAnswered(by: number) {
            // No news. How long it may take is told by the epochs.
            settlingInquiry.end()
            if code.meaning == .lasting(.notPermitted) { self.fail(Ending(.notPermitted, text), at: now) }
        }
    }

    private mutating func takeComplaint(_ code: ErrorCode, _ text: String, isFatal: Bool, at now: Int64) {
        switch code.meaning {
        case .lasting(.notPermitted), .lasting(.configuration):
            if code == .brokenHandshake, hasMetBroker { return note(text, at: now) }
            fail(Ending(code.kind, text), at: now)
        case .fenced where isFatal || code == .fencedInstance: fail(Ending(.tryAgain, text), at: now)
        case _ where isFatal: fail(Ending(code.kind, text), at: now)
        case .missing:
            // One broker does not know it. Whether all do not is for the inquiry to find out.
            if !topicInquiry.isOpen { topicInquiry.ask(.partitionCount, at: now) }
        default: note(text, at: now)
        }
    }

    mutating func say(_ words: String) { actions.append(.say(words)) }

    mutating func note(_ reason: String, of owner: OutageOwner = .client, at now: Int64) {
        if !outage.isOpen { outageOwner = owner }
        if outageOwner == owner { outage.note(reason, at: now) }
        linesAtOutage = readLines
    }

    /// When something is due although nothing happens; at most half a second from now.
    package func nextWake(after now: Int64) -> Int64 {
        var wake = now + 500
        func at(_ time: Int64?) { if let time, time < wake { wake = time } }
        for inquiry in [topicInquiry, rangesInquiry, storedInquiry, settlingInquiry, groupInquiry] {
            at(inquiry.nextWake)
        }
        at(outage.nextWords)
        let isWritten = acceptedBytes == position
        if let ledger, let first = ledger.pending.first, first.end <= acceptedBytes {
            at(plan.hasAcks ? now + settlingPause : settlingInquiry.isOpen ? nil : nextSettling)
        }
        guard finish == nil, revocation == nil else { return max(wake, now) }
        if ledger != nil, hasRead, member != nil { at(nextEpoch) }
        if member != nil, let idle = times?.nextWake() { at(max(idle, nextEpoch)) }
        if ledger == nil || plan.hasAcks, !isCommitUnderWay, hasOwed { at(nextCommit) }
        if endCheck == .none, isDone, plan.hasGroup, isWritten, !hasOwed, ledger?.isSettled ?? true { at(nextEndCheck) }
        return max(wake, now)
    }
}
