/// Where a value is in a JSON object, and what it must be: `PATH` or `PATH:TYPE`.
///
/// Names and array indexes, joined by dots (`request.path`, `items.0.id`); or a JSON Pointer (RFC 6901), which begins with
/// a slash, for names that have dots or colons of their own (`/a.b/c~1d`). `.` is the whole object. The last colon divides
/// the path from the type, as in `Column`.
public struct ValuePath: Equatable, Sendable {
    /// As it was written, without its type; for messages.
    public let description: String
    public let type: ValueType
    /// The names that lead there; none for the whole object.
    let names: [[UInt8]]

    public init(parsing text: String) throws(PathFault) {
        guard let colon = text.lastIndex(of: ":") else {
            (description, type) = (text, .any)
            names = try Self.names(text)
            return
        }
        let word = String(text[text.index(after: colon)...])
        guard let type = ValueType(rawValue: word) else { throw .unknownType(word, of: text) }
        self.type = type
        description = String(text[..<colon])
        names = try Self.names(description)
    }

    private static func names(_ path: String) throws(PathFault) -> [[UInt8]] {
        if path == "." { return [] }
        if path.hasPrefix("/") {
            return try path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropFirst()
                .map { (token) throws(PathFault) in try unescaped(Array(token), of: path) }
        }
        let names = path.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map { Array($0) }
        if names.contains([]) { throw .emptyName(path) }
        return names
    }

    /// `~1` is a slash and `~0` a tilde: RFC 6901, section 4.
    private static func unescaped(_ token: [UInt8], of path: String) throws(PathFault) -> [UInt8] {
        var name: [UInt8] = []
        var rest = token[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "~") else {
                name.append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "0"): name.append(UInt8(ascii: "~"))
            case UInt8(ascii: "1"): name.append(UInt8(ascii: "/"))
            default: throw .badPointer(path)
            }
        }
        return name
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

/// What is wrong with a path.
public enum PathFault: Error, Equatable, Sendable, CustomStringConvertible {
    case emptyName(String)
    case badPointer(String)
    case unknownType(String, of: String)
    case typeOfEach(String)
    case badWord
    case noPaths

    public var description: String {
        switch self {
        case .emptyName(let path): "\"\(path)\": a name is empty; expected names joined by dots, or a JSON Pointer"
        case .badPointer(let path): "\"\(path)\": in a JSON Pointer ~ is followed by 0 or 1"
        case .unknownType(let word, let text):
            "\"\(text)\": unknown type \"\(word)\": expected " + ValueType.allCases.map(\.rawValue).joined(separator: ", ")
        case .typeOfEach(let text): "--each \(text): the path of an array, without a type"
        case .badWord: "--missing: a word for a field has no TAB and no LF"
        case .noPaths: "no paths: name the values that each line is to give, in order"
        }
    }
}
