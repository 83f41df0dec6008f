import Bytes

/// Which partitions are read, and from where.
extension ReaderSession {
    static let millisecondsBetweenCounts: Int64 = 5000
    /// How long the loss of the partitions lets lines wait that nobody takes.
    static let millisecondsToDrain: Int64 = 4000

    // MARK: The topic

    func isOurs(_ number: Int32) -> Bool { partitions.indices.contains(Int(number)) && partitions[Int(number)] != nil }

    /// The numbers of ours, in order.
    var ours: [Int32] { partitions.indices.filter { partitions[$0] != nil }.map(Int32.init) }

    mutating func takeCount(_ new: Int32, at now: Int64) {
        let known = count
        count = max(known ?? 0, new)
        nextCount = now + Self.millisecondsBetweenCounts
        guard let known else { return begin(new, at: now) }
        let isLooking = endCheck == .count
        if isLooking { endCheck = .none }
        if new > known, !plan.hasGroup, plan.partitions == nil, !plan.untilEnd {
            return askRanges(Array(known..<new), .added, at: now)
        }
        guard isLooking, isDone else { return }
        if plan.hasGroup {
            endCheck = .group
            groupInquiry.ask(.committed(Array(0..<new)), at: now)
        } else {
            endCheck = .passed
        }
    }

    /// Asks for partitions: the group deals them out, or they are all ours.
    private mutating func begin(_ count: Int32, at now: Int64) {
        if plan.hasGroup {
            if plan.untilEnd { return askRanges(Array(0..<count), .goals, at: now) }
            return actions.append(.subscribe)
        }
        let numbers = plan.partitions ?? Array(0..<count)
        if let number = numbers.first(where: { $0 >= count }) {
            return fail(
                Ending(
                    .configuration, "topic \"\(plan.topic)\" has \(count) partitions: there is no partition \(number)"),
                at: now)
        }
        askRanges(numbers, .begin, at: now)
    }

    mutating func lookForNews(at now: Int64) {
        if count != nil, !topicInquiry.isOpen, now >= nextCount { topicInquiry.ask(.partitionCount, at: now) }
    }

    mutating func askRanges(_ numbers: [Int32], _ purpose: RangesPurpose, at now: Int64) {
        rangesPurpose = purpose
        rangesInquiry.ask(.ranges(numbers), at: now)
    }

    mutating func take(_ ranges: [Int32: LogRange], at now: Int64) {
        switch rangesPurpose {
        case .goals:
            for (number, range) in ranges {
                // What is empty, or begins after its end, is never committed.
                goals[number] = range.start >= range.high ? 0 : range.high
            }
            actions.append(.subscribe)
        case .begin, .added:
            for number in ranges.keys.sorted() {
                guard let range = ranges[number] else { continue }
                var progress = PartitionProgress(next: range.start)
                if plan.untilEnd { progress.end = range.high }
                begin(number, progress)
            }
            assign()
            nextCount = now + Self.millisecondsBetweenCounts
            hasBegun = true
        case .join: joined(ranges, at: now)
        case .gaps: resolve(ranges, at: now)
        }
    }

    private mutating func begin(_ number: Int32, _ progress: PartitionProgress) {
        while partitions.count <= Int(number) { partitions.append(nil) }
        partitions[Int(number)] = progress
        openPartitions += 1
        if progress.next >= progress.end { finish(number) }
        if let writers = plan.untilEndOfStream, progress.ends.count >= writers {
            times?.finish(number)
            finish(number)
            hasFailedWriter = hasFailedWriter || progress.ends.hasFailed
        }
    }

    mutating func finish(_ number: Int32) {
        guard partitions[Int(number)]?.isDone == false else { return }
        partitions[Int(number)]?.isDone = true
        openPartitions -= 1
        newlyDone.append(number)
    }

    private mutating func assign() {
        var starts: [Int32: Int64] = [:]
        for number in ours {
            starts[number] = partitions[Int(number)]?.next
            if partitions[Int(number)]?.isDone == true, !newlyDone.contains(number) { newlyDone.append(number) }
        }
        actions.append(.assign(starts))
    }

    // MARK: The group deals

