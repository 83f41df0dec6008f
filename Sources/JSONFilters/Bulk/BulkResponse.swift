import Bytes
import CSimdjson

/// Reads what a server answers to a bulk request: a JSON object with an entry for each item, in their order.
package struct BulkResponse: ~Copyable {
    private let parser = JSONParser()
    /// The position of the next item; nil: there is none.
    private var position: Int?
    /// What a response that refuses the request as a whole says.
    private var refusal: csimdjson_item?

    package init() {}

    package mutating func open(_ text: UnsafeRawBufferPointer) throws(BulkReplies.Problem) {
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
    package mutating func next() throws(BulkReplies.Problem) -> (position: Int, answer: BulkAnswer)? {
        guard let position else { return nil }
        if let refusal {
            self.position = nil
            return (position, BulkAnswer(item: refusal))
        }
        var item = csimdjson_item()
        let step = csimdjson_next_item(parser.handle, &item)
        if step == csimdjson_no_item { throw .badItem(position) }
        self.position = step == csimdjson_no_more_items ? nil : position + 1
        return self.position.map { _ in (position, BulkAnswer(item: item)) }
    }
}

extension csimdjson_slice {
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }

    /// Adds the bytes, control characters as spaces.
    func writeOnOneLine(to text: inout [UInt8]) {
        for byte in bytes { text.append(byte < 0x20 || byte == 0x7F ? UInt8(ascii: " ") : byte) }
    }
}
