public import Bytes
import CSimdjson

/// What became of each item of a bulk request, out of the server's responses, one JSON object a line.
///
/// One line an item, five fields, in the order of the items:
///
///     position TAB outcome TAB status TAB id TAB reason LF
///
/// `position` counts from 1 anew in every response: it is the item's place in the body that was posted. `outcome` is
/// `done`, `retry` (sent again it may pass) or `failed` (it will not). `status` is the HTTP status of the item, `id` its
/// `_id`, `reason` the server's error with its causes; either may be empty, and their control characters come out as
/// spaces. A response that refuses the request as a whole is one line with position 0.
///
/// | status | outcome |
/// |---|---|
/// | 200 to 299 | done |
/// | 409 of a create: the document is there already | done |
/// | 404 of a delete: it is gone already | done |
/// | 409 of an update: another one came between | retry |
/// | 429, 502, 503, 504 | retry |
/// | all others | failed |
public struct BulkReplies: ~Copyable, Filter {
    public enum Problem: LineProblem {
        case json(JSONFault)
        case notAReply
        case badItem(Int)

        public var description: String {
            switch self {
            case .json(let fault): "\(Bulk.Problem.json(fault))"
            case .notAReply: "not a bulk response: it has no items, and no error with a status"
            case .badItem(let position): "not a bulk response: item \(position) is not one action with a status"
            }
        }
    }

    enum Outcome: String {
        case done
        case retry
        case failed

        init(status: Int64, action: UnsafeRawBufferPointer) {
            self =
                switch status {
                case 200...299: .done
                case 404 where action.elementsEqual("delete".utf8): .done
                case 409 where action.elementsEqual("create".utf8): .done
                case 409 where action.elementsEqual("update".utf8): .retry
                case 429, 502, 503, 504: .retry
                default: .failed
                }
        }
    }

    private let parser = JSONParser()
    /// What one response has come to, until all of it is found good.
    private var written: [UInt8] = []
    private var counts = (done: 0, retry: 0, failed: 0)

    public init() {}

    public mutating func consume(
        _ lines: Span<UInt8>, firstLine: Int, now: Moment, into output: inout Output
    ) throws(MalformedLine<Problem>) {
        try lines.withUnsafeBytes { (bytes) throws(MalformedLine<Problem>) in
            var scanner = LineScanner(bytes)
            var number = firstLine
            while let line = scanner.next() {
                let response = UnsafeRawBufferPointer(rebasing: bytes[line])
                let before = counts
                written.removeAll(keepingCapacity: true)
                if let problem = read(response) {
                    counts = before
                    try output.reject(response, number: number, problem)
                } else {
                    written.withUnsafeBytes { output.lines.append($0) }
                }
                number += 1
            }
        }
    }

    private mutating func read(_ response: UnsafeRawBufferPointer) -> Problem? {
        if let fault = parser.fault(in: response, onlyObjects: true) { return .json(fault) }
        var item = csimdjson_item()
        switch csimdjson_open_reply(parser.handle, &item) {
        case csimdjson_no_item: return .notAReply
        case csimdjson_no_more_items: write(item, position: 0)
        default:
            var position = 1
            while true {
                let step = csimdjson_next_item(parser.handle, &item)
                if step == csimdjson_no_more_items { break }
                if step == csimdjson_no_item { return .badItem(position) }
                write(item, position: position)
                position += 1
            }
        }
        return nil
    }

    private mutating func write(_ item: csimdjson_item, position: Int) {
        let outcome = Outcome(status: item.status, action: item.action.bytes)
        switch outcome {
        case .done: counts.done += 1
        case .retry: counts.retry += 1
        case .failed: counts.failed += 1
        }
        written += "\(position)\t\(outcome.rawValue)\t\(item.status)\t".utf8
        add(item.id)
        written.append(UInt8(ascii: "\t"))
        let errors = [item.errors.0, item.errors.1, item.errors.2, item.errors.3]
        for (index, error) in errors.prefix(item.error_count).enumerated() {
            if index > 0 { written += "; ".utf8 }
            add(error.type)
            if error.type.count > 0, error.reason.count > 0 { written += ": ".utf8 }
            add(error.reason)
        }
        written.append(UInt8(ascii: "\n"))
    }

    private mutating func add(_ text: csimdjson_slice) {
        for byte in text.bytes { written.append(byte < 0x20 || byte == 0x7F ? UInt8(ascii: " ") : byte) }
    }

    public consuming func finish(now: Moment, into output: inout Output) -> Summary {
        var summary = Summary()
        summary.add("done", counts.done)
        summary.add("retry", counts.retry)
        summary.add("failed", counts.failed)
        return summary
    }
}

extension csimdjson_slice {
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }
}
