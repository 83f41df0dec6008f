/// A declared column: `NAME`, `NAME:TYPE`, `NAME?` or `NAME:TYPE?`.
///
/// The name is a `JSONPath`: one with dots makes objects. The last colon divides it from the type; so a name that has a
/// colon is written with its type. A question mark at the end makes the column optional: an empty field is null, and one
/// that the line ends without is left out of the object.
public struct Column: Equatable, Sendable {
    public let name: String
    public let type: ColumnType
    public let isOptional: Bool

    public init(name: String, type: ColumnType = .string, isOptional: Bool = false) {
        self.name = name
        self.type = type
        self.isOptional = isOptional
    }

    /// Reads a declaration as it is written on the command line.
    public init(parsing text: String) throws(DeclarationFault) {
        isOptional = text.hasSuffix("?")
        let declaration = isOptional ? text.dropLast() : text[...]
        (name, type) = try Self.nameAndType(declaration)
    }

    static func nameAndType(_ declaration: Substring) throws(DeclarationFault) -> (String, ColumnType) {
        guard let colon = declaration.lastIndex(of: ":") else {
            if declaration.isEmpty { throw .noName }
            return (String(declaration), .string)
        }
        let (name, type) = (String(declaration[..<colon]), String(declaration[declaration.index(after: colon)...]))
        guard let type = ColumnType(rawValue: type) else { throw .unknownType(type) }
        if name.isEmpty { throw .noName }
        // Nearly always a slip for NAME:TYPE?, which would otherwise go unnoticed.
        if name.hasSuffix("?") { throw .markBeforeType(name) }
        return (name, type)
    }
}

/// A member that every object gets: `NAME=VALUE` or `NAME:TYPE=VALUE`. The first equals sign divides them.
public struct Constant: Equatable, Sendable {
    public let name: String
    /// JSON.
    let value: [UInt8]

    public init(parsing text: String) throws(DeclarationFault) {
        guard let sign = text.firstIndex(of: "=") else { throw .noValue(text) }
        let type: ColumnType
        (name, type) = try Column.nameAndType(text[..<sign])
        let bytes = Array(text[text.index(after: sign)...].utf8)
        if type == .string {
            value = JSONString.literal(bytes)
        } else {
            let parser = JSONParser()
            guard bytes.withUnsafeBytes({ type.takes($0, parser) }) else { throw .badValue(text, type) }
            value = bytes
        }
    }
}

/// What is wrong with a declaration of a column or a constant.
public enum DeclarationFault: Error, Equatable, Sendable, CustomStringConvertible {
    case noName
    case noValue(String)
    case unknownType(String)
    case markBeforeType(String)
    case badValue(String, ColumnType)
    case repeated(String)
    case badPath(JSONPathFault)
    /// Between it and the other members of its object stand members of another.
    case apart(String)
    case noColumns

    public var description: String {
        switch self {
        case .noName: "a column has no name"
        case .noValue(let text): "--set: expected NAME=VALUE, not \"\(text)\""
        case .unknownType(let text):
            "unknown type \"\(text)\": expected " + ColumnType.allCases.map(\.rawValue).joined(separator: ", ")
        case .markBeforeType(let name): "the question mark of \"\(name)\" belongs behind the type: NAME:TYPE?"
        case .badValue(let text, let type): "--set \(text): the value is not \(type.noun)"
        case .repeated(let name): "two columns are named \"\(name)\""
        case .badPath(let fault): fault.description
        case .apart(let name): "\"\(name)\" stands apart from the other columns of its object"
        case .noColumns: "no columns: name the fields of a line, in order"
        }
    }
}
