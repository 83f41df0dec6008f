import Bytes

/// An item of a bulk body: an action line and, unless it is to be deleted, the document on the next.
struct BulkItem {
    /// The action line, with its LF.
    let action: UnsafeRawBufferPointer
    /// Both lines, each with its LF.
    let lines: UnsafeRawBufferPointer

    /// The document without its LF; for an item that has none its action line.
    var document: UnsafeRawBufferPointer {
        let document = lines.count > action.count ? lines[action.count...] : lines[...]
        return UnsafeRawBufferPointer(rebasing: document.dropLast())
    }

    /// Which document it is about: all of the action line but the action; nil where the server chooses the `_id`.
    var target: [UInt8]? {
        guard let colon = action.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        let target = Array(action[(colon + 1)...])
        return Self.names(target, member: Array("\"_id\"".utf8)) ? target : nil
    }

    /// Whether `json` has a member of this name. In a string its quotes would stand behind backslashes.
    private static func names(_ json: [UInt8], member: [UInt8]) -> Bool {
        var rest = json[...]
        while let quote = rest.firstIndex(of: UInt8(ascii: "\"")) {
            rest = rest[quote...]
            if rest.starts(with: member),
                rest.dropFirst(member.count).first(where: { $0 != 0x20 }) == UInt8(ascii: ":")
            {
                return true
            }
            rest = rest.dropFirst()
        }
        return false
    }

    /// Whether no document follows on this action line: `{"delete":…`.
    static func isWhole(action line: UnsafeRawBufferPointer) -> Bool {
        let rest = line.drop { $0 == 0x20 }.dropFirst().drop { $0 == 0x20 }
        return rest.starts(with: "\"delete\"".utf8)
    }
}

/// The items of a whole body, one after the other.
struct BulkItems {
    private let body: UnsafeRawBufferPointer
    private var scanner: LineScanner

    /// - Parameter body: whole lines, each with its LF.
    init(_ body: UnsafeRawBufferPointer) {
        self.body = body
        scanner = LineScanner(body)
    }

    mutating func next() -> BulkItem? {
        guard let first = scanner.next() else { return nil }
        let action = UnsafeRawBufferPointer(rebasing: body[first.lowerBound...first.upperBound])
        if BulkItem.isWhole(action: action) { return BulkItem(action: action, lines: action) }
        let end = scanner.next()?.upperBound ?? first.upperBound
        return BulkItem(action: action, lines: UnsafeRawBufferPointer(rebasing: body[first.lowerBound...end]))
    }
}
