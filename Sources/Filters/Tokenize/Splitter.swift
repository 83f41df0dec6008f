import CTokenize

/// How text is split into tokens.
public enum Split: Sendable {
    /// At white space: that of ASCII, and Unicode's White_Space.
    case whiteSpace
    /// Into the words of UAX #29.
    case words
    /// At these characters, and at line ends.
    case delimiters(DelimiterSet)
}

/// Bytes that may be read: a chunk of whole lines. What is tokenized of it are parts that end with a byte that parts
/// tokens, such as the LF.
struct Text {
    let base: UnsafePointer<UInt8>
    let count: Int
}

/// Splits text into tokens, each followed by LF.
///
/// Two methods take turns. *Blocks* handle 64 bytes at once, as far as they are ASCII or other code points that are as
/// easy (Blocks.h lists them): the kernel copies the bytes, in lower case and with LF for what parts tokens, and says
/// where the parting bytes are; of each run of them all but the first are squeezed out, and an LF is put in where two
/// tokens touch. Where a byte is *hard*, the *code point machine* takes over, in the state that follows from the byte
/// before it, until it is between two tokens again. A block that begins between two tokens needs no other knowledge of
/// what came before it. Blocks are in registers of 16 bytes or, where the processor has them, in one of 64, with the
/// same outcome (`BlockRegisters`).
struct Splitter: ~Copyable {
    private let split: Split
    private let small: UInt8
    private let isWide: Bool
    private let machine: CodePointMachine
    private let ranges: [ctokenize_range]

    init(_ split: Split, lowercase: Bool, wideRegisters: Bool) {
        self.split = split
        small = lowercase ? 0x20 : 0
        isWide = wideRegisters && WideRegisters.areThere
        machine = CodePointMachine(split, lowercase: lowercase)
        if case .delimiters(let set) = split { ranges = set.ranges } else { ranges = [] }
    }

    /// How many bytes `split` may write for `count` bytes of text. A token of n bytes takes at most 3n/2 in lower case
    /// (the script that makes the tables checks it) and an LF, which for n ≥ 2 is at most 2n, as for n = 1. What a
    /// block leaves is moved 64 bytes at a time.
    static func room(for count: Int) -> Int { 2 * count + 64 }

    /// Where the first piece of a part is to end: about 32 KiB on, behind a byte that parts tokens. Pieces keep the output
    /// small and in the cache; a longer token makes a longer piece.
    func pieceEnd(of text: Text, _ part: Range<Int>) -> Int {
        let wanted = 32 << 10
        guard part.count > wanted else { return part.upperBound }
        var end = part.lowerBound + wanted
        while end > part.lowerBound, !machine.isBreak(text.base[end - 1]) { end -= 1 }
        if end > part.lowerBound { return end }
        end = part.lowerBound + wanted + 1
        while !machine.isBreak(text.base[end - 1]) { end += 1 }  // at the latest the LF at the end of the part
        return end
    }

    /// Writes the tokens of a part of the text, which ends with a byte that parts tokens, to `target`, which has
    /// `room` for them. Returns the end of what it wrote.
    func split(
        _ text: Text, _ part: Range<Int>, into target: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        isWide ? split(WideRegisters.self, text, part, target) : split(NarrowRegisters.self, text, part, target)
    }

    private func split<Registers: BlockRegisters>(
        _: Registers.Type, _ text: Text, _ part: Range<Int>, _ target: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        switch split {
        case .whiteSpace: return run(TextKernel<Registers>(small: small), text, part, target)
        case .words: return run(WordKernel<Registers>(small: small), text, part, target)
        case .delimiters:
            return ranges.withUnsafeBufferPointer {
                run(FieldKernel<Registers>(small: small, ranges: $0), text, part, target)
            }
        }
    }

