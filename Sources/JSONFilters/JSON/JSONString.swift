import Bytes
import CBytes

/// Text as the inside of a JSON string (RFC 8259, section 7): what must be escaped is, nothing else.
///
/// `"` and `\` get a backslash; BS, TAB, LF, FF and CR become \b \t \n \f \r, other control characters \u00XX; all else
/// stands for itself. Where the bytes are not UTF-8, each maximal subpart of a sequence becomes U+FFFD.
enum JSONString {
    /// The most bytes that one byte can become: a control character, `\u0000`.
    static let growth = 6
    /// `write` may touch so many bytes behind the last that it writes.
    static let slack = 16

    struct Written {
        var end: UnsafeMutablePointer<UInt8>
        /// Whether the source was UTF-8, so that nothing was replaced.
        var isUTF8 = true
    }

    /// Writes the inside of the string.
    /// - Parameters:
    ///   - count: how many bytes the text has.
    ///   - readable: how many bytes may be read at `source`; 16 more than `count` keep it on the fast path.
    ///   - target: has room for `count * growth + slack` bytes.
    /// - Cost: about half a nanosecond for 16 plain bytes; what is not ASCII is looked at character by character.
    @inline(__always)
    static func write(
        _ source: UnsafePointer<UInt8>, count: Int, readable: Int, to target: UnsafeMutablePointer<UInt8>
    ) -> Written {
        let plain = cbytes_copy_plain(target, source, count, readable)
        if plain == count { return Written(end: target + count) }
        return writeRest(source + plain, count: count - plain, readable: readable - plain, to: target + plain)
    }

    /// The same from the first byte that does not stand for itself.
    @inline(never)
    private static func writeRest(
        _ source: UnsafePointer<UInt8>, count: Int, readable: Int, to target: UnsafeMutablePointer<UInt8>
    ) -> Written {
        var written = Written(end: target)
        var at = 0
        while at < count {
            let byte = source[at]
            if byte >= 0x80 {
                let length = UTF8Sequence.measure(source + at, count - at)
                if length > 0 {
                    for offset in 0..<length { written.end[offset] = source[at + offset] }
                    written.end += length
                    at += length
                } else {
                    written.isUTF8 = false
                    (written.end[0], written.end[1], written.end[2]) = (0xEF, 0xBF, 0xBD)
                    written.end += 3
                    at -= length
                }
                // Between two characters of such a text there is seldom a run of plain bytes worth a block.
                if at < count, source[at] >= 0x80 { continue }
            } else if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                written.end += escape(byte, to: written.end)
                at += 1
            }
            let plain = cbytes_copy_plain(written.end, source + at, count - at, readable - at)
            written.end += plain
            at += plain
        }
        return written
    }

    private static func escape(_ byte: UInt8, to target: UnsafeMutablePointer<UInt8>) -> Int {
        target[0] = UInt8(ascii: "\\")
        let letter: UInt8? =
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): byte
            case 0x08: UInt8(ascii: "b")
            case 0x09: UInt8(ascii: "t")
            case 0x0A: UInt8(ascii: "n")
            case 0x0C: UInt8(ascii: "f")
            case 0x0D: UInt8(ascii: "r")
            default: nil
            }
        if let letter {
            target[1] = letter
            return 2
        }
        (target[1], target[2], target[3]) = (UInt8(ascii: "u"), UInt8(ascii: "0"), UInt8(ascii: "0"))
        target[4] = UInt8(ascii: "0") + byte >> 4
        target[5] = byte & 15 < 10 ? UInt8(ascii: "0") + byte & 15 : UInt8(ascii: "a") + byte & 15 - 10
        return growth
    }

    /// `text` with its quotes, for what is rendered once.
    static func literal(_ text: some Sequence<UInt8>) -> [UInt8] {
        let bytes = Array(text)
        let inside = [UInt8](unsafeUninitializedCapacity: bytes.count * growth + slack) { target, count in
            guard let start = target.baseAddress else { return }
            count = bytes.withUnsafeBufferPointer { source in
                guard let first = source.baseAddress else { return 0 }
                return write(first, count: source.count, readable: source.count, to: start).end - start
            }
        }
        return [UInt8(ascii: "\"")] + inside + [UInt8(ascii: "\"")]
    }
}
