/// JSON by RFC 8259, slowly and obviously: only to hold the fast parser against.
public struct SlowJSON {
    private var rest: ArraySlice<UInt8>

    /// Whether `text` is one JSON value, or one object.
    public static func isValid(_ text: [UInt8], onlyObjects: Bool = true) -> Bool {
        guard String(validating: text, as: UTF8.self) != nil else { return false }
        var json = SlowJSON(rest: text[...])
        json.skipSpace()
        if onlyObjects, json.rest.first != UInt8(ascii: "{") { return false }
        return json.value() && json.rest.isEmpty
    }

    private mutating func take(_ text: String) -> Bool {
        guard rest.starts(with: text.utf8) else { return false }
        rest = rest.dropFirst(text.utf8.count)
        return true
    }

    private mutating func skipSpace() { rest = rest.drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) } }

    /// A value and the space behind it.
    private mutating func value() -> Bool {
        let isGood =
            switch rest.first {
            case UInt8(ascii: "{"): members("{", "}") { json in json.member() }
            case UInt8(ascii: "["): members("[", "]") { json in json.value() }
            case UInt8(ascii: "\""): string()
            case UInt8(ascii: "t"): take("true")
            case UInt8(ascii: "f"): take("false")
            case UInt8(ascii: "n"): take("null")
            default: number()
            }
        skipSpace()
        return isGood
    }

    private mutating func members(_ open: String, _ close: String, _ member: (inout SlowJSON) -> Bool) -> Bool {
        guard take(open) else { return false }
        skipSpace()
        if take(close) { return true }
        while true {
            skipSpace()
            guard member(&self) else { return false }
            if take(close) { return true }
            guard take(",") else { return false }
        }
    }

    private mutating func member() -> Bool {
        guard string() else { return false }
        skipSpace()
        guard take(":") else { return false }
        skipSpace()
        return value()
    }

    private mutating func string() -> Bool {
        guard take("\"") else { return false }
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\"") { return true }
            if byte < 0x20 { return false }
            guard byte == UInt8(ascii: "\\") else { continue }
            guard let escape = rest.popFirst() else { return false }
            if escape == UInt8(ascii: "u") {
                let digits = rest.prefix(4)
                guard digits.count == 4, digits.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit && $0 < 0x80 })
                else { return false }
                rest = rest.dropFirst(4)
            } else if !"\"\\/bfnrt".utf8.contains(escape) {
                return false
            }
        }
        return false
    }

    private mutating func digits() -> Bool {
        let count = rest.prefix { (0x30...0x39).contains($0) }.count
        rest = rest.dropFirst(count)
        return count > 0
    }

    private mutating func number() -> Bool {
        _ = take("-")
        if !take("0"), !digits() { return false }
        if take("."), !digits() { return false }
        if take("e") || take("E") {
            _ = take("+") || take("-")
            return digits()
        }
        return true
    }

    /// Bytes as a JSON string, as `to-json` is to write them; the repair of what is not UTF-8 is left to String.
    public static func string(_ bytes: some Sequence<UInt8>) -> String {
        var text = "\""
        for scalar in String(decoding: Array(bytes), as: UTF8.self).unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\u{8}": text += "\\b"
            case "\t": text += "\\t"
            case "\n": text += "\\n"
            case "\u{C}": text += "\\f"
            case "\r": text += "\\r"
            case "\u{0}"..<" ": text += "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }

    /// Lines of TAB-separated fields as objects, all of whose members are strings.
    public static func objects(_ lines: [UInt8], _ names: [String]) -> String {
        var text = ""
        for line in lines.split(separator: 0x0A, omittingEmptySubsequences: false).dropLast() {
            let fields = line.split(separator: 0x09, omittingEmptySubsequences: false)
            let members = zip(names, fields).map { string($0.utf8) + ":" + string($1) }
            text += "{" + members.joined(separator: ",") + "}\n"
        }
        return text
    }
}
