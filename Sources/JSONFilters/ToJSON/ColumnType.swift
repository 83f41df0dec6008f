import CSimdjson

/// What a column's field must be, and how it is written.
public enum ColumnType: String, CaseIterable, Equatable, Sendable {
    /// Any bytes, written as a JSON string.
    case string
    /// `-?(0|[1-9][0-9]*)`, of any length, written as it is.
    case int
    /// A number by RFC 8259, section 6, written as it is.
    case number
    /// `true` or `false`.
    case bool
    /// Any JSON value, written as it is.
    case json

    /// As it appears in a message: "field 2 (count) is not …".
    var noun: String {
        switch self {
        case .string: "a string"
        case .int: "an int"
        case .number: "a number"
        case .bool: "true or false"
        case .json: "JSON"
        }
    }

    /// Whether a column of this type can have the field.
    @inline(__always)
    func takes(_ text: UnsafeRawBufferPointer, _ parser: borrowing JSONParser) -> Bool {
        switch self {
        case .string: true
        case .int: Self.isInt(text)
        case .number:
            // An empty text may have no address.
            text.withMemoryRebound(to: UInt8.self) {
                $0.baseAddress.map { csimdjson_is_number($0, text.count) } ?? false
            }
        case .bool: text.elementsEqual("true".utf8) || text.elementsEqual("false".utf8)
        case .json: parser.fault(in: text, onlyObjects: false) == nil
        }
    }

    @inline(__always)
    static func isInt(_ text: UnsafeRawBufferPointer) -> Bool {
        guard let first = text.first else { return false }
        let start = first == UInt8(ascii: "-") ? 1 : 0
        guard start < text.count else { return false }
        if text[start] == UInt8(ascii: "0") { return text.count == start + 1 }
        for at in start..<text.count where text[at] &- UInt8(ascii: "0") > 9 { return false }
        return true
    }
}
