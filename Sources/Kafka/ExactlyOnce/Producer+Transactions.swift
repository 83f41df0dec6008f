import CRDKafka
import ToolRuntime

/// Transactions: what is sent in one, and the offsets that go with it, come true together or not at all.
extension Producer {
    /// Ends what an earlier process with this transactional id has left open, and shuts that process out.
    func beginTransactions() throws(Failure) {
        try transact("cannot begin transactions") { rd_kafka_init_transactions($0, -1) }
    }

    func beginTransaction() throws(Failure) {
        guard !isInTransaction else { return }
        try transact("cannot begin a transaction") { rd_kafka_begin_transaction($0) }
        isInTransaction = true
    }

    /// - Parameter offsets: how far the input of these lines goes; the broker takes them only from a member of the group.
    func commitTransaction(_ offsets: EpochOffsets? = nil) throws(Failure) {
        try beginTransaction()
        try flush()
        if let (line, failure) = firstFailure {
            throw Failure(failure.status, "line \(line): \(failure.message); its transaction is not committed")
        }
        if let offsets { try send(offsets) }
        try transact("cannot commit") { rd_kafka_commit_transaction($0, -1) }
        isInTransaction = false
        noteCommitted()
    }

    private func send(_ offsets: EpochOffsets) throws(Failure) {
        let topic = String(decoding: offsets.topic, as: UTF8.self)
        let list = PartitionList(topic, offsets.positions.map { ($0.partition, $0.next) })
        for (place, position) in offsets.positions.enumerated() {
            list.set(metadata: position.ends.metadata, at: place, isTerminated: true)
        }
        try offsets.member.withMetadata { metadata throws(Failure) in
            try transact("cannot commit the offsets of \"\(topic)\"") {
                rd_kafka_send_offsets_to_transaction($0, list.pointer, metadata, -1)
            }
        }
    }

    /// Gives up what is open, so that readers need not wait until the broker does so. If that fails, it will.
    func abortTransaction() {
        guard isInTransaction else { return }
        isInTransaction = false
        if let error = rd_kafka_abort_transaction(client.handle, 5000) { rd_kafka_error_destroy(error) }
    }

    /// Does a step, again where librdkafka says that it may be done at once.
    private func transact(_ attempt: String, _ step: (OpaquePointer) -> OpaquePointer?) throws(Failure) {
        for turn in 0... {
            guard let error = step(client.handle) else { return }
            defer { rd_kafka_error_destroy(error) }
            var code = rd_kafka_error_code(error)
            var reason = String(cString: rd_kafka_error_string(error))
            if rd_kafka_error_is_retriable(error) != 0, turn < 3, !Signals.isAsked { continue }
            if rd_kafka_error_is_fatal(error) != 0 {
                var text = [CChar](repeating: 0, count: 512)
                code = rd_kafka_fatal_error(client.handle, &text, text.count)
                reason = Kafka.text(of: text)
            }
            let failure = Failure.kafka(attempt, code, reason)
            let isAborted = rd_kafka_error_is_fatal(error) != 0 || rd_kafka_error_txn_requires_abort(error) != 0
            throw isAborted ? failure.ofAbortedTransaction : failure
        }
    }
}
