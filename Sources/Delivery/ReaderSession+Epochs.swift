import Bytes

/// Exactly once, the reader's side: barriers cut the stream into epochs, and an epoch is done when the group's offsets, which
/// `kcat-out` commits together with its output, have come to its end. With acks a sink outside Kafka says so instead, and the
/// offsets are committed here.
extension ReaderSession {
    /// Puts a barrier at the end of the output.
    /// - Parameter done: in the place of the stream's watermark.
    mutating func write(_ kind: Barrier.Kind, _ payload: [UInt8], done: Watermark? = nil, at now: Int64) {
        guard let line = ledger?.barrier(kind, done ?? times?.mark, payload: payload) else { return }
        actions.append(.write(line))
        position += line.count
        nextReminder = now + max(1000, plan.epochMilliseconds ?? 0)
    }

    /// Whether something was read since the last barrier.
    var hasRead: Bool { partitions.contains { $0.map { $0.read != $0.inBarrier } ?? false } }

    /// What is due of the barriers; nothing without them.
    mutating func turnEpochs(at now: Int64) {
        guard let ledger else { return }
        let isFull =
            ledger.bytes(before: position) >= ledger.budget.bytes && !plan.sabotage.contains(.noBytesInEpochs)
        if now >= nextEpoch || isFull { endEpoch(at: now) }
        settleIfDue(inHurry: isDone, at: now)
    }

    /// Ends the epoch, if something was read in it, or a watermark has moved.
    mutating func endEpoch(at now: Int64) {
        guard ledger != nil, let member, !isRestoring else { return }
        let hasMoved = times?.advance(at: now) ?? false
        guard hasRead || hasMoved else { return }
        let positions: [Position] = partitions.indices.compactMap { number in
            guard let state = partitions[number],
                state.read != state.inBarrier || times?.hasMoved(Int32(number)) == true
            else { return nil }
            partitions[number]?.inBarrier = state.read
            return Position(
                partition: Int32(number), next: state.next, ends: state.endsRead, times: times?.times(of: Int32(number))
            )
        }
        times?.noteBarrier()
        writeCommit(positions, of: member, at: now)
        ledger?.begin(positions, end: position, lines: readLines, at: now)
    }

    private mutating func writeCommit(_ positions: [Position], of member: GroupMember, at now: Int64) {
        nextEpoch = now + (plan.epochMilliseconds ?? 0)
        // Whoever is told by an ack needs no offsets, and `kcat-out` must not take them then.
        let offsets = EpochOffsets(
            member: member, topic: Array(plan.topic.utf8), partitionCount: times == nil ? nil : count,
            positions: positions)
        write(.commit, plan.hasAcks ? [] : offsets.payload, at: now)
    }

    /// Writes an epoch with nothing in it where nothing else comes: if somebody has died after a filter that is idle, the
    /// filter finds out when it passes that on.
    private mutating func remind(at now: Int64) {
        // Nothing comes after the close.
        switch finish?.step {
        case nil, .draining, .settling: break
        default: return
        }
        guard let member, now >= nextReminder, !isRestoring, !hasRead, acceptedBytes == position else { return }
        writeCommit([], of: member, at: now)
    }

    /// Looks which epochs are done: ten times in one, or more often where somebody waits for it.
    mutating func settleIfDue(inHurry: Bool, at now: Int64) {
        remind(at: now)
        ledger?.noteAccepted(acceptedBytes, at: now)
        guard let ledger, let first = ledger.pending.first, !plan.hasAcks else { return }
        if let since = ledger.waitingSince, now - since >= plan.commitMilliseconds {
            return fail(notCommitted, at: now)
        }
        if inHurry { nextSettling = min(nextSettling, now + 5) }
        guard now >= nextSettling, first.end <= acceptedBytes, !settlingInquiry.isOpen else { return }
        nextSettling = now + (inHurry ? 5 : settlingPause)
        let asked = Set(ledger.pending.flatMap { $0.positions.map(\.partition) })
        settlingInquiry.ask(.committed(asked.sorted()), at: now)
    }

    /// Between two looks.
    var settlingPause: Int64 { min(100, max(5, (plan.epochMilliseconds ?? 0) / 10)) }

    mutating func settle(by committed: [Int32: StoredOffset], at now: Int64) {
        guard !plan.hasAcks else { return }
        let settled = ledger?.settle(at: now) { epoch in
            epoch.positions.allSatisfy { $0.isCommitted(by: committed[$0.partition]) }
        }
        note(settled ?? [], areCommitted: true)
    }

    mutating func settle(upTo number: Int64, at now: Int64) {
        guard plan.hasAcks else { return }
        note(ledger?.settle(at: now) { $0.number <= number } ?? [], areCommitted: false)
        commit(at: now)
    }

    private mutating func note(_ settled: [EpochLedger.Pending], areCommitted: Bool) {
        for epoch in settled {
            committedBefore += epoch.lines
            for position in epoch.positions where isOurs(position.partition) {
                let number = Int(position.partition)
                partitions[number]?.accepted = position.next
                partitions[number]?.ends = position.ends
                partitions[number]?.times = position.times
                if areCommitted { partitions[number]?.committed = position.next }
            }
        }
    }

    var notCommitted: Ending {
        let number = ledger?.pending.first.map { "\($0.number)" } ?? ""
        let reason =
            plan.hasAcks
            ? "its number has not come out of the FIFO"
            : "does every program between kcat-in and kcat-out --exactly-once pass barriers on, and do the brokers answer?"
        return Ending(.tryAgain, "epoch \(number) was not committed in time: \(reason)")
    }
}
