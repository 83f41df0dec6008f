import Bytes
import CRDKafka
import ToolRuntime

/// Exactly once, the reader's side: barriers cut the stream into epochs, and an epoch is done when the group's offsets, which
/// `kcat-out` commits together with its output, have come to its end. With `--ack` a sink outside Kafka says so instead, and
/// the offsets are committed here.
extension TopicReader {
    func openStream() {
        guard let length = plan.epochMilliseconds else { return }
        write(.open, Array("\(length)".utf8))
    }

    func closeStream() {
        guard epochs != nil, !intake.pointee.output.isClosed else { return }
        let hasFailed = intake.pointee.hasFailedWriter
        let end = Signals.isAsked ? StreamEnd.stopped : hasFailed ? .failed : .ok
        write(.close, Array(end.rawValue.utf8))
    }

    private func write(_ kind: Barrier.Kind, _ payload: [UInt8]) {
        guard let line = epochs?.barrier(kind, payload: payload) else { return }
        intake.pointee.output.append(line)
        nextReminder = Client.monotonicMilliseconds() + max(1000, plan.epochMilliseconds ?? 0)
    }

    /// What is due of the barriers; nothing without them.
    func turnEpochs() throws(Failure) {
        guard epochs != nil else { return }
        endRestore()
        if Client.monotonicMilliseconds() >= nextEpoch { endEpoch() }
        try settleEpochs(inHurry: isDone)
    }

    /// How long a wait may be, in milliseconds.
    var epochPatience: CInt {
        guard let epochs else { return .max }
        let now = Client.monotonicMilliseconds()
        var patience: Int64 = 500
        if !epochs.isSettled { patience = min(patience, nextSettling - now) }
        if intake.pointee.hasRead { patience = min(patience, nextEpoch - now) }
        return CInt(max(0, patience))
    }

    /// Ends the epoch, if something was read in it.
    func endEpoch() {
        guard epochs != nil, let member, intake.pointee.hasRead else { return }
        let positions = intake.pointee.takePositions()
        writeCommit(positions, of: member)
        let lines = intake.pointee.readLines - linesInEpochs
        linesInEpochs += lines
        epochs?.begin(positions, end: intake.pointee.output.position, lines: lines)
    }

    private func writeCommit(_ positions: [Position], of member: GroupMember) {
        nextEpoch = Client.monotonicMilliseconds() + (plan.epochMilliseconds ?? 0)
        // Whoever is told by an ack needs no offsets, and `kcat-out` must not take them then.
        let offsets = EpochOffsets(member: member, topic: Array(plan.topic.utf8), positions: positions)
        write(.commit, plan.ack == nil ? offsets.payload : [])
    }

    /// Writes an epoch with nothing in it where nothing else comes: if somebody has died behind a filter that is idle, the
    /// filter finds out when it passes that on.
    private func remind() {
        guard let member, Client.monotonicMilliseconds() >= nextReminder, state?.isBusy != true,
            !intake.pointee.hasRead, intake.pointee.output.waiting == 0
        else { return }
        writeCommit([], of: member)
    }

    /// Looks which epochs are done: ten times in one, or more often where somebody waits for it.
    func settleEpochs(inHurry: Bool = false) throws(Failure) {
        remind()
        guard let pending = epochs?.pending, !pending.isEmpty || acks != nil else { return }
        let now = Client.monotonicMilliseconds()
        epochs?.noteAccepted(intake.pointee.output.acceptedBytes, at: now)
        if inHurry { nextSettling = min(nextSettling, now + 5) }
        guard now >= nextSettling else { return }
        nextSettling = now + (inHurry ? 5 : min(100, max(5, (plan.epochMilliseconds ?? 0) / 10)))
        var settled: [Epochs.Pending]
        if let last = try acks?.last(written: epochs?.next ?? 0) {
            settled = epochs?.settle { $0.number <= last } ?? []
        } else if acks == nil, let committed = committedOffsets(of: pending) {
            settled = epochs?.settle { $0.positions.allSatisfy { $0.next <= committed[$0.partition] ?? -1 } } ?? []
        } else {
            settled = []
        }
        for epoch in settled {
            committedBefore += epoch.lines
            intake.pointee.noteDone(epoch.positions, committed: acks == nil)
        }
        if !settled.isEmpty { commit() }
        // A sink outside Kafka may have its own reasons to wait.
        if acks == nil, let since = epochs?.waitingSince, now - since >= commitMilliseconds { throw notCommitted() }
    }