    mutating func join(_ numbers: [Int32], _ member: GroupMember?, at now: Int64) {
        // Who is ending takes nothing more.
        guard !numbers.isEmpty, finish == nil else {
            joining = nil
            hasBegun = true
            return actions.append(.assign([:]))
        }
        count = max(count ?? 0, (numbers.max() ?? 0) + 1)
        joining = Joining(numbers: numbers.sorted(), member: member)
        storedInquiry.ask(.stored(numbers.sorted()), at: now)
    }

    private mutating func joined(_ ranges: [Int32: LogRange], at now: Int64) {
        guard let joining, let stored = joining.stored else { return }
        self.joining = nil
        // Who is ending takes nothing more.
        guard finish == nil else { return actions.append(.assign([:])) }
        for number in joining.numbers {
            guard let range = ranges[number] else { continue }
            let committed = stored[number]
            var progress = PartitionProgress(
                next: committed?.next ?? range.start, committed: committed?.next,
                ends: committed?.ends ?? EndsOfStream())
            if plan.untilEnd { progress.end = goals[number] ?? 0 }
            if let own = uncommitted.removeValue(forKey: number), let accepted = own.accepted,
                own.committed == committed?.next || plan.sabotage.contains(.keepsPlaceAfterMove)
            {
                // Ours again, and nobody has got on in between: what was printed need not come twice.
                progress.resume(from: own, at: accepted)
            }
            if committed != nil, let gap = Gap(number, next: progress.next, in: range) {
                guard skip(gap, isCommitted: true, &progress, at: now) else { return }
            }
            times?.add(number, committed?.times)
            begin(number, progress)
        }
        member = joining.member
        hasBegun = true
        assign()
        if plan.restores {
            isRestoring = true
            // With watermarks partition by partition: each is done as far as it is.
            toRestore = times == nil ? [] : joining.numbers
            if times == nil { restore(joining.numbers, at: now) } else { goOnRestoring(at: now) }
        }
    }

    /// One part of the state is there: the next, or the end of it.
    mutating func goOnRestoring(at now: Int64) {
        if toRestore.isEmpty {
            isRestoring = false
            return write(.restored, [], at: now)
        }
        restore([toRestore.removeFirst()], at: now)
    }

    /// The rest of the state is not wanted, and what there is of it is void: the next `restore` must not pass for a part of this.
    mutating func stopRestoring(at now: Int64) {
        (isRestoring, toRestore) = (false, [])
        times?.removeAll()
        actions.append(.stopRestore)
        write(.restored, [], at: now)
    }

    private mutating func restore(_ numbers: [Int32], at now: Int64) {
        var limits: [Int32: Int64] = [:]
        if plan.restoresInput { for number in numbers { limits[number] = partitions[Int(number)]?.next } }
        actions.append(.beginRestore(numbers, limits: limits))
        write(.restore, [], done: numbers.first.flatMap { times?.done($0) }, at: now)
    }

    // MARK: Gaps

    mutating func takeFailure(of number: Int32, _ code: ErrorCode, _ text: String, at now: Int64) {
        guard isOurs(number) else { return }
        switch code.meaning {
        case .gone:
            partitions[Int(number)]?.isLost = true
            if !rangesInquiry.isOpen { askAfterLost(at: now) }
        case .passes: note("cannot read partition \(number): \(text)", of: .partition, at: now)
        case .missing: if !topicInquiry.isOpen { topicInquiry.ask(.partitionCount, at: now) }
        case .fenced, .lasting: fail(Ending(code.kind, "cannot read partition \(number): \(text)"), at: now)
        }
    }

    private mutating func askAfterLost(at now: Int64) {
        let lost = ours.filter { partitions[Int($0)]?.isLost == true }
        if !lost.isEmpty { askRanges(lost, .gaps, at: now) }
    }

    private mutating func resolve(_ ranges: [Int32: LogRange], at now: Int64) {
        for number in ranges.keys.sorted() {
            guard let range = ranges[number], isOurs(number), var progress = partitions[Int(number)] else { continue }
            progress.isLost = false
            if let gap = Gap(number, next: progress.next, in: range),
                !skip(gap, isCommitted: false, &progress, at: now)
            {
                return
            }
            partitions[Int(number)] = progress
        }
        assign()
        askAfterLost(at: now)
    }

