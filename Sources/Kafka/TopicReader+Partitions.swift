import CRDKafka
import ToolRuntime

/// Which partitions are read, from where, and what is committed of them.
extension TopicReader {
    /// Asks for partitions: the group deals them out, or they are all ours.
    func begin(_ partitions: Int32) throws(Failure) {
        if plan.group != nil {
            let list = PartitionList(plan.topic, [(RD_KAFKA_PARTITION_UA, 0)])
            let code = rd_kafka_subscribe(client.handle, list.pointer)
            if code != RD_KAFKA_RESP_ERR_NO_ERROR { throw .kafka("cannot subscribe to \"\(plan.topic)\"", code) }
            if plan.untilEnd {
                // What is empty, or begins behind its end, is never committed.
                ends = try client.offsets(of: plan.topic, Array(0..<partitions), from: plan.start)
                    .map { $0.isEmpty ? 0 : $0.upperBound }
            } else {
                ends = Array(repeating: 0, count: Int(partitions))
            }
            return
        }
        let numbers = plan.partitions ?? Array(0..<partitions)
        for number in numbers where number >= partitions {
            throw Failure(
                .configuration, "topic \"\(plan.topic)\" has \(partitions) partitions: there is no partition \(number)")
        }
        try assign(numbers.map { ($0, nil) })
    }

    func serve(waiting milliseconds: CInt = 0) throws(Failure) {
        try client.serve(waiting: milliseconds) { event throws(Failure) in
            switch rd_kafka_event_type(event) {
            case RD_KAFKA_EVENT_REBALANCE: try rebalance(event)
            case RD_KAFKA_EVENT_OFFSET_COMMIT: noteCommit(event)
            default: return
            }
        }
    }

    // MARK: Assignment

    private func rebalance(_ event: OpaquePointer) throws(Failure) {
        switch rd_kafka_event_error(event) {
        case RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS:
            try assignFromGroup(PartitionList(copying: rd_kafka_event_topic_partition_list(event)))
        case RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS:
            try revoke()
        case let code:
            // A failed round: it must be answered before the next.
            rd_kafka_assign(client.handle, nil)
            throw .kafka("cannot be a member of the group", code)
        }
    }

    private func assignFromGroup(_ list: PartitionList) throws(Failure) {
        guard !list.entries.isEmpty else {
            rd_kafka_assign(client.handle, list.pointer)
            return
        }
        guard try lookUpCommitted(list) else {
            rd_kafka_assign(client.handle, nil)
            return
        }
        if epochs != nil { member = try client.groupMember() }
        try assign(
            list.entries.map { entry in
                let metadata = UnsafeRawBufferPointer(start: entry.metadata, count: entry.metadata_size)
                return (entry.partition, entry.offset >= 0 ? (entry.offset, EndsOfStream(metadata: metadata)) : nil)
            })
    }

    /// The group's offsets. One that a transaction holds is not known before that has ended, which may take as long as the
    /// transaction's timeout if whoever began it was killed. Returns false if a signal asks for the end meanwhile.
    private func lookUpCommitted(_ list: PartitionList) throws(Failure) -> Bool {
        let deadline = Client.monotonicMilliseconds() + max(10_000, commitMilliseconds - 5000)
        while true {
            var code = rd_kafka_committed(client.handle, list.pointer, 5000)
            for entry in list.entries where code == RD_KAFKA_RESP_ERR_NO_ERROR { code = entry.err }
            if code == RD_KAFKA_RESP_ERR_NO_ERROR { return true }
            if Signals.isAsked { return false }
            let isPending = code == RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT || code == RD_KAFKA_RESP_ERR__TIMED_OUT
            guard isPending, Client.monotonicMilliseconds() < deadline else {
                throw .kafka("cannot look up the group's offsets", code)
            }
        }
    }

    private func assign(_ partitions: [(number: Int32, stored: (offset: Int64, ends: EndsOfStream)?)]) throws(Failure) {
        let numbers = partitions.map(\.number)
        let there = try client.offsets(of: plan.topic, numbers, from: plan.start)
        var starts: [(Int32, Int64)] = []
        for (place, (number, stored)) in partitions.enumerated() {
            let start = stored?.offset ?? there[place].lowerBound
            let queue: OpaquePointer = rd_kafka_queue_get_partition(client.handle, plan.topic, number)
            rd_kafka_queue_forward(queue, messages)
            var state = PartitionState(queue: queue, committed: stored?.offset, ends: stored?.ends ?? EndsOfStream())
            if plan.untilEnd { state.end = plan.group == nil ? there[place].upperBound : ends[Int(number)] }
            if let own = uncommitted.removeValue(forKey: number), own.committed == stored?.offset {
                // Ours again, and nobody has got on in between: what was printed need not come twice.
                (state.accepted, state.ends) = (own.accepted, own.ends)
                state.acceptedLines = own.acceptedLines - own.committedLines
            }
            intake.pointee.begin(number, state, at: state.accepted ?? start)
            starts.append((number, state.accepted ?? start))
        }
        let list = PartitionList(plan.topic, starts)
        let code = rd_kafka_assign(client.handle, list.pointer)
        if code != RD_KAFKA_RESP_ERR_NO_ERROR { throw .kafka("cannot take partitions", code) }
        try beginRestore(numbers, of: ends.count)
    }

