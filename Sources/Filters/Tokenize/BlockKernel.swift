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
}

/// A way to split 64 bytes at once.
protocol BlockKernel {
    /// Copies 64 bytes, with LF for those that part tokens.
    /// - Parameter isOpen: whether the byte in front of them belongs to a token.
    func copy(_ source: UnsafePointer<UInt8>, to target: UnsafeMutablePointer<UInt8>, _ isOpen: Bool) -> Block

    /// The machine's state behind a byte that blocks found to be in a token.
    func state(behind byte: UInt8) -> CodePointMachine.State
}

extension BlockKernel {
    func state(behind byte: UInt8) -> CodePointMachine.State { .letter }
}

/// Splits at white space.
struct TextKernel: BlockKernel {
    let small: UInt8

    @inline(__always)
    func copy(_ source: UnsafePointer<UInt8>, to target: UnsafeMutablePointer<UInt8>, _ isOpen: Bool) -> Block {
        let found = ctokenize_copy_text(target, source, small)
        return Block(parts: found.parts, hard: found.hard, undecided: found.lead)
    }
}

/// Splits at ASCII characters.
struct FieldKernel: BlockKernel {
    let small: UInt8
    let ranges: UnsafeBufferPointer<ctokenize_range>

    @inline(__always)
    func copy(_ source: UnsafePointer<UInt8>, to target: UnsafeMutablePointer<UInt8>, _ isOpen: Bool) -> Block {
        let found = ctokenize_copy_fields(target, source, small, ranges.baseAddress, ranges.count)
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
/// is the part of a segment from its first letter, digit or _ on, so neither changes what comes out.
struct WordKernel: BlockKernel {
    let small: UInt8

    @inline(__always)
    func copy(_ source: UnsafePointer<UInt8>, to target: UnsafeMutablePointer<UInt8>, _ isOpen: Bool) -> Block {
        let found = ctokenize_copy_words(target, source, small)
        // A byte lies in front of the block.
        let carry: UInt64 = isOpen && source[-1] != UInt8(ascii: "_") ? 1 : 0
        let behindWord = found.word &<< 1 | carry
        let beforeWord = found.word &>> 1
        var block = Block(
            parts: ~(found.word | found.connector),
            hard: found.hard | found.connector & ~behindWord & ~beforeWord | found.middle & found.hard &>> 1,
            undecided: found.connector | found.middle | found.lead)
        var joining = found.middle & behindWord & beforeWord
        while joining != 0 {
            let at = joining.trailingZeroBitCount  // at most 62: bit 63 of beforeWord is 0
            if joins(source[at], source[at - 1], source[at + 1]) {
                target[at] = source[at]
                block.parts &= ~(1 &<< UInt64(at))
            }
            joining &= joining &- 1
        }
        return block
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

    /// No _ without a letter or a digit at its side comes before a hard byte, so it is in a word.
    func state(behind byte: UInt8) -> CodePointMachine.State {
        isDigit(byte) ? .number : byte == UInt8(ascii: "_") ? .connector : .letter
    }
}
