import CRDKafka
internal import Delivery
import ToolRuntime

/// A client beside the producer's that sends pieces of which each is one batch, and waits for all answers.
final class SingleBatches {
    let client: Client
    private let topic: OpaquePointer

    /// The most bytes of a piece of several messages.
    static let bytesAtOnce = 256 << 10

    init(_ producer: Settings, _ name: String) throws(Failure) {
        var settings = producer
        // Nothing leaves before `send` flushes: so no piece becomes two batches.
        settings.remove("queue.buffering.max.ms")
        let patience = (settings.value(of: "message.timeout.ms") ?? settings.value(of: "delivery.timeout.ms"))
        let longest = patience.flatMap { Int($0) } ?? 300_000
        settings.replace("linger.ms", by: "\(longest == 0 ? 900_000 : min(900_000, longest / 2))")
        settings.replace("batch.num.messages", by: "10000")
        settings.replace("batch.size", by: "1000000")
        let most = settings.value(of: "message.max.bytes").flatMap { Int($0) } ?? 0
        settings.replace("message.max.bytes", by: "\(max(most, 1_000_000))")
        settings.replace("queue.buffering.max.messages", by: "1000000")
        settings.replace("delivery.report.only.error", by: "false")
        // One partition's refusal is nothing to another's, and no second batch is there that could overtake.
        settings.replace("enable.gapless.guarantee", by: "false")
        (client, topic) = try Producer.connect(settings, name)
    }

    /// - Returns: the answer to each piece; a signal bounds the wait.
    func send(
        _ pieces: [ArraySlice<Resend<ReturnedMessage>.Item>]
    ) throws(Failure) -> [rd_kafka_resp_err_t] {
        var answers = pieces.map { _ in RD_KAFKA_RESP_ERR_NO_ERROR }
        var waiting = 0
        for (number, piece) in pieces.enumerated() {
            for item in piece {
                let message = item.message
                let code = message.withBytes { value, key in
                    client.produce(
                        topic, value, key, message.partition, message.timestamp, message.headers, number + 1)
                }
                if code == RD_KAFKA_RESP_ERR_NO_ERROR { waiting += 1 } else { answers[number] = code }
            }
        }
        let deadline = Client.monotonicMilliseconds() + 5000
        while waiting > 0 {
            // It also waits for reports to be taken, which comes next.
            rd_kafka_flush(client.handle, 1)
            try client.serve { event throws(Failure) in
                guard rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR else { return }
                while let message = rd_kafka_event_message_next(event)?.pointee {
                    waiting -= 1
                    // With one invalid record, the others of its batch are told so; its own error says more.
                    let number = Int(bitPattern: message._private) - 1
                    if message.err != RD_KAFKA_RESP_ERR_NO_ERROR, answers[number].rawValue <= 0 {
                        answers[number] = message.err
                    }
                }
            }
            if Signals.isAsked, Client.monotonicMilliseconds() >= deadline {
                rd_kafka_purge(client.handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
            }
        }
        return answers
    }
}

extension ReturnedMessage {
    fileprivate func withBytes<Result>(
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer?) -> Result
    ) -> Result {
        OwnFields.withAddress(of: key) { key in value.withUnsafeBytes { body($0, key) } }
    }
}
