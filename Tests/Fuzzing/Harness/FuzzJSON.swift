import JSONFilters
import TestSupport

private func split(_ lines: [UInt8]) -> [[UInt8]] {
    lines.split(separator: 0x0A, omittingEmptySubsequences: false).dropLast().map(Array.init)
}

/// Text as a JSON string.
@Sendable func fuzzJSONString(_ input: [UInt8]) {
    let text = input.filter { $0 != 0x0A && $0 != 0x09 }
    guard let filter = try? ToJSON(columns: [Column(parsing: "text")]),
        let written = try? run(filter, text + [0x0A], reads: [7, 64])
    else { preconditionFailure("a text is no JSON string") }
    precondition(written.lines == Array("{\"text\":\"".utf8) + ReferenceJSON.escaped(text) + Array("\"}\n".utf8))
}

/// Bulk input: what is one JSON object passes byte for byte, blank lines are passed over, anything else is rejected.
@Sendable func fuzzBulk(_ input: [UInt8]) {
    let lines = input.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
        .filter { !$0.allSatisfy { [0x20, 0x09, 0x0D].contains($0) } }
    let (good, bad) = (lines.filter { ReferenceJSON.isObject($0) }, lines.filter { !ReferenceJSON.isObject($0) })
    do {
        let plain = try run(Bulk(BulkRequest()), input + [0x0A], reads: [5, 300], rejecting: true)
        let written = split(plain.lines).filter { !$0.isEmpty }
        precondition(written.count == 2 * good.count)
        for (index, document) in good.enumerated() { precondition(written[2 * index + 1] == document) }
        precondition(split(plain.rejects).count == bad.count)

        // With fields out of the document: an action line is JSON whatever they hold.
        let request = try BulkRequest(
            index: IndexName(parsing: "i-{a}"), id: FieldPath.list(parsing: "b,c.d"), routing: FieldPath(parsing: "e"))
        let named = try run(Bulk(request), input + [0x0A], reads: [9, 300], rejecting: true)
        let actions = split(named.lines).filter { !$0.isEmpty }
        precondition(actions.count % 2 == 0 && actions.allSatisfy { ReferenceJSON.isObject($0) })
        precondition(actions.count / 2 + split(named.rejects).count == lines.count)
    } catch {
        preconditionFailure("\(error)")
    }
}

/// Bulk responses: an item is a line of five fields.
@Sendable func fuzzReplies(_ input: [UInt8]) {
    guard let written = try? run(BulkReplies(), input + [0x0A], reads: [5, 300], rejecting: true) else {
        preconditionFailure("a response that is malformed is to be rejected")
    }
    for line in split(written.lines) {
        let fields = line.split(separator: 0x09, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        precondition(fields.count == 5)
        precondition(
            Int(fields[0]) != nil && ["done", "retry", "failed", "halt"].contains(fields[1]) && Int64(fields[2]) != nil)
    }
    for line in input.split(separator: 0x0A, omittingEmptySubsequences: false)
    where !ReferenceJSON.isObject(Array(line)) {
        precondition(!written.rejects.isEmpty)
    }
}
