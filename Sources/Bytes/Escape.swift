/// TAB, LF, CR and `\` in a field, written so that the field stays one: `\t`, `\n`, `\r` and `\\`; `\N` is a missing field.
package enum Escape {
    package static let missing: [UInt8] = Array("\\N".utf8)

    package static func write(_ bytes: UnsafeRawBufferPointer, isHeader: Bool = false, to text: inout [UInt8]) {
        for byte in bytes {
            switch byte {
            case 0x09: text += Array("\\t".utf8)
            case 0x0A: text += Array("\\n".utf8)
            case 0x0D: text += Array("\\r".utf8)
            case UInt8(ascii: "\\"): text += Array("\\\\".utf8)
            case UInt8(ascii: ","), UInt8(ascii: "="):
                if isHeader { text.append(UInt8(ascii: "\\")) }
                text.append(byte)
            default: text.append(byte)
            }
        }
    }

    /// As `--embedded-lf escape` has it: only LF, and the `\` that makes it unambiguous.
    package static func writeLineEnds(_ bytes: UnsafeRawBufferPointer, to text: inout [UInt8]) {
        for byte in bytes {
            switch byte {
            case 0x0A: text += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
            case UInt8(ascii: "\\"): text += [byte, byte]
            default: text.append(byte)
            }
        }
    }

    /// The bytes that `text` stands for; nil if a `\` is followed by what `write` never puts there.
    package static func read(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "n"): bytes.append(0x0A)
            case UInt8(ascii: "r"): bytes.append(0x0D)
            case .some(let other) where Array("\\,=".utf8).contains(other): bytes.append(other)
            default: return nil
            }
        }
        return bytes
    }

    /// Cuts at each `separator` with no `\` before it.
    package static func split(_ text: ArraySlice<UInt8>, at separator: UInt8, maxSplits: Int = .max) -> [ArraySlice<
        UInt8
    >] {
        var parts: [ArraySlice<UInt8>] = []
        var (start, at) = (text.startIndex, text.startIndex)
        while at < text.endIndex {
            if text[at] == UInt8(ascii: "\\") {
                at += 2
            } else if text[at] == separator, parts.count < maxSplits {
                parts.append(text[start..<at])
                at += 1
                start = at
            } else {
                at += 1
            }
        }
        return parts + [text[start...]]
    }
}
