import CRDKafka
internal import Delivery

/// A message without a value that is no line: kcat-out has written it for kcat-in, and its headers say what it is.
enum OwnRecord {
    /// The input of a writer has ended, and how; its name, if it has one.
    case endOfStream(isOK: Bool, writer: [UInt8]?)
    case watermark(WatermarkRecord)

    /// nil: it is a line.
    init?(_ message: UnsafeMutablePointer<rd_kafka_message_t>) {
        let headers = MessageRenderer.headers(of: message)
        func header(_ name: String) -> Header? { headers.first { $0.name.elementsEqual(name.utf8) } }
        if let end = header(EndOfStream.header) {
            let isOK = end.value?.elementsEqual(EndOfStream.ok.utf8) ?? false
            self = .endOfStream(isOK: isOK, writer: header(EndOfStream.writer)?.value)
        } else if let text = header(WatermarkRecord.header)?.value, let record = WatermarkRecord(value: text) {
            self = .watermark(record)
        } else {
            return nil
        }
    }
}
