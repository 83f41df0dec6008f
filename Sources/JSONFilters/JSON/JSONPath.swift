/// Where a value is in a JSON object, as the command line has it: names, and for arrays indexes, joined by dots
/// (`request.path`, `items.0.id`); or a JSON Pointer (RFC 6901), which begins with a slash, for names that have dots of
/// their own (`/a.b/c~1d`). A dot alone is the whole object.
enum JSONPath {
    /// The names that lead there; none for the whole object.
    static func names(_ path: some StringProtocol) throws(JSONPathFault) -> [[UInt8]] {
        if path == "." { return [] }
        if path.hasPrefix("/") {
            return try path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropFirst()
                .map { (token) throws(JSONPathFault) in try unescaped(Array(token), of: path) }
        }
        let names = path.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map { Array($0) }
        if names.contains([]) { throw .emptyName(String(path)) }
        return names
    }

    /// `~1` is a slash and `~0` a tilde: RFC 6901, section 4.
    private static func unescaped(
        _ token: [UInt8], of path: some StringProtocol
    ) throws(JSONPathFault) -> [UInt8] {
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
            default: throw .badPointer(String(path))
            }
        }
        return name
    }
}

/// What is wrong with a path.
public enum JSONPathFault: Error, Equatable, Sendable, CustomStringConvertible {
    case emptyName(String)
    case badPointer(String)

    public var description: String {
        switch self {
        case .emptyName(let path): "\"\(path)\": a name is empty; expected names joined by dots, or a JSON Pointer"
        case .badPointer(let path): "\"\(path)\": in a JSON Pointer ~ is followed by 0 or 1"
        }
    }
}