    private func notCommitted() -> Failure {
        let number = epochs?.pending.first.map { "\($0.number)" } ?? ""
        let reason =
            acks == nil
            ? "does every program between kcat-in and kcat-out --exactly-once pass barriers on?"
            : "its number has not come out of the FIFO"
        return Failure(.tryAgain, "epoch \(number) was not committed in time: \(reason)")
    }

    /// The group's offsets, when an answer has come; then asks for the next. Nothing waits for a broker here, and what a
    /// transaction holds is not waited for either: it is not committed yet.
    private func committedOffsets(of pending: [Epochs.Pending]) -> [Int32: Int64]? {
        var found: [Int32: Int64]?
        while let event = rd_kafka_queue_poll(offsets, 0) {
            defer { rd_kafka_event_destroy(event) }
            isAskingForOffsets = false
            var count = 0
            guard let result = rd_kafka_event_ListConsumerGroupOffsets_result(event),
                let groups = rd_kafka_ListConsumerGroupOffsets_result_groups(result, &count), count == 1,
                let list = rd_kafka_group_result_partitions(groups[0])
            else { continue }
            found = [:]
            for place in 0..<Int(list.pointee.cnt) {
                let entry = list.pointee.elems[place]
                if entry.err == RD_KAFKA_RESP_ERR_NO_ERROR { found?[entry.partition] = entry.offset }
            }
        }
        if !isAskingForOffsets { askForOffsets(of: Set(pending.flatMap { $0.positions.map(\.partition) })) }
        return found
    }

    private func askForOffsets(of partitions: Set<Int32>) {
        let list = PartitionList(plan.topic, partitions.map { ($0, 0) })
        let options = rd_kafka_AdminOptions_new(client.handle, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS)
        defer { rd_kafka_AdminOptions_destroy(options) }
        rd_kafka_AdminOptions_set_request_timeout(options, 5000, nil, 0)
        let request = rd_kafka_ListConsumerGroupOffsets_new(plan.group ?? "", list.pointer)
        defer { rd_kafka_ListConsumerGroupOffsets_destroy(request) }
        var requests: [OpaquePointer?] = [request]
        rd_kafka_ListConsumerGroupOffsets(client.handle, &requests, 1, options, offsets)
        isAskingForOffsets = true
    }

    /// Waits until every epoch is done, or nobody is left who could do it.
    func awaitEpochs() throws(Failure) {
        let deadline = Client.monotonicMilliseconds() + commitMilliseconds
        while epochs?.isSettled == false, !intake.pointee.output.isClosed {
            try serve()
            try settleEpochs(inHurry: true)
            if Client.monotonicMilliseconds() >= deadline { throw notCommitted() }
            wait(epochPatience)
        }
    }

    /// The group takes the partitions away: what was read of them must be committed first. The group waits for that as long
    /// as `max.poll.interval.ms`.
    func finishEpochs() throws(Failure) {
        endRestore()
        if state?.isBusy == true { state?.stop() }
        let deadline = Client.monotonicMilliseconds() + commitMilliseconds - 1000
        endEpoch()
        // What waits to be written is cut off then: it may be state, whose barriers must come through all the same.
        while try !intake.pointee.write() || epochs?.isSettled == false {
            if intake.pointee.output.isClosed { return }
            let isOwed = epochs?.isSettled == false
            // They are another's already, who reads again what is not committed: then nobody may commit it here.
            if isOwed, rd_kafka_assignment_lost(client.handle) != 0 {
                throw Failure(.tryAgain, "put out of the group with lines that were not committed")
            }
            try settleEpochs(inHurry: true)
            if Client.monotonicMilliseconds() >= deadline {
                throw isOwed ? notCommitted() : Failure(.tryAgain, "standard output is blocked, and the group moves on")
            }
            wait(epochPatience)
        }
        if acks != nil { try commitAndWait(Self.millisecondsToCommit) }
        member = nil
    }

    // MARK: State

    func beginRestore(_ partitions: [Int32], of count: Int) throws(Failure) {
        guard let state else { return }
        try state.begin(partitions, of: count, for: plan.topic)
        write(.restore, [])
    }

    /// Ends the state's part of the stream when all of it was written.
    private func endRestore() {
        guard let state, state.takeEnd() else { return }
        write(.restored, [])
    }
}