    private func run<Kernel: BlockKernel>(
        _ kernel: Kernel, _ text: Text, _ part: Range<Int>, _ target: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 128) { copy in
            copy.initialize(repeating: 0)  // what is behind the block is read, but not used
            return run(kernel, text, part, target, copy.baseAddress.unsafelyUnwrapped)
        }
    }

    /// - Parameter copy: room for the copy of a block, and as much behind it.
    @inline(__always)
    private func run<Kernel: BlockKernel>(
        _ kernel: Kernel, _ text: Text, _ part: Range<Int>, _ start: UnsafeMutablePointer<UInt8>,
        _ copy: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        var kernel = kernel
        let end = part.upperBound
        // A block reads the byte in front of it, and some behind it: outside of that only the machine can go.
        let firstBlock = 1
        let lastBlock = text.count - 64 - Int(CTOKENIZE_LOOKAHEAD)
        var at = part.lowerBound
        var target = start
        var patience = at
        while at < end {
            var isOpen = false
            var progress = 0
            while at >= firstBlock, at <= lastBlock {
                let open: UInt64 = isOpen ? 1 &<< UInt64(truncatingIfNeeded: progress &- 1) : 0
                let block = kernel.copy(text.base + at, to: copy, open)
                let decided = min(64 - (~block.undecided).leadingZeroBitCount, end - at)
                progress = min(decided, block.hard.trailingZeroBitCount)
                if progress > 0 { squeeze(Kernel.Registers.self, copy, progress, block, &isOpen, into: &target) }
                at += progress
                if at == end { return target }
                if progress < decided || decided == 0 { break }
            }
            // Text of which blocks can do nothing is left to the machine for a while.
            patience = progress < 16 ? at + 256 : at
            if at > lastBlock { patience = end }
            let state = isOpen ? kernel.state(behind: text.base + at) : .none
            machine.run(text, &at, end, patience, state, &target)
        }
        return target
    }
}

/// Writes what is kept of the first `count` bytes of a block: tokens, and one parting byte, now LF, behind each.
/// - Parameters:
///   - copy: the copy of the block, 64 bytes, and behind them as many that may be read.
///   - target: moved behind what was written; 64 bytes are written from its last place before.
///   - isOpen: whether the byte before the block, and then the last of it, belongs to a token.
@inline(__always)
private func squeeze<Registers: BlockRegisters>(
    _: Registers.Type, _ copy: UnsafeMutablePointer<UInt8>, _ count: Int, _ block: Block, _ isOpen: inout Bool,
    into target: inout UnsafeMutablePointer<UInt8>
) {
    let last = UInt64(truncatingIfNeeded: count &- 1)
    let decided: UInt64 = ~0 &>> (63 &- last)
    let kept = ~(block.parts & (block.parts &<< 1 | (isOpen ? 0 : 1))) & decided
    isOpen = (block.parts &>> last) & 1 == 0
    var boundaries = block.boundaries & decided
    if Registers.areWide {
        target = ctokenize_squeeze_wide(target, copy, kept, boundaries)
        return
    }
    var starts = kept & ~(kept &<< 1) | boundaries
    var ends = ~kept & (kept &<< 1) | boundaries & ~1
    if boundaries == 0 {
        while starts != 0 {
            let start = starts.trailingZeroBitCount
            let end = ends.trailingZeroBitCount  // 64 where the last run ends with the block
            UnsafeMutableRawPointer(target).copyMemory(from: copy + start, byteCount: 64)
            target += end &- start
            starts &= starts &- 1
            ends &= ends &- 1
        }
        return
    }
    // Runs are short where they end at boundaries.
    target.pointee = UInt8(ascii: "\n")
    target += Int(truncatingIfNeeded: boundaries & 1)
    boundaries &= ~1
    while starts != 0 {
        let start = starts.trailingZeroBitCount
        let end = ends.trailingZeroBitCount
        var moved = start
        repeat {
            UnsafeMutableRawPointer(target + (moved &- start)).copyMemory(from: copy + moved, byteCount: 16)
            moved &+= 16
        } while moved < end
        target += end &- start
        target.pointee = UInt8(ascii: "\n")
        target += Int(truncatingIfNeeded: (boundaries &>> UInt64(end)) & 1)  // bit 0, for the end at 64, is 0
        starts &= starts &- 1
        ends &= ends &- 1
    }
}
