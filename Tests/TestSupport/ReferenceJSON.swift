/// JSON by RFC 8259: the slow, obvious way, for holding the fast ones against it.
public enum ReferenceJSON {
    /// Whether `bytes` are one JSON object in UTF-8, nested at most `depth` levels deep.
    public static func isObject(_ bytes: [UInt8], depth: Int = 1024) -> Bool {
        guard String(validating: bytes, as: UTF8.self) != nil else { return false }
        var parser = Parser(bytes: bytes, depthLeft: depth)
        parser.skipSpace()
        guard parser.peek == UInt8(ascii: "{"), parser.takeValue() else { return false }
        parser.skipSpace()
        return parser.peek == nil
    }

    /// The inside of a JSON string: what must be escaped is, and what is not UTF-8 becomes U+FFFD.
    public static func escaped(_ bytes: [UInt8]) -> [UInt8] {
        String(decoding: bytes, as: UTF8.self).unicodeScalars.map { scalar in
            switch scalar {
            case "\"": "\\\""
            case "\\": "\\\\"
            case "\u{8}": "\\b"
            case "\t": "\\t"
            case "\n": "\\n"
            case "\u{C}": "\\f"
            case "\r": "\\r"
            case "\u{0}"..."\u{1F}":
                "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
            default: String(scalar)
            }
        }.flatMap { Array($0.utf8) }
    }

    private struct Parser {
        let bytes: [UInt8]
        var depthLeft: Int
        var at = 0

        var peek: UInt8? { at < bytes.count ? bytes[at] : nil }

        mutating func take(_ byte: Unicode.Scalar) -> Bool {
            guard peek == UInt8(ascii: byte) else { return false }
            at += 1
            return true
        }

        mutating func skipSpace() { while [0x20, 0x09, 0x0A, 0x0D].contains(peek) { at += 1 } }

        mutating func takeValue() -> Bool {
            skipSpace()
            switch peek {
            case UInt8(ascii: "{"): return takeAll(between: "{", "}") { $0.takeMember() }
            case UInt8(ascii: "["): return takeAll(between: "[", "]") { $0.takeValue() }
            case UInt8(ascii: "\""): return takeString()
            case UInt8(ascii: "t"): return "true".unicodeScalars.allSatisfy { take($0) }
            case UInt8(ascii: "f"): return "false".unicodeScalars.allSatisfy { take($0) }
            case UInt8(ascii: "n"): return "null".unicodeScalars.allSatisfy { take($0) }
            default: return takeNumber()
            }
        }

        mutating func takeAll(
            between open: Unicode.Scalar, _ close: Unicode.Scalar, _ element: (inout Parser) -> Bool
        ) -> Bool {
            guard depthLeft > 0, take(open) else { return false }
            depthLeft -= 1
            defer { depthLeft += 1 }
            skipSpace()
            if take(close) { return true }
            while element(&self) {
                skipSpace()
                if take(close) { return true }
                guard take(",") else { return false }
            }
            return false
        }

        mutating func takeMember() -> Bool {
            skipSpace()
            guard takeString() else { return false }
            skipSpace()
            return take(":") && takeValue()
        }

        mutating func takeString() -> Bool {
            guard take("\"") else { return false }
            while let byte = peek {
                at += 1
                switch byte {
                case UInt8(ascii: "\""): return true
                case 0..<0x20: return false
                case UInt8(ascii: "\\"):
                    guard let escape = peek else { return false }
                    at += 1
                    if escape == UInt8(ascii: "u") {
                        for _ in 0..<4 {
                            guard let digit = peek, Array("0123456789abcdefABCDEF".utf8).contains(digit) else {
                                return false
                            }
                            at += 1
                        }
                    } else if !Array("\"\\/bfnrt".utf8).contains(escape) {
                        return false
                    }
                default: break
                }
            }
            return false
        }

        mutating func takeDigits() -> Bool {
            let start = at
            while let digit = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) { at += 1 }
            return at > start
        }

        mutating func takeNumber() -> Bool {
            _ = take("-")
            if !take("0"), !takeDigits() { return false }
            if take("."), !takeDigits() { return false }
            if take("e") || take("E") {
                if !take("+") { _ = take("-") }
                return takeDigits()
            }
            return true
        }
    }
}
