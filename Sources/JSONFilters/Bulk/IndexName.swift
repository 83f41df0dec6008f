/// The name of an index, which may take dates and values from the document: `logs-{time:yyyy.MM.dd}`, `{site}-hits`.
///
/// `{field}` is the value of a field, `{field:format}` the date in a field in a `DateFormat`. `{{` and `}}` stand for
/// single braces.
public struct IndexName: Equatable, Sendable {
    enum Part: Equatable {
        case literal([UInt8])
        case value(FieldPath)
        case date(FieldPath, DateFormat)
    }

    let parts: [Part]

    public init(parsing text: String) throws(BulkUsage) {
        var parts: [Part] = []
        var literal: [UInt8] = []
        var rest = text[...]
        while let first = rest.popFirst() {
            if first == "{", rest.first != "{" {
                if !literal.isEmpty { parts.append(.literal(literal)) }
                literal = []
                parts.append(try Self.placeholder(&rest, of: text))
            } else {
                if first == "{" || first == "}" {
                    guard rest.popFirst() == first else {
                        throw .badIndex(text, "a } without {; for the character write }}")
                    }
                }
                literal += String(first).utf8
            }
        }
        if !literal.isEmpty { parts.append(.literal(literal)) }
        if parts.isEmpty { throw .badIndex(text, "expected a name") }
        self.parts = parts
    }

    /// What follows a brace.
    private static func placeholder(_ rest: inout Substring, of text: String) throws(BulkUsage) -> Part {
        let path = try FieldPath(parsing: &rest, upTo: [":", "}"])
        switch rest.popFirst() {
        case "}": return .value(path)
        case ":":
            let format = String(rest.prefix { $0 != "}" })
            rest.removeFirst(format.count)
            guard rest.popFirst() == "}" else { break }
            guard let format = DateFormat(parsing: format) else {
                throw .badIndex(text, "the letters of a date are \(DateFormat.letters)")
            }
            return .date(path, format)
        default: break
        }
        throw .badIndex(text, "a { without }; for the character write {{")
    }
}
