/// Facts for `--summary`, in order; printed as one JSON object.
public struct Summary: Equatable, Sendable {
    public enum Value: Equatable, Sendable {
        case integer(Int64)
        case number(Double)
        case text(String)
        case flag(Bool)
        case null
    }

    public private(set) var facts: [(name: String, value: Value)] = []

    public init() {}

    public static func == (left: Summary, right: Summary) -> Bool {
        left.facts.elementsEqual(right.facts) { $0.name == $1.name && $0.value == $1.value }
    }

    public mutating func add(_ name: String, _ value: Value) { facts.append((name, value)) }
    public mutating func add(_ name: String, _ value: Int) { add(name, .integer(Int64(value))) }
    public mutating func add(_ name: String, _ value: String) { add(name, .text(value)) }
    public mutating func add(contentsOf other: Summary) { facts += other.facts }

    /// One JSON object without a line end. Names and texts are ours: printable ASCII, which needs few escapes.
    public var json: String {
        let members = facts.map { "\"\($0.name)\":" + Self.json($0.value) }
        return "{" + members.joined(separator: ",") + "}"
    }

    private static func json(_ value: Value) -> String {
        switch value {
        case .integer(let integer): String(integer)
        case .number(let number): number.isFinite ? String(number) : "null"
        case .flag(let flag): flag ? "true" : "false"
        case .null: "null"
        case .text(let text):
            "\"" + text.unicodeScalars.map(escaped).joined() + "\""
        }
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\"", "\\": "\\" + String(scalar)
        case "\u{0}"..<" ": "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
        default: String(scalar)
        }
    }
}
