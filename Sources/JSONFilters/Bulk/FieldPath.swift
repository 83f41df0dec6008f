/// A field of a document: the names that lead to it, `token` or `user.name`.
///
/// A dot goes into an object. A backslash takes the next character as it is: `user\.name` is a field whose name has a dot.
public struct FieldPath: Equatable, Sendable, CustomStringConvertible {
    /// As it was written on the command line, for messages.
    public let description: String
    let names: [[UInt8]]

    /// Reads `text` up to the first of the `ends` that no backslash stands before, and takes that off it.
    /// - Throws: when a name is empty.
    init(parsing text: inout Substring, upTo ends: [Character]) throws(BulkUsage) {
        var names = [""]
        var written = ""
        var isEscaped = false
        while let character = text.first, isEscaped || !ends.contains(character) {
            text.removeFirst()
            written.append(character)
            if !isEscaped, character == "\\" {
                isEscaped = true
            } else if !isEscaped, character == "." {
                names.append("")
            } else {
                names[names.count - 1].append(character)
                isEscaped = false
            }
        }
        if isEscaped || names.contains("") { throw .badField(written) }
        self.names = names.map { Array($0.utf8) }
        description = written
    }

    public init(parsing text: String) throws(BulkUsage) {
        var rest = text[...]
        try self.init(parsing: &rest, upTo: [])
    }

    /// Reads `FIELD[,FIELD…]`.
    public static func list(parsing text: String) throws(BulkUsage) -> [FieldPath] {
        var rest = text[...]
        var paths = [try FieldPath(parsing: &rest, upTo: [","])]
        while rest.popFirst() != nil { paths.append(try FieldPath(parsing: &rest, upTo: [","])) }
        return paths
    }
}
