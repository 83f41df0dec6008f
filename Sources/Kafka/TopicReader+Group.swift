import CRDKafka
internal import Delivery
import ToolRuntime

/// librdkafka's side of the assignment, of commits, and of the group.
extension TopicReader {
    func serve() throws(Failure) {
        try client.serve { complaint throws(Failure) in
            self.handle(
                .clientFailed(
                    ErrorCode(complaint.code),
                    complaint.isHopeless(afterContact: false)
                        ? "\(complaint.code.attempt): \(complaint.text)" : complaint.text,
                    isFatal: complaint.isFatal))
        } _: { event throws(Failure) in
            switch rd_kafka_event_type(event) {
            case RD_KAFKA_EVENT_REBALANCE: try self.rebalance(event)
            case RD_KAFKA_EVENT_OFFSET_COMMIT: self.noteCommit(event)
            default: return
            }
        }
        // It may be lost while what was read of it is still on its way.
        if intake.pointee.session.isGivingBack, rd_kafka_assignment_lost(client.handle) != 0 {
            handle(.revoked(isLost: true))
        }
    }

    private func rebalance(_ event: OpaquePointer) throws(Failure) {
        switch rd_kafka_event_error(event) {
        case RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS:
            let list = PartitionList(copying: rd_kafka_event_topic_partition_list(event))
            let member = plan.epochMilliseconds == nil || list.entries.isEmpty ? nil : try client.groupMember()
            handle(.assigned(list.entries.map(\.partition), member))
        case RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS:
            ordered?.finishBegun(intake)
            handle(.revoked(isLost: rd_kafka_assignment_lost(client.handle) != 0))
        case let code:
            // A failed round: it must be answered before the next.
            rd_kafka_assign(client.handle, nil)
            let text = "cannot be a member of the group: \(String(cString: rd_kafka_err2str(code)))"
            handle(.clientFailed(ErrorCode(code), text, isFatal: ErrorCode(code).meaning != .passes))
        }
    }

    func subscribe() throws(Failure) {
        let list = PartitionList(plan.topic, [(RD_KAFKA_PARTITION_UA, 0)])
        let code = rd_kafka_subscribe(client.handle, list.pointer)
        if code != RD_KAFKA_RESP_ERR_NO_ERROR { throw .kafka("cannot subscribe to \"\(plan.topic)\"", code) }
    }

    func assign(_ starts: [Int32: Int64]) throws(Failure) {
        for number in starts.keys where queues[number] == nil && ordered?.has(number) != true {
            let queue: OpaquePointer = rd_kafka_queue_get_partition(client.handle, plan.topic, number)
            if plan.timeOrder == nil {
                rd_kafka_queue_forward(queue, messages)
                queues[number] = queue
            } else {
                // It is not forwarded to the client's own queue, either.
                rd_kafka_queue_forward(queue, nil)
                client.wake(on: queue)
                ordered?.add(number, queue, at: Client.monotonicMilliseconds())
            }
        }
        let list = PartitionList(plan.topic, starts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        let code = rd_kafka_assign(client.handle, list.pointer)
        if code != RD_KAFKA_RESP_ERR_NO_ERROR { throw .kafka("cannot take partitions", code) }
        // Those that were done before, but whose lines were given up, are still paused.
        rd_kafka_resume_partitions(client.handle, list.pointer)
    }

    func pause(_ numbers: [Int32]) {
        let list = PartitionList(plan.topic, numbers.map { ($0, 0) })
        rd_kafka_pause_partitions(client.handle, list.pointer)
    }

    func unassign() {
        for queue in queues.values { rd_kafka_queue_destroy(queue) }
        queues = [:]
        ordered?.removeAll()
        rd_kafka_assign(client.handle, nil)
    }

    func commit(_ positions: [Position]) {
        let list = PartitionList(plan.topic, positions.map { ($0.partition, $0.next) })
        for (place, position) in positions.enumerated() { list.set(metadata: position.metadata, at: place) }
        let code = rd_kafka_commit_queue(client.handle, list.pointer, client.events, nil, nil)
        if code != RD_KAFKA_RESP_ERR_NO_ERROR { handle(.committed([:], ErrorCode(code))) }
    }

    private func noteCommit(_ event: OpaquePointer) {
        let code = rd_kafka_event_error(event)
        var failure = code == RD_KAFKA_RESP_ERR_NO_ERROR ? nil : ErrorCode(code)
        var committed: [Int32: Int64] = [:]
        if let list = rd_kafka_event_topic_partition_list(event) {
            for place in 0..<Int(list.pointee.cnt) {
                let entry = list.pointee.elems[place]
                if entry.err != RD_KAFKA_RESP_ERR_NO_ERROR {
                    failure = failure ?? ErrorCode(entry.err)
                } else if code == RD_KAFKA_RESP_ERR_NO_ERROR, entry.offset >= 0 {
                    committed[entry.partition] = entry.offset
                }
            }
        }
        handle(.committed(committed, failure))
    }

    /// Tells the group that this member is gone, so that it need not wait for the session to time out.
    func leaveGroup() {
        guard plan.group != nil else { return }
        let queue: OpaquePointer = rd_kafka_queue_new(client.handle)
        // It is of the end of the process that the error objects are freed.
        guard rd_kafka_consumer_close_queue(client.handle, queue) == nil else { return }
        let deadline = Client.monotonicMilliseconds() + 5000
        while rd_kafka_consumer_closed(client.handle) == 0, Client.monotonicMilliseconds() < deadline {
            guard let event = rd_kafka_queue_poll(queue, 50) else { continue }
            if rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE { rd_kafka_assign(client.handle, nil) }
            rd_kafka_event_destroy(event)
        }
    }
}
