public import Bytes
import CSimdjson

/// What became of each item of a bulk request, out of the server's responses, one JSON object a line.
///
/// One line an item, five fields, in the order of the items:
///
///     position TAB outcome TAB status TAB id TAB reason LF
///
/// `position` counts from 1 anew in every response: it is the item's place in the body that was posted. `outcome` is
/// `done`, `retry` (sent again it may pass), `failed` (it will not) or `halt` (it will when the index has been mended); which
/// is which see `BulkVerdict`. `status` is the HTTP status of the item, `id` its `_id`, `reason` the server's error with its
/// causes; either may be empty, and their control characters come out as spaces. A response that refuses the request as a
/// whole is one line with position 0.
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

    private var response = BulkResponse()
    /// What one response has come to, until all of it is found good.
    private var written: [UInt8] = []
    private var counts = (done: 0, retry: 0, failed: 0, halt: 0)

    public init() {}

    public mutating func consume(
        _ lines: Span<UInt8>, firstLine: Int, now: Moment, into output: inout Output
    ) throws(MalformedLine<Problem>) {
        try lines.withUnsafeBytes { (bytes) throws(MalformedLine<Problem>) in
            var scanner = LineScanner(bytes)
            var number = firstLine
            while let line = scanner.next() {
                let text = UnsafeRawBufferPointer(rebasing: bytes[line])
                let before = counts
                written.removeAll(keepingCapacity: true)
                do throws(Problem) {
                    try response.open(text)
                    while let (position, answer) = try response.next() { write(answer, position: position) }
                } catch {
                    counts = before
                    written.removeAll(keepingCapacity: true)
                    try output.reject(text, number: number, error)
                }
                written.withUnsafeBytes { output.lines.append($0) }
                number += 1
            }
        }
    }

    private mutating func write(_ answer: BulkAnswer, position: Int) {
        let outcome: StaticString
        switch answer.verdict(isExternal: false) {
        case .done, .superseded: (outcome, counts.done) = ("done", counts.done + 1)
        case .again, .blocked, .doubtful: (outcome, counts.retry) = ("retry", counts.retry + 1)
        case .refused: (outcome, counts.failed) = ("failed", counts.failed + 1)
        case .halt: (outcome, counts.halt) = ("halt", counts.halt + 1)
        }
        written += "\(position)\t\(outcome)\t\(answer.status)\t".utf8
        answer.item.id.writeOnOneLine(to: &written)
        written.append(UInt8(ascii: "\t"))
        answer.writeReason(to: &written)
        written.append(UInt8(ascii: "\n"))
    }

    public consuming func finish(now: Moment, into output: inout Output) -> Summary {
        var summary = Summary()
        summary.add("done", counts.done)
        summary.add("retry", counts.retry)
        summary.add("failed", counts.failed)
        summary.add("halt", counts.halt)
        return summary
    }
}
