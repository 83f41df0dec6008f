import CTokenize

/// The code point that a text begins with, or an ill-formed sequence.
struct CodePoint {
    /// `CTOKENIZE_ILL_FORMED` for what is ill-formed. That comes in maximal subparts, as section 3.9 of the Unicode
    /// standard has them: the bytes that could have become one code point.
    let point: UInt32
    /// In bytes.
    let length: Int

    /// Whether `word` begins with one of the ideographs U+4E00 to U+9FFF, or of the Hiragana U+3041 to U+3096.
    @inline(__always)
    static func isCommonSingle(_ word: UInt32) -> Bool {
        let bytes = word.byteSwapped &>> 8
        let isIdeograph = bytes &- 0xE4B880 <= 0xE9BFBF - 0xE4B880
        let isHiragana = bytes &- 0xE38181 <= 0xE38296 - 0xE38181
        return word & 0xC0C000 == 0x808000 && (isIdeograph || isHiragana)
    }

    private init(_ point: UInt32, _ length: Int) {
        self.point = point
        self.length = length
    }

    /// - Parameter word: the first four bytes of the text, the first of them lowest; 0 for those behind its end.
    @inline(__always)
    init(_ word: UInt32) {
        if word & 0xC0C0F0 == 0x8080E0 {
            let point = (word & 0xF) &<< 12 | (word &>> 2) & 0xFC0 | (word &>> 16) & 0x3F
            // Longer than need be, or a surrogate. (The call keeps the compiler from working out the length without a
            // branch, which would have each code point wait for the one before it.)
            if point < 0x800 || point &>> 11 == 0xD800 &>> 11 { self.init(other: word) } else { self.init(point, 3) }
        } else if word & 0xC0E0 == 0x80C0, word & 0x1E != 0 {
            self.init((word & 0x1F) &<< 6 | (word &>> 8) & 0x3F, 2)
        } else {
            self.init(other: word)
        }
    }

    /// ASCII, four bytes, or ill-formed.
    @inline(never)
    private init(other word: UInt32) {
        if word & 0x80 == 0 {
            self.init(word & 0x7F, 1)
        } else if word & 0xC0C0_C0F8 == 0x8080_80F0 {
            let point = (word & 7) &<< 18 | (word &<< 4) & 0x3F000 | (word &>> 10) & 0xFC0 | (word &>> 24) & 0x3F
            let isWellFormed = (0x10000..<0x110000).contains(point)
            self.init(isWellFormed ? point : UInt32(CTOKENIZE_ILL_FORMED), isWellFormed ? 4 : 1)
        } else {
            self.init(UInt32(CTOKENIZE_ILL_FORMED), Self.subpart(word))
        }
    }

    /// The length of the maximal subpart that an incomplete sequence is.
    private static func subpart(_ word: UInt32) -> Int {
        func byte(_ number: UInt32) -> UInt8 { UInt8(truncatingIfNeeded: word >> (8 * number)) }
        let second: ClosedRange<UInt8>
        switch byte(0) {
        case 0xE0: second = 0xA0...0xBF
        case 0xED: second = 0x80...0x9F
        case 0xE1...0xEF: second = 0x80...0xBF
        case 0xF0: second = 0x90...0xBF
        case 0xF1...0xF3: second = 0x80...0xBF
        case 0xF4: second = 0x80...0x8F
        default: return 1
        }
        guard second.contains(byte(1)) else { return 1 }
        return byte(0) >= 0xF0 && byte(2) & 0xC0 == 0x80 ? 3 : 2
    }
}

extension UnsafePointer<UInt8> {
    /// The first `count` bytes, at most four, the first of them lowest, and 0 for more.
    @inline(__always)
    func word(_ count: Int) -> UInt32 {
        if count >= 4 { return UInt32(littleEndian: UnsafeRawPointer(self).loadUnaligned(as: UInt32.self)) }
        var word: UInt32 = 0
        for at in 0..<count { word |= UInt32(self[at]) &<< UInt32(8 &* at) }
        return word
    }
}