    /// The group takes the partitions away: what was read of them is written and committed first, so that their next
    /// owner neither misses nor repeats a line. If standard output stays blocked, or if the partitions are another's
    /// already, what waits here is left to it.
    private func revoke() throws(Failure) {
        if epochs != nil {
            try finishEpochs()
        } else if rd_kafka_assignment_lost(client.handle) == 0 {
            let deadline = Client.monotonicMilliseconds() + Self.millisecondsToDrain
            while try !intake.pointee.write(), Client.monotonicMilliseconds() < deadline, !Signals.isAsked { wait(50) }
            do throws(Failure) {
                try commitAndWait(Self.millisecondsToCommit)
            } catch  where error.status == .tryAgain {
                // They are another's by now, who repeats what was not committed.
            }
        }
        for (number, state) in intake.pointee.partitions.enumerated() {
            guard let state else { continue }
            rd_kafka_queue_destroy(state.queue)
            if state.accepted != nil, state.accepted != state.committed { uncommitted[Int32(number)] = state }
        }
        committedBefore += intake.pointee.partitions.reduce(0) { $0 + ($1?.committedLines ?? 0) }
        intake.pointee.endAll()
        rd_kafka_assign(client.handle, nil)
    }

    // MARK: Commits

    /// Begins to commit what standard output has accepted, if that has moved and no commit is under way.
    func commit() {
        guard plan.group != nil, !isCommitUnderWay else { return }
        let moved = intake.pointee.moved
        guard !moved.isEmpty else { return }
        let list = PartitionList(plan.topic, moved.map { ($0.number, $0.next) })
        for (place, entry) in moved.enumerated() { list.set(metadata: entry.ends.metadata, at: place) }
        let code = rd_kafka_commit_queue(client.handle, list.pointer, client.events, nil, nil)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { return commitFailure = code }
        isCommitUnderWay = true
        intake.pointee.noteCommitBegun()
    }

    private func noteCommit(_ event: OpaquePointer) {
        isCommitUnderWay = false
        let code = rd_kafka_event_error(event)
        commitFailure = code == RD_KAFKA_RESP_ERR_NO_ERROR ? nil : code
        guard let list = rd_kafka_event_topic_partition_list(event) else { return }
        for place in 0..<Int(list.pointee.cnt) {
            let entry = list.pointee.elems[place]
            if entry.err != RD_KAFKA_RESP_ERR_NO_ERROR { commitFailure = commitFailure ?? entry.err }
            guard code == RD_KAFKA_RESP_ERR_NO_ERROR, entry.err == RD_KAFKA_RESP_ERR_NO_ERROR, entry.offset >= 0 else {
                continue
            }
            intake.pointee.noteCommitted(entry.partition, next: entry.offset)
        }
    }

    /// Commits all that standard output has accepted.
    func commitAndWait(_ milliseconds: Int64) throws(Failure) {
        guard plan.group != nil else { return }
        let deadline = Client.monotonicMilliseconds() + milliseconds
        commitFailure = nil
        while isCommitUnderWay || !intake.pointee.moved.isEmpty {
            commit()
            try serve(waiting: 20)
            if let code = commitFailure, ExitStatus(code) != .unavailable { throw .kafka("cannot commit", code) }
            if Client.monotonicMilliseconds() >= deadline {
                throw .kafka("cannot commit", commitFailure ?? RD_KAFKA_RESP_ERR__TIMED_OUT, client.lastComplaint)
            }
        }
    }

    // MARK: The end

    /// Whether all partitions of the topic are done, as far as their readers have committed.
    func isGroupDone() throws(Failure) -> Bool {
        let list = PartitionList(plan.topic, ends.indices.map { (Int32($0), 0) })
        guard rd_kafka_committed(client.handle, list.pointer, 5000) == RD_KAFKA_RESP_ERR_NO_ERROR else { return false }
        for entry in list.entries {
            let stored = EndsOfStream(
                metadata: UnsafeRawBufferPointer(start: entry.metadata, count: entry.metadata_size))
            // Ours are done: some end without a commit.
            if intake.pointee.isOurs(entry.partition) { continue }
            if let writers = plan.untilEndOfStream {
                guard stored.count >= writers else { return false }
                if stored.hasFailed { intake.pointee.noteFailedWriter() }
            } else if max(0, entry.offset) < ends[Int(entry.partition)] {
                return false
            }
        }
        return true
    }

    /// Tells the group that this member is gone, so that it need not wait for the session to time out.
    func leaveGroup() {
        guard plan.group != nil else { return }
        let queue: OpaquePointer = rd_kafka_queue_new(client.handle)
        // It is of the end of the process that the error objects are freed.
        guard rd_kafka_consumer_close_queue(client.handle, queue) == nil else { return }
        let deadline = Client.monotonicMilliseconds() + Self.millisecondsToCommit
        while rd_kafka_consumer_closed(client.handle) == 0, Client.monotonicMilliseconds() < deadline {
            guard let event = rd_kafka_queue_poll(queue, 50) else { continue }
            if rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE { rd_kafka_assign(client.handle, nil) }
            rd_kafka_event_destroy(event)
        }
    }
}
