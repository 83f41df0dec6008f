import CBytes
import CRDKafka
internal import Delivery

/// A message of ours that the client has given back, or that it is not given with others: all that it takes to send it again.
struct ReturnedMessage {
    var value: [UInt8]
    var key: [UInt8]?
    /// nil: the time of sending.
    var timestamp: Int64?
    var headers: [Header]
    var partition: Int32
    /// Of its lines, which LF separates; none: an end-of-stream record.
    var numbers: [Int]
    /// Why it has come back.
    var code = RD_KAFKA_RESP_ERR_NO_ERROR
    var mayBeWritten = false

    init(
        value: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer?, timestamp: Int64?, headers: [Header],
        partition: Int32, numbers: [Int]
    ) {
        (self.value, self.key, self.timestamp) = (Array(value), key.map { Array($0) }, timestamp)
        (self.headers, self.partition, self.numbers) = (headers, partition, numbers)
    }

    /// One that was not sent.
    init(_ message: rd_kafka_message_t, partition: Int32) {
        self.init(
            value: UnsafeRawBufferPointer(start: message.payload, count: message.len),
            key: message.key.map { UnsafeRawBufferPointer(start: $0, count: message.key_len) }, timestamp: nil,
            headers: [], partition: partition, numbers: [Int(bitPattern: message._private)])
    }

    /// From a report of delivery.
    /// - Parameter numbers: of its lines, where they are not in a row.
    init(_ report: UnsafePointer<rd_kafka_message_t>, numbers: [Int]?) {
        let message = report.pointee
        self.init(message, partition: message.partition)
        let first = Int(bitPattern: message._private)
        let lines = first == 0 ? 0 : message.payload.map { cbytes_count($0, 0x0A, message.len) + 1 } ?? 1
        self.numbers = numbers ?? Array(first..<(first + lines))
        var kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        let time = rd_kafka_message_timestamp(report, &kind)
        timestamp = time > 0 ? time : nil
        headers = MessageRenderer.headers(of: report)
        (code, mayBeWritten) = (
            message.err, rd_kafka_message_status(report) == RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED
        )
    }

    /// The number of its first line; 0: an end-of-stream record.
    var line: Int { numbers.first ?? 0 }

    var item: Resend<ReturnedMessage>.Item {
        let bytes = TopicLimits.batchBytes(
            value: value.count, key: key?.count, headers: headers.map { ($0.name.count, $0.value?.count) })
        return Resend.Item(partition: partition, lines: numbers.count, bytes: bytes, message: self)
    }

    /// Two messages with half of the lines each.
    var halves: (ReturnedMessage, ReturnedMessage) {
        let (lines, middle) = (value.split(separator: 0x0A, omittingEmptySubsequences: false), numbers.count / 2)
        var (first, second) = (self, self)
        first.value = Array(lines[..<middle].joined(separator: [0x0A]))
        second.value = Array(lines[middle...].joined(separator: [0x0A]))
        (first.numbers, second.numbers) = (Array(numbers[..<middle]), Array(numbers[middle...]))
        return (first, second)
    }
}
