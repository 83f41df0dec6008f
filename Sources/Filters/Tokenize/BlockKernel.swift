import CTokenize

/// What a kernel found in 64 bytes; bit i of each mask tells of byte i. Below the first hard byte, and below the
/// undecided ones at the end, `parts` is right.
struct Block {
    /// The byte parts tokens.
    var parts: UInt64
    /// The byte can only be judged code point by code point.
    var hard: UInt64
    /// What the byte is depends on the next one; where that is not in the block, the next block has to begin here.
    var undecided: UInt64
    /// A token ends in front of the byte, and it begins another.
    var boundaries: UInt64 = 0
}

/// A way to split 64 bytes at once.
protocol BlockKernel {
    associatedtype Registers: BlockRegisters

    /// Copies 64 bytes, with LF for those that part tokens.
    /// - Parameter open: the bit, in the block before, of the byte in front of them; 0 if that belongs to no token.
    mutating func copy(_ source: UnsafePointer<UInt8>, to target: UnsafeMutablePointer<UInt8>, _ open: UInt64) -> Block

    /// The machine's state behind what blocks found to be in a token.
    /// - Parameter end: the end of that token so far.
    func state(behind end: UnsafePointer<UInt8>) -> CodePointMachine.State
}

extension BlockKernel {
    func state(behind end: UnsafePointer<UInt8>) -> CodePointMachine.State { .letter }
}

/// Splits at white space.
struct TextKernel<Registers: BlockRegisters>: BlockKernel {
    let small: UInt8

    @inline(__always)
    func copy(_ source: UnsafePointer<UInt8>, to target: UnsafeMutablePointer<UInt8>, _ open: UInt64) -> Block {
        let found =
            Registers.areWide
            ? ctokenize_copy_text_wide(target, source, small) : ctokenize_copy_text(target, source, small)
        return Block(parts: found.parts, hard: found.hard, undecided: found.lead)
    }
}

/// Splits at ASCII characters.
struct FieldKernel<Registers: BlockRegisters>: BlockKernel {
    let small: UInt8
    let ranges: UnsafeBufferPointer<ctokenize_range>

    @inline(__always)
    func copy(_ source: UnsafePointer<UInt8>, to target: UnsafeMutablePointer<UInt8>, _ open: UInt64) -> Block {
        let found =
            Registers.areWide
            ? ctokenize_copy_fields_wide(target, source, small, ranges.baseAddress, ranges.count)
            : ctokenize_copy_fields(target, source, small, ranges.baseAddress, ranges.count)
        return Block(parts: found.parts, hard: found.hard, undecided: found.lead)
    }
}

/// Splits into words.
///
/// Of ASCII, letters, digits and _ make words. UAX #29 has two more rules for it. Between two letters `'` `.` `:` join,
/// and between two digits `'` `.` `,` `;` (WB6, WB7, WB11, WB12). And a word needs a letter or a digit, so a _ that has
/// none at its side is left to the machine, for it may be one of many. No other ASCII character joins anything to it
/// (`"` does, but only between Hebrew letters, which blocks leave to the machine): it is a boundary on both sides.
///
/// WB4 lets a mark behind such a character belong to it, and WB3c may attach a pictograph behind that; but what comes out
/// is the part of a segment from its first letter, digit or _ on, so neither changes what comes out. The same holds for
/// the punctuation that blocks know.
///
/// What joins the code points that blocks know besides, each joined to its like, is `_` with Katakana.
struct WordKernel<Registers: BlockRegisters>: BlockKernel {
    let small: UInt8
    // The block before, as far as it says what a token that is open ends with.
    private var word: UInt64 = 0
    private var single: UInt64 = 0
    private var katakana: UInt64 = 0

    init(small: UInt8) { self.small = small }

    @inline(__always)
    mutating func copy(
        _ source: UnsafePointer<UInt8>, to target: UnsafeMutablePointer<UInt8>, _ open: UInt64
    ) -> Block {
        let found =
            Registers.areWide
            ? ctokenize_copy_words_wide(target, source, small) : ctokenize_copy_words(target, source, small)
        let behindWord = found.word &<< 1 | (word & open != 0 ? 1 : 0)
        let beforeWord = found.word &>> 1
        var block = Block(
            parts: ~(found.word | found.connector), hard: found.connector & ~behindWord & ~beforeWord,
            undecided: found.connector | found.middle)
        if found.lead | ~found.begins != 0 { add(found, behindWord, &block) }  // it has a byte that is not ASCII
        if found.single | found.katakana | (single | katakana) & open != 0 {
            let behindSingle = found.single &<< 1 | (single & open != 0 ? 1 : 0)
            let behindKatakana = found.katakana &<< 1 | (katakana & open != 0 ? 1 : 0)
            let behindAny = ~block.parts &<< 1 | (open != 0 ? 1 : 0)
            block.boundaries =
                found.begins
                & (found.single & behindAny
                    | (found.word | found.connector | found.katakana) & behindSingle
                    | found.katakana & behindWord
                    | found.word & behindKatakana)
        }
        var joining = found.middle & behindWord & beforeWord
        while joining != 0 {
            let at = joining.trailingZeroBitCount  // at most 62: bit 63 of beforeWord is 0
            if joins(source[at], source[at - 1], source[at + 1]) {
                target[at] = source[at]
                block.parts &= ~(1 &<< UInt64(at))
            }
            joining &= joining &- 1
        }
        (word, single, katakana) = (found.word, found.single, found.katakana)
        return block
    }

    /// Adds to a block what it has that is not ASCII.
    @inline(__always)
    private func add(_ found: ctokenize_block, _ behindWord: UInt64, _ block: inout Block) {
        // A wide , . : or ; parts unless it comes behind a letter or a digit; then the machine is to say.
        let wide = found.middle_wide & ~behindWord
        let hard = found.hard & ~(wide | wide &<< 1 | wide &<< 2)
        // What could join an ASCII word to something hard is hard.
        block.hard |= hard | found.middle & hard &>> 1
        block.undecided |= found.lead
        block.parts &= ~(found.single | found.katakana)
    }

    /// Whether `middle` joins two bytes that are each of a letter or a digit.
    private func joins(_ middle: UInt8, _ before: UInt8, _ after: UInt8) -> Bool {
        let (first, second) = (isDigit(before), isDigit(after))
        guard first == second else { return false }
        switch middle {
        case UInt8(ascii: ":"): return !first
        case UInt8(ascii: ","), UInt8(ascii: ";"): return first
        default: return true
        }
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

    /// The token has at least the code point before `end`, which blocks know. If that is a _ there is a letter or a digit
    /// at its side, since no hard byte has come yet, so it is in a word.
    @inline(__always)
    func state(behind end: UnsafePointer<UInt8>) -> CodePointMachine.State {
        let last = end[-1]
        if last < 0x80 { return isDigit(last) ? .number : last == UInt8(ascii: "_") ? .connector : .letter }
        if end[-2] >= 0xC0 { return .letter }
        // Of three bytes: of those, blocks know ideographs, Hiragana and Katakana.
        return CodePoint.isCommonSingle((end - 3).word(3)) ? .single : .katakana
    }
}
