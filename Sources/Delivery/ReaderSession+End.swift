/// How a reader ends: all that was read is written, committed, and its stream closed, unless something has failed.
extension ReaderSession {
    package struct Finish {
        /// The steps in their order.
        package enum Step: Equatable {
            case draining
            /// All epochs are waited for.
            case settling(since: Int64)
            /// The stream was closed, which is to be written.
            case flushing(since: Int64)
            case closing
            case committing(since: Int64)
        }

        var failure: Ending?
        var begun: Int64
        package internal(set) var step = Step.draining

        /// Whether standard output may still take what was read.
        var mayWrite: Bool {
            switch step {
            case .draining, .settling, .flushing: true
            case .closing, .committing: false
            }
        }

        init(begun: Int64) { self.begun = begun }
    }

    /// Whether nothing is left to read of the partitions that are ours.
    var isDone: Bool {
        if hasReachedLimit { return true }
        return (plan.untilEnd || plan.untilEndOfStream != nil) && openPartitions == 0 && hasBegun && joining == nil
            && !rangesInquiry.isOpen
    }

    /// Ends with a failure, the first that there was. What was read before is written and committed.
    mutating func fail(_ ending: Ending, at now: Int64) {
        // Where brokers cannot be had for long, the next try may be luckier: nothing is lost.
        let isPassing = ending.kind == .unavailable && ledger != nil && hasMetBroker && outage.isOpen
        let ending = isPassing ? Ending(.tryAgain, ending.message) : ending
        if finish == nil { finish = Finish(begun: now) }
        if finish?.failure == nil { finish?.failure = ending }
    }

    /// Begins to end when all was read. A member of a group stays until all partitions are done, whoever has them: it takes over
    /// those of a member that dies, and when one leaves early all the others must stop and deal anew.
    mutating func endIfDone(at now: Int64) {
        guard isDone, revocation == nil else {
            if endCheck == .passed { endCheck = .none }
            return
        }
        let needsNoLook =
            hasReachedLimit || (!plan.hasGroup && (plan.untilEndOfStream == nil || plan.partitions != nil))
        if needsNoLook || endCheck == .passed {
            finish = Finish(begun: now)
            return
        }
        if plan.hasGroup {
            guard acceptedBytes == position else { return }
            endEpoch(at: now)
            commit(at: now)
            guard ledger?.isSettled ?? true, !isCommitUnderWay, !hasOwed else { return }
        }
        guard endCheck == .none, now >= nextEndCheck else { return }
        nextEndCheck = now + 200
        endCheck = .count
        topicInquiry.ask(.partitionCount, at: now)
    }

    /// Whether all partitions of the topic are done, as far as their readers have committed.
    mutating func checkGroup(_ offsets: [Int32: StoredOffset], at now: Int64) {
        guard endCheck == .group, finish == nil else { return }
        endCheck = .none
        for number in 0..<(count ?? 0) where !isOurs(number) {
            // Ours are done: some end without a commit.
            let stored = offsets[number]
            if let writers = plan.untilEndOfStream {
                guard let stored, stored.ends.count >= writers else { return }
                if stored.ends.hasFailed { hasFailedWriter = true }
            } else if stored?.next ?? 0 < goals[number] ?? 0 {
                return
            }
        }
        endCheck = .passed
        endIfDone(at: now)
    }

    mutating func advanceFinish(at now: Int64) {
        while let finish, !hasEnded, step(finish, at: now) {}
    }

    /// Does a step of the end. Returns whether the next can be done at once.
    private mutating func step(_ finish: Finish, at now: Int64) -> Bool {
        let isWritten = acceptedBytes == position || isClosed
        // Standard output may take its time, but not once a signal has come.
        func mayWait(since begun: Int64) -> Bool { !isStopAsked || now - begun < Self.millisecondsToDrain }
        if ledger != nil, finish.failure == nil, !isClosed { settleIfDue(inHurry: true, at: now) }
        if self.finish?.failure != nil, finish.failure == nil { return true }
        switch finish.step {
        case .draining:
            if isRestoring {
                stopRestoring(at: now)
            } else if finish.failure == nil {
                endEpoch(at: now)
            }
            // With barriers what has failed is read again from the last commit.
            let isVoid = ledger != nil && finish.failure != nil
            guard isWritten || !mayWait(since: finish.begun) || isVoid else {
                commitIfDue(at: now)
                return false
            }
            self.finish?.step = .settling(since: now)
        case .settling(let since):
            if finish.failure == nil, ledger?.isSettled == false, !isClosed {
                if now - since >= plan.commitMilliseconds { fail(notCommitted, at: now) }
                return self.finish?.failure != nil
            }
            if finish.failure == nil, ledger != nil, !isClosed {
                let end = isStopAsked ? StreamEnd.stopped : hasFailedWriter ? .failed : .ok
                write(.close, Array(end.rawValue.utf8), at: now)
            }
            self.finish?.step = .flushing(since: now)
        case .flushing(let since):
            guard isWritten || finish.failure != nil || !mayWait(since: since) else { return false }
            // Lines that could not be kept are not committed.
            self.finish?.step = .closing
            actions.append(.closeOutput)
            return false
        case .closing: return false
        case .committing(let since):
            let limit = isStopAsked || isClosed || finish.failure != nil ? 5000 : plan.patience
            let isOver = commitFailure.map { $0.meaning == .fenced && $0 != .rebalanceInProgress } ?? false
            if isCommitUnderWay || hasOwed, ledger == nil || plan.hasAcks, !isOver, now - since < limit {
                if now >= nextCommit { commit(at: now) }
                return false
            }
            if finish.failure == nil, hasOwed, ledger == nil || plan.hasAcks {
                let kind = isOver || ledger != nil ? Ending.Kind.tryAgain : .unavailable
                self.finish?.failure = Ending(kind, "cannot commit what was read last")
            }
            hasEnded = true
            // The group waits for an answer.
            if joining != nil || revocation != nil { actions.append(.unassign) }
            actions.append(.end(self.finish?.failure))
        }
        return true
    }
}
