import Bytes
import CSimdjson

/// Reads what a server answers to a bulk request: a JSON object with an entry for each item, in their order.
struct BulkResponse: ~Copyable {
    private let parser = JSONParser()
    /// The position of the next item; nil: there is none.
    private var position: Int?
    /// What a response that refuses the request as a whole says.
    private var refusal: csimdjson_item?

    mutating func open(_ text: UnsafeRawBufferPointer) throws(BulkReplies.Problem) {
        (position, refusal) = (nil, nil)
        if let fault = parser.fault(in: text, onlyObjects: true) { throw .json(fault) }
        var item = csimdjson_item()
        switch csimdjson_open_reply(parser.handle, &item) {
        case csimdjson_no_item: throw .notAReply
        case csimdjson_no_more_items: (position, refusal) = (0, item)
        default: position = 1
        }
    }

    /// The next item of the response that was opened, and its position from 1; a response that refuses the request as a
    /// whole is one item with position 0. Good until the response goes.
    mutating func next() throws(BulkReplies.Problem) -> (position: Int, item: csimdjson_item)? {
        guard let position else { return nil }
        if let refusal {
            self.position = nil
            return (position, refusal)
        }
        var item = csimdjson_item()
        let step = csimdjson_next_item(parser.handle, &item)
        if step == csimdjson_no_item { throw .badItem(position) }
        self.position = step == csimdjson_no_more_items ? nil : position + 1
        return self.position.map { _ in (position, item) }
    }
}

extension csimdjson_item {
    enum Outcome: String {
        case done
        case retry
        case failed
    }

    /// See the table of `BulkReplies`.
    var outcome: Outcome {
        switch status {
        case 200...299: .done
        case 404 where action.bytes.elementsEqual("delete".utf8): .done
        case 409 where action.bytes.elementsEqual("create".utf8): .done
        case 409 where action.bytes.elementsEqual("update".utf8): .retry
        case 429, 502, 503, 504: .retry
        default: .failed
        }
    }

    /// Adds the server's error with its causes, on one line and without TABs.
    func writeReason(to text: inout [UInt8]) {
        let all = [errors.0, errors.1, errors.2, errors.3]
        for (index, error) in all.prefix(error_count).enumerated() {
            if index > 0 { text += "; ".utf8 }
            error.type.writeOnOneLine(to: &text)
            if error.type.count > 0, error.reason.count > 0 { text += ": ".utf8 }
            error.reason.writeOnOneLine(to: &text)
        }
    }
}

extension csimdjson_slice {
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }

    /// Adds the bytes, control characters as spaces.
    func writeOnOneLine(to text: inout [UInt8]) {
        for byte in bytes { text.append(byte < 0x20 || byte == 0x7F ? UInt8(ascii: " ") : byte) }
    }
}
