import Bytes

/// A key as a terminal may show it: what would move the cursor, change colours or turn the direction of writing comes as
/// an escape, and so do bytes that are not UTF-8.
struct PlainText {
    /// What stands for one character, and how many columns it takes.
    private var pieces: [(text: String, width: Int)] = []

    var text: String { pieces.map(\.text).joined() }
    var width: Int { pieces.reduce(0) { $0 + $1.width } }

    init(_ bytes: [UInt8]) {
        var at = 0
        while at < bytes.count {
            let length = bytes[at...].withUnsafeBufferPointer { rest in
                rest.baseAddress.map { UTF8Sequence.measure($0, rest.count) } ?? -1
            }
            if length < 0 {
                for byte in bytes[at..<(at - length)] {
                    add(escaped: "\\x" + Self.hexadecimal(UInt32(byte), digits: 2))
                }
            } else {
                for scalar in String(decoding: bytes[at..<(at + length)], as: UTF8.self).unicodeScalars { add(scalar) }
            }
            at += abs(length)
        }
    }

    private mutating func add(_ scalar: Unicode.Scalar) {
        switch scalar.properties.generalCategory {
        case .control where scalar == "\t": add(escaped: "\\t")
        case .control where scalar.value < 0x80: add(escaped: "\\x" + Self.hexadecimal(scalar.value, digits: 2))
        case .control, .format, .lineSeparator, .paragraphSeparator, .unassigned, .privateUse, .surrogate:
            add(escaped: "\\u{" + Self.hexadecimal(scalar.value, digits: 4) + "}")
        case .nonspacingMark, .enclosingMark: pieces.append((String(scalar), 0))
        default: pieces.append((String(scalar), Self.isWide(scalar) ? 2 : 1))
        }
    }

    private mutating func add(escaped text: String) { pieces.append((text, text.utf8.count)) }

    private static func hexadecimal(_ number: UInt32, digits: Int) -> String {
        let text = String(number, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }

    /// Whether terminals give it two columns: East Asian Wide and Fullwidth of UAX #11, in round figures.
    private static func isWide(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case ..<0x1100: false
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF,
            0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x17000...0x1B2FF, 0x20000...0x3FFFD:
            true
        default: scalar.properties.isEmojiPresentation
        }
    }

    /// The beginning that fits into so many columns, with a sign where it is cut.
    func fitted(to columns: Int, cut: String) -> PlainText {
        guard width > columns else { return self }
        var (short, left) = (self, max(0, columns - 1))
        short.pieces = []
        for piece in pieces {
            guard piece.width <= left else { break }
            left -= piece.width
            short.pieces.append(piece)
        }
        if columns > 0 { short.pieces.append((cut, 1)) }
        return short
    }
}
