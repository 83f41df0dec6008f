import CTokenize

/// A set of ASCII characters, for `--delimiters`. LF is always in it.
public struct DelimiterSet: Equatable, Sendable {
    /// Bit i of the first for byte i, bit i of the second for byte 64 + i.
    private var bits: (UInt64, UInt64) = (0, 0)

    public static func == (left: DelimiterSet, right: DelimiterSet) -> Bool { left.bits == right.bits }

    /// The characters of `text`, where `\t` stands for TAB, `\n` for LF and `\\` for a backslash.
    ///
    /// Nil if it has none, one that is not ASCII, or a backslash in front of something else.
    public init?(_ text: String) {
        var bytes = text.utf8[...]
        guard !bytes.isEmpty else { return nil }
        insert(UInt8(ascii: "\n"))
        while let byte = bytes.popFirst() {
            guard byte < 0x80 else { return nil }
            guard byte == UInt8(ascii: "\\") else {
                insert(byte)
                continue
            }
            switch bytes.popFirst() {
            case UInt8(ascii: "t"): insert(UInt8(ascii: "\t"))
            case UInt8(ascii: "n"): insert(UInt8(ascii: "\n"))
            case UInt8(ascii: "\\"): insert(UInt8(ascii: "\\"))
            default: return nil
            }
        }
    }

    public func contains(_ byte: UInt8) -> Bool {
        switch byte {
        case 0..<64: bits.0 >> UInt64(byte) & 1 != 0
        case 64..<128: bits.1 >> UInt64(byte - 64) & 1 != 0
        default: false
        }
    }

    private mutating func insert(_ byte: UInt8) {
        if byte < 64 { bits.0 |= 1 << UInt64(byte) } else { bits.1 |= 1 << UInt64(byte - 64) }
    }

    /// The fewest ranges that hold all but LF, and no other character.
    var ranges: [ctokenize_range] {
        var ranges: [ctokenize_range] = []
        for byte in 0..<UInt8(128) where contains(byte) && byte != UInt8(ascii: "\n") {
            if let last = ranges.last, last.low + last.span + 1 == byte {
                ranges[ranges.count - 1].span += 1
            } else {
                ranges.append(ctokenize_range(low: byte, span: 0))
            }
        }
        return ranges
    }
}
