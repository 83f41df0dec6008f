/// Offsets of what standard output, or a sink, has taken: without barriers, and with acks.
extension ReaderSession {
    static let millisecondsBetweenCommits: Int64 = 1000

    /// The partitions of which more was accepted than committed.
    var owed: [Position] {
        guard plan.hasGroup else { return [] }
        return partitions.indices.compactMap { number in
            guard let state = partitions[number] else { return nil }
            let accepted = plan.sabotage.contains(.commitsWhatWasRead) && ledger == nil ? state.read : state.accepted
            guard let next = accepted, next != state.committed else { return nil }
            return Position(partition: Int32(number), next: next, ends: state.ends, times: state.times)
        }
    }

    var hasOwed: Bool { plan.hasGroup && partitions.contains { $0?.isOwed == true } }

    mutating func commitIfDue(at now: Int64) {
        guard now >= nextCommit, ledger == nil || plan.hasAcks else { return }
        commit(at: now)
    }

    /// Begins to commit what is owed, if no commit is under way.
    mutating func commit(at now: Int64) {
        guard plan.hasGroup, !isCommitUnderWay, ledger == nil || plan.hasAcks else { return }
        let owed = owed
        guard !owed.isEmpty else { return }
        nextCommit = now + Self.millisecondsBetweenCommits
        isCommitUnderWay = true
        // How many lines go with it is known only now.
        for number in partitions.indices {
            let lines = partitions[number]?.acceptedLines ?? 0
            partitions[number]?.linesInCommit = lines
        }
        actions.append(.commit(owed))
    }

    mutating func noteCommit(_ offsets: [Int32: Int64], _ code: ErrorCode?, at now: Int64) {
        isCommitUnderWay = false
        commitFailure = code
        if code != nil {
            // Sooner than the next is due: somebody may wait for it.
            nextCommit = min(nextCommit, now + 100)
        } else {
            nextCommit = min(
                nextCommit, now + (revocation != nil || finish != nil || isDone ? 0 : Self.millisecondsBetweenCommits))
        }
        for (number, next) in offsets where isOurs(number) {
            partitions[Int(number)]?.committed = next
            let lines = partitions[Int(number)]?.linesInCommit ?? 0
            partitions[Int(number)]?.committedLines = lines
        }
        switch code?.meaning {
        case .lasting(let kind): fail(Ending(kind, "cannot commit: error \(code?.rawValue ?? 0)"), at: now)
        case .passes where code != .rebalanceInProgress: note("cannot commit", at: now)
        default: return
        }
    }
}
