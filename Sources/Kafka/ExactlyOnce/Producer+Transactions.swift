import CRDKafka
internal import Delivery
import ToolRuntime

/// Transactions: what is sent in one, and the offsets that go with it, come true together or not at all. Which step is next is
/// for `WriterSession` to say.
extension Producer {
    /// Does a step; the sending of records of our own and the wait for acknowledgements are the writer's own.
    /// - Returns: the error; nil: done.
    func carryOut(_ step: WriterSession.Step) -> WriterSession.StepError? {
        let error: OpaquePointer?
        switch step {
        // So long one call waits; what it has begun goes on with the next.
        case .initialize: error = rd_kafka_init_transactions(client.handle, 5000)
        case .begin: error = rd_kafka_begin_transaction(client.handle)
        case .sendOffsets(let offsets): error = send(offsets)
        case .commit: error = rd_kafka_commit_transaction(client.handle, -1)
        case .abort:
            takeBackQueued()
            error = rd_kafka_abort_transaction(client.handle, 5000)
        case .endOfStream, .watermark, .flush: return nil
        }
        guard let error else {
            if step == .commit { noteCommitted() }
            return nil
        }
        defer { rd_kafka_error_destroy(error) }
        var code = rd_kafka_error_code(error)
        var reason = String(cString: rd_kafka_error_string(error))
        let isFatal = rd_kafka_error_is_fatal(error) != 0
        if isFatal {
            var buffer = [CChar](repeating: 0, count: 512)
            code = rd_kafka_fatal_error(client.handle, &buffer, buffer.count)
            reason = text(of: buffer)
        }
        if code == RD_KAFKA_RESP_ERR__TIMED_OUT, let complaint = client.lastComplaint { reason += " (\(complaint))" }
        return WriterSession.StepError(
            ErrorCode(code), oneLine(reason), isRetriable: rd_kafka_error_is_retriable(error) != 0,
            requiresAbort: rd_kafka_error_txn_requires_abort(error) != 0, isFatal: isFatal)
    }

    /// The library's own abort waits until all reports have been taken, which nobody does meanwhile. What is on its way is
    /// answered first: if it came after the end of its transaction, it would hang.
    private func takeBackQueued() {
        let deadline = Client.monotonicMilliseconds() + 4000
        while underWay > 0, Client.monotonicMilliseconds() < deadline {
            rd_kafka_purge(client.handle, RD_KAFKA_PURGE_F_QUEUE)
            rd_kafka_flush(client.handle, 5)
            do throws(Failure) { try serve() } catch { return }
        }
    }

    /// The broker takes the offsets only from a member of the group.
    private func send(_ offsets: EpochOffsets) -> OpaquePointer? {
        let topic = String(decoding: offsets.topic, as: UTF8.self)
        let list = PartitionList(topic, offsets.positions.map { ($0.partition, $0.next) })
        for (place, position) in offsets.positions.enumerated() {
            list.set(metadata: position.metadata, at: place, isTerminated: true)
        }
        return offsets.member.withMetadata { metadata in
            rd_kafka_send_offsets_to_transaction(client.handle, list.pointer, metadata, -1)
        }
    }
}
