/// A value to print: `PATH` or `PATH:TYPE`. The last colon divides them, as in `Column`.
public struct ValuePath: Equatable, Sendable {
    /// The path as it was written; for messages.
    public let description: String
    public let type: ValueType
    /// The names that lead there; none for the whole object.
    let names: [[UInt8]]

    public init(parsing text: String) throws(PathFault) {
        var path = text[...]
        var type = ValueType.any
        if let colon = text.lastIndex(of: ":") {
            let word = String(text[text.index(after: colon)...])
            guard let named = ValueType(rawValue: word) else { throw .unknownType(word, of: text) }
            (path, type) = (text[..<colon], named)
        }
        do throws(JSONPathFault) { names = try JSONPath.names(path) } catch { throw .path(error) }
        description = String(path)
        self.type = type
    }
}

/// What a value must be. null is no value: it counts as missing, whatever the type.
public enum ValueType: String, CaseIterable, Equatable, Sendable {
    case any
    /// A number as `ColumnType.int` has it, of any length.
    case int
    case number
    case string
    case bool
    /// A string that is an RFC 3339 date-time.
    case time

    /// As it appears in a message: "field "status" is not …".
    var noun: String {
        switch self {
        case .any: "a value"
        case .int: "an int"
        case .number: "a number"
        case .string: "a string"
        case .bool: "true or false"
        case .time: "an RFC 3339 time"
        }
    }
}

/// What is wrong with the command line's paths, or with the word for what is missing.
public enum PathFault: Error, Equatable, Sendable, CustomStringConvertible {
    case path(JSONPathFault)
    case unknownType(String, of: String)
    case typeOfEach(String)
    case badWord
    case noPaths

    public var description: String {
        switch self {
        case .path(let fault): fault.description
        case .unknownType(let word, let text):
            "\"\(text)\": unknown type \"\(word)\": expected "
                + ValueType.allCases.map(\.rawValue).joined(separator: ", ")
        case .typeOfEach(let path): "--each \(path): an array has no type of its own"
        case .badWord: "--missing: a field has no TAB and no LF"
        case .noPaths: "no paths: name the values that each line is to give, in order"
        }
    }
}
