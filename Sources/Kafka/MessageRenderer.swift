import Bytes
import CBytes
import CRDKafka
import ToolRuntime

/// Turns a message into lines.
struct MessageRenderer {
    let with: [MessageField]
    let embeddedLF: ReadPlan.EmbeddedLF

    /// Appends the lines of `message`, at most `limit`. Returns how many, and whether these are all of them.
    mutating func append(
        _ message: UnsafeMutablePointer<rd_kafka_message_t>, to buffer: inout [UInt8], limit: Int
    ) throws(Failure) -> (count: Int, isWhole: Bool) {
        let value = UnsafeRawBufferPointer(start: message.pointee.payload, count: message.pointee.len)
        if with.isEmpty, value.baseAddress.map({ cbytes_first($0, 0x0A, value.count) == value.count }) ?? true {
            buffer.append(contentsOf: value)
            buffer.append(0x0A)
            return (1, true)
        }
        let front = fields(message)
        switch embeddedLF {
        case .split:
            var count = 0
            for line in value.split(separator: 0x0A, omittingEmptySubsequences: false) {
                if count == limit { return (count, false) }
                buffer += front
                buffer.append(contentsOf: UnsafeRawBufferPointer(rebasing: line))
                buffer.append(0x0A)
                count += 1
            }
            return (count, true)
        case .escape:
            buffer += front
            for byte in value {
                switch byte {
                case 0x0A: buffer += Array("\\n".utf8)
                case UInt8(ascii: "\\"): buffer += Array("\\\\".utf8)
                default: buffer.append(byte)
                }
            }
            buffer.append(0x0A)
        case .fail:
            guard !value.contains(0x0A) else {
                throw Failure(
                    .malformedData,
                    "partition \(message.pointee.partition), offset \(message.pointee.offset): the message holds a line end")
            }
            buffer += front
            buffer.append(contentsOf: value)
            buffer.append(0x0A)
        }
        return (1, true)
    }

    /// The `--with` fields, each with its TAB.
    private func fields(_ message: UnsafeMutablePointer<rd_kafka_message_t>) -> [UInt8] {
        var text: [UInt8] = []
        for field in with {
            switch field {
            case .key:
                if let key = message.pointee.key {
                    Escape.write(UnsafeRawBufferPointer(start: key, count: message.pointee.key_len), to: &text)
                } else {
                    text += Escape.missing
                }
            case .partition: text += Array(String(message.pointee.partition).utf8)
            case .offset: text += Array(String(message.pointee.offset).utf8)
            case .timestamp:
                var type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
                let time = rd_kafka_message_timestamp(message, &type)
                if type != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE { text += Array(String(time).utf8) }
            case .headers: Header.write(Self.headers(of: message), to: &text)
            }
            text.append(0x09)
        }
        return text
    }

    private static func headers(of message: UnsafeMutablePointer<rd_kafka_message_t>) -> [Header] {
        var list: OpaquePointer?
        guard rd_kafka_message_headers(message, &list) == RD_KAFKA_RESP_ERR_NO_ERROR, let list else { return [] }
        var headers: [Header] = []
        var (name, value, size): (UnsafePointer<CChar>?, UnsafeRawPointer?, Int) = (nil, nil, 0)
        while rd_kafka_header_get_all(list, headers.count, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR {
            let bytes = value.map { Array(UnsafeRawBufferPointer(start: $0, count: size)) }
            headers.append(Header(name: name.map { Array(String(cString: $0).utf8) } ?? [], value: bytes))
        }
        return headers
    }

    /// nil: not an end-of-stream record. Else whether that writer's input ended well.
    static func endOfStream(_ message: UnsafeMutablePointer<rd_kafka_message_t>) -> Bool? {
        let header = headers(of: message).first { $0.name.elementsEqual(EndOfStream.header.utf8) }
        return header.map { $0.value?.elementsEqual(EndOfStream.ok.utf8) ?? false }
    }
}
