public import Bytes
import CSimdjson

/// Sorts the items of a bulk body by what the server has answered to it, which is the input: one line.
///
/// What comes out is one line with four numbers, the body to be sent again, and what was refused for good:
///
///     again TAB bytes TAB done TAB failed LF        items to send again, the bytes of that body, items done and failed
///     …                                             so many bytes
///     REASON TAB DOCUMENT LF                        one line for each that failed
///
/// An item is sent again if it is to be retried, and also if it is done but stands behind one that is to be retried and
/// is about the same document: else the older would come last and stay. Which outcome is which: see `BulkReplies`.
public struct BulkResend: ~Copyable, Filter {
    public enum Problem: LineProblem {
        case reply(BulkReplies.Problem)
        case wrongCount(sent: Int, answered: Int)
        case notOneReply

        public var description: String {
            switch self {
            case .reply(let problem): problem.description
            case .wrongCount(let sent, let answered): "a response for \(answered) items, but \(sent) were posted"
            case .notOneReply: "expected one response"
            }
        }
    }

    private let body: [UInt8]
    private var response = BulkResponse()
    private var responses = 0
    private var again: [UInt8] = []
    private var failures: [UInt8] = []
    /// What the items in `again` are about.
    private var targets: Set<[UInt8]> = []
    private var counts = (again: 0, done: 0, failed: 0)

    /// - Parameter body: which was posted. A last line without LF gets one.
    public init(body: [UInt8]) { self.body = body.isEmpty || body.last == 0x0A ? body : body + [0x0A] }

    public mutating func consume(
        _ lines: Span<UInt8>, firstLine: Int, now: Moment, into output: inout Output
    ) throws(MalformedLine<Problem>) {
        try lines.withUnsafeBytes { (bytes) throws(MalformedLine<Problem>) in
            var scanner = LineScanner(bytes)
            while let line = scanner.next() {
                responses += 1
                do throws(Problem) {
                    guard responses == 1 else { throw .notOneReply }
                    try sort(UnsafeRawBufferPointer(rebasing: bytes[line]))
                } catch {
                    throw MalformedLine(number: responses, problem: error)
                }
            }
        }
    }

    private mutating func sort(_ text: UnsafeRawBufferPointer) throws(Problem) {
        // A reference of its own, so that the items may change what else is here.
        let body = body
        try body.span.withUnsafeBytes { (bytes) throws(Problem) in
            var (items, sent, answered) = (BulkItems(bytes), 0, 0)
            do throws(BulkReplies.Problem) {
                try response.open(text)
                while let (position, answer) = try response.next() {
                    guard position > 0 else { throw .notAReply }
                    answered = position
                    guard let item = items.next() else { continue }
                    sent += 1
                    sort(item, answer)
                }
            } catch {
                throw .reply(error)
            }
            while items.next() != nil { sent += 1 }
            guard sent == answered else { throw .wrongCount(sent: sent, answered: answered) }
        }
    }

    private mutating func sort(_ item: BulkItem, _ answer: csimdjson_item) {
        switch answer.outcome {
        case .failed:
            counts.failed += 1
            if answer.id.count > 0 {
                failures += "_id ".utf8
                answer.id.writeOnOneLine(to: &failures)
                failures += ": ".utf8
            }
            failures += "\(answer.status) ".utf8
            answer.writeReason(to: &failures)
            failures.append(UInt8(ascii: "\t"))
            failures += item.document
            failures.append(UInt8(ascii: "\n"))
        case .done where targets.isEmpty || item.target.map(targets.contains) != true: counts.done += 1
        case .done, .retry:
            counts.again += 1
            again += item.lines
            if let target = item.target { targets.insert(target) }
        }
    }

    public consuming func finish(now: Moment, into output: inout Output) throws(MalformedLine<Problem>) -> Summary {
        if responses == 0 { throw MalformedLine(number: 1, problem: .notOneReply) }
        output.lines.append("\(counts.again)\t\(again.count)\t\(counts.done)\t\(counts.failed)\n")
        again.withUnsafeBytes { output.lines.append($0) }
        failures.withUnsafeBytes { output.lines.append($0) }
        var summary = Summary()
        summary.add("done", counts.done)
        summary.add("retry", counts.again)
        summary.add("failed", counts.failed)
        return summary
    }
}
