/// UTF-8 as the Unicode Standard defines it (version 15, section 3.9, table 3-7).
public enum UTF8Sequence {
    /// Looks at the bytes at `start`, of which there are `available`, at least one.
    /// - Returns: the length of the well-formed sequence there, 1 to 4; or, where there is none, minus the length of the
    ///   maximal subpart of one, -1 to -3: what the standard wants replaced by a single U+FFFD.
    @inlinable
    public static func measure(_ start: UnsafePointer<UInt8>, _ available: Int) -> Int {
        let lead = start[0]
        if lead < 0x80 { return 1 }
        // The second byte decides over overlong forms, surrogates and what is past U+10FFFF.
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch lead {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        case 0xF1...0xF3: length = 4
        default: return -1
        }
        guard available > 1, second.contains(start[1]) else { return -1 }
        var at = 2
        while at < length {
            guard at < available, start[at] & 0xC0 == 0x80 else { return -at }
            at += 1
        }
        return length
    }
}
