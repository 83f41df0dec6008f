import Bytes
import JSONFilters

/// Says what a reply means for the body that was posted. (What it means for an item: `BulkVerdict`.)
///
/// | reply | judgement |
/// |---|---|
/// | 2xx, a bulk response with an answer for each item | the items' |
/// | 2xx, anything else: cut, no JSON, another number of items, no status | again: as if it had not come |
/// | 408, 429, 502, 503, 504, 520 to 524, 403 `cluster_block_exception`; lost | again |
/// | 413; 429 that says that the request can never fit | smaller |
/// | 400, 500 | suspect: one of the documents, or the request |
/// | 401, 403 | end: not permitted |
/// | others | end |
struct ReplyJudge: ~Copyable {
    enum Judgement {
        /// See `verdicts` and `reasons`.
        case items
        /// All are done.
        case done
        case again(Trouble)
        /// - Parameter remember: whether requests of this size can never pass.
        case smaller(reason: String, remember: Bool)
        case suspect(status: Int, reason: String)
        case end(LoadFailure)
    }

    private var response = BulkResponse()
    /// Of each item, after `items`.
    private(set) var verdicts: [BulkVerdict] = []
    /// Of each that is not done, by its position: the status with the error, and its kind.
    private(set) var reasons: [Int: (reason: String, kinds: String, status: Int)] = [:]

    mutating func judge(_ reply: Reply, to body: Body) -> Judgement {
        switch reply {
        case .lost(let reason): .again(Trouble(kind: .lost, reason: reason))
        case .answered(200...299, _, let bytes): judgeItems(bytes, of: body)
        case .answered(let status, let retryAfter, let bytes): judge(status, retryAfter, bytes, body)
        }
    }

    private mutating func judgeItems(_ bytes: [UInt8], of body: Body) -> Judgement {
        verdicts.removeAll(keepingCapacity: true)
        reasons.removeAll(keepingCapacity: true)
        var (answered, allDone) = (0, true)
        do throws(BulkReplies.Problem) {
            // What the items point to is the response's own copy of the bytes.
            try bytes.span.withUnsafeBytes { (text) throws(BulkReplies.Problem) in try response.open(text) }
            while let (position, item) = try response.next() {
                guard position > 0 else { throw .notAReply }
                answered = position
                guard position <= body.items.count else { continue }
                let verdict = item.verdict(isExternal: body.items[position - 1].isExternal)
                verdicts.append(verdict)
                if verdict == .done { continue }
                allDone = false
                if verdict != .superseded { reasons[position - 1] = (Self.text(item), item.kinds, item.status) }
            }
        } catch {
            return .again(Trouble(kind: .unreadable, reason: "not the answer of a search server: \(error)"))
        }
        guard answered == body.items.count else {
            let reason = "a response for \(answered) items, but \(body.items.count) were posted"
            return .again(Trouble(kind: .unreadable, reason: reason))
        }
        return allDone ? .done : .items
    }

    private mutating func judge(_ status: Int, _ retryAfter: Int, _ bytes: [UInt8], _ body: Body) -> Judgement {
        let error = wholeError(bytes)
        let reason = "\(status)" + (error.map { " " + Self.errorText($0) } ?? Self.excerpt(bytes))
        switch status {
        case 413: return .smaller(reason: "413 too large for the server", remember: true)
        case 429:
            if let remember = error.flatMap({ neverFits($0, body) }) {
                return .smaller(reason: reason, remember: remember)
            }
            return .again(Trouble(kind: .busy, reason: reason, retryAfter: retryAfter))
        case _ where BulkAnswer.passes(status):
            return .again(Trouble(kind: .unavailable, reason: reason, retryAfter: retryAfter))
        case 403 where error?.hasError("cluster_block_exception") == true:
            return .again(Trouble(kind: .blocked, reason: reason))
        case 401, 403: return .end(.notPermitted(reason: reason))
        case 400, 500: return .suspect(status: status, reason: reason)
        default: return .end(.request(status: status, reason: reason))
        }
    }

    /// The error of a request that was refused as a whole; nil where the body has none to be read. Good until the next.
    private mutating func wholeError(_ bytes: [UInt8]) -> BulkAnswer? {
        do throws(BulkReplies.Problem) {
            try bytes.span.withUnsafeBytes { (text) throws(BulkReplies.Problem) in try response.open(text) }
            guard let (position, item) = try response.next(), position == 0 else { return nil }
            return item
        } catch {
            return nil
        }
    }

    /// Whether the figures of a 429 say that this request does not fit, and if so, whether requests of its size never will;
    /// nil: no such figures.
    private func neverFits(_ error: BulkAnswer, _ body: Body) -> Bool? {
        if error.bytesWanted > 0, error.bytesLimit > 0, error.bytesWanted > error.bytesLimit {
            // What is wanted counts other requests as well.
            return body.count > error.bytesLimit
        }
        let text = Self.errorText(error)
        guard let wanted = Self.number(after: "coordinating_operation_bytes=", in: text),
            let limit = Self.number(after: "max_coordinating_and_primary_bytes=", in: text), wanted > limit
        else { return nil }
        return true
    }

    private static func number(after name: String, in text: String) -> Int? {
        let (text, name) = (Array(text.utf8), Array(name.utf8))
        guard text.count > name.count else { return nil }
        for start in 0..<text.count - name.count where text[start..<start + name.count] == name[...] {
            let digits = text[(start + name.count)...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            return Int(String(decoding: digits, as: UTF8.self))
        }
        return nil
    }

    private static func errorText(_ item: BulkAnswer) -> String {
        var text: [UInt8] = []
        item.writeReason(to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    private static func text(_ item: BulkAnswer) -> String { "\(item.status) \(errorText(item))" }

    /// The beginning of what is no error in JSON, on one line.
    private static func excerpt(_ bytes: [UInt8]) -> String {
        let text = bytes.prefix(200).map { $0 < 0x20 || $0 == 0x7F ? 0x20 : $0 }
        return text.isEmpty ? "" : " " + String(decoding: text, as: UTF8.self)
    }
}