    /// Goes on after a gap, or ends.
    private mutating func skip(
        _ gap: Gap, isCommitted: Bool, _ progress: inout PartitionProgress, at now: Int64
    ) -> Bool {
        guard plan.skipsGaps || plan.sabotage.contains(.ignoresGaps) else {
            fail(Ending(.unavailable, gap.words(isCommitted: isCommitted) + "; --on-gap skip goes on"), at: now)
            return false
        }
        if plan.skipsGaps {
            missing += gap.count
            say("\(gap.words(isCommitted: isCommitted)); going on at \(gap.resumption)")
        }
        progress.advance(to: gap.resumption)
        marks.add(gap.partition, next: gap.resumption, lines: 0, end: position)
        return true
    }

    // MARK: The group takes

    mutating func revoke(isLost: Bool, at now: Int64) {
        joining = nil
        storedInquiry.end()
        if rangesPurpose == .join || rangesPurpose == .gaps { rangesInquiry.end() }
        if endCheck != .passed {
            endCheck = .none
            groupInquiry.end()
        }
        if let isAlreadyLost = revocation?.isLost {
            revocation?.isLost = isLost || isAlreadyLost
            return
        }
        guard !ours.isEmpty else { return actions.append(.unassign) }
        if isRestoring { stopRestoring(at: now) } else { endEpoch(at: now) }
        revocation = Revocation(isLost: isLost, begun: now)
    }

    /// What was read of the partitions is written and committed first, so that their next owner neither misses nor repeats a
    /// line. What standard output does not take in time is left to it.
    mutating func advanceRevocation(at now: Int64) {
        guard let revocation else { return }
        let waited = now - revocation.begun
        if ledger != nil { settleIfDue(inHurry: true, at: now) }
        let isWritten = acceptedBytes == position || isClosed
        if let ledger {
            let isOwed = !ledger.isSettled && !plan.sabotage.contains(.revokesEarly)
            if isOwed, revocation.isLost, !isClosed {
                // They are another's already, who reads again what is not committed: then nobody may commit it here.
                return fail(Ending(.tryAgain, "put out of the group with lines that were not committed"), at: now)
            }
            if isWritten, !isOwed || isClosed || revocation.isLost,
                !plan.hasAcks || !commitsMore(after: 5000, revocation.begun, at: now)
            {
                return endRevocation()
            }
            guard waited >= plan.commitMilliseconds - 1000 else { return }
            fail(
                isOwed ? notCommitted : Ending(.tryAgain, "standard output is blocked, and the group moves on"), at: now
            )
            return
        }
        if revocation.isLost { return endRevocation() }
        let limit = plan.commitMilliseconds - 5000
        // A message that was begun is waited for, after a signal as long as its rest may be written: its next owner would print
        // it again.
        let isPatient =
            marks.isInMessage(accepted: acceptedBytes)
            ? waited < limit && finish?.mayWrite ?? true
            : waited < min(limit, Self.millisecondsToDrain) && !isStopAsked
        if !isWritten, isPatient { return }
        giveUpUnwritten()
        if commitsMore(after: limit, revocation.begun, at: now) { return }
        endRevocation()
    }

    /// Commits what is owed. Returns whether that is still under way.
    private mutating func commitsMore(after limit: Int64, _ begun: Int64, at now: Int64) -> Bool {
        // Fenced: they are another's by now, who repeats what was not committed.
        if let code = commitFailure, code.meaning == .fenced, code != .rebalanceInProgress { return false }
        guard isCommitUnderWay || hasOwed, now - begun < limit else { return false }
        if now >= nextCommit { commit(at: now) }
        return true
    }

    /// Once: the rest of a message that was begun then stays.
    private mutating func giveUpUnwritten() {
        guard revocation?.hasGivenUp == false else { return }
        revocation?.hasGivenUp = true
        let (end, lines) = marks.giveUp(accepted: acceptedBytes)
        readLines -= lines
        endMarks.removeAll { $0.end > end }
        guard end < position, !plan.sabotage.contains(.keepsUnwrittenLines) else { return }
        position = end
        actions.append(.cut(to: end))
    }

    private mutating func endRevocation() {
        giveUpUnwritten()
        for number in ours where partitions[Int(number)]?.isOwed == true {
            uncommitted[number] = partitions[Int(number)]
        }
        committedBefore += partitions.reduce(0) { $0 + ($1?.committedLines ?? 0) }
        endMarks = []
        (partitions, openPartitions, newlyDone) = ([], 0, [])
        times?.removeAll()
        (revocation, member, commitFailure) = (nil, nil, nil)
        actions.append(.unassign)
    }
}
