import CTokenize

/// Splits text one code point at a time, by a table from state and class to what is to be done.
///
/// A character whose belonging depends on a later one is written at once and taken back if it turns out not to belong.
/// So the machine reads each byte once, and there is no look ahead.
struct CodePointMachine: ~Copyable {
    /// What the token so far ends with, marks left out of account.
    enum State: UInt16, CaseIterable {
        /// There is no token.
        case none
        case letter, hebrew, number, katakana, southEastAsian
        /// An ideograph, Hiragana, or a pictograph that a joiner has attached: only marks belong to it.
        case single
        /// `_` or the like, with a word in front of it.
        case connector
        /// The token has nothing else so far, and may be none.
        case onlyConnectors
        /// A letter and what joins two of them; likewise for numbers, and for the quotes of Hebrew.
        case letterMiddle, numberMiddle, hebrewQuote, hebrewDoubleQuote
    }

    /// What to do with a code point, in this order, and the state behind it.
    struct Step {
        /// Take back what was written since the last mark.
        var rewinds = false
        /// The token ends before this code point.
        var ends = false
        /// From this code point on, what is written may be taken back.
        var marks = false
        /// The code point belongs to a token.
        var keeps = false
        var next = State.none
        /// The code point was a joiner (ZWJ) in a token.
        var nextIsJoined = false
    }

    /// A step as 16 bits: bits 0 to 3 what to do, bits 5 to 9 the state.
    private enum Bits {
        static let ends: Int = 1
        static let keeps: Int = 2
        static let rewinds: Int = 4
        static let marks: Int = 8
        static let state: Int = 0x3E0
    }

    /// 32 classes for each of the 16 states, without a joiner at the end and then with one.
    private let steps: UnsafeMutablePointer<UInt16>
    /// Of each ASCII byte the class, and in the high byte its lower case.
    private let ascii: UnsafeMutablePointer<UInt16>
    /// The class of each record, and 0x80 if what has it is to be changed to lower case.
    private let kinds: UnsafeMutablePointer<UInt8>

    init(_ split: Split, lowercase: Bool) {
        ascii = .allocate(capacity: 128)
        for byte in 0..<UInt8(128) {
            let isUpper = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            let written = lowercase && isUpper ? byte | 0x20 : byte
            ascii[Int(byte)] = UInt16(written) << 8 | UInt16(split.asciiClass(byte).rawValue)
        }
        steps = .allocate(capacity: 32 * 32)
        steps.initialize(repeating: 0, count: 32 * 32)
        for state in State.allCases {
            for isJoined in [false, true] {
                for number in ctokenize_class.other.rawValue...ctokenize_class.break.rawValue {
                    guard let kind = ctokenize_class(rawValue: number) else { continue }
                    let step = split.step(from: state, isJoined: isJoined, kind)
                    var bits = Int(step.next.rawValue | (step.nextIsJoined ? 16 : 0)) << 5
                    if step.ends { bits |= Bits.ends }
                    if step.keeps { bits |= Bits.keeps }
                    if step.rewinds { bits |= Bits.rewinds }
                    if step.marks { bits |= Bits.marks }
                    steps[Int((state.rawValue | (isJoined ? 16 : 0)) << 5 | UInt16(number))] = UInt16(bits)
                }
            }
        }
        kinds = .allocate(capacity: 256)
        kinds.initialize(repeating: ctokenize_class.illFormed.rawValue, count: 256)
        for record in 0..<ctokenize_record_count {
            kinds[Int(record)] = ctokenize_class_at(record) | (lowercase && ctokenize_step_at(record) != 0 ? 0x80 : 0)
        }
    }

    deinit {
        ascii.deallocate()
        steps.deallocate()
        kinds.deallocate()
    }

    func isBreak(_ byte: UInt8) -> Bool {
        byte < 0x80 && UInt8(truncatingIfNeeded: ascii[Int(byte)]) == ctokenize_class.break.rawValue
    }

    /// Goes on from `at` to a place between two tokens at `patience` or behind it, or to `end`.
    /// - Parameters:
    ///   - end: behind a byte that parts tokens.
    ///   - state: that of the bytes before `at`.
    ///   - target: where to write; has room as `Splitter.room` says.
    func run(
        _ text: Text, _ at: inout Int, _ end: Int, _ patience: Int, _ state: State,
        _ output: inout UnsafeMutablePointer<UInt8>
    ) {
        var source = text.base + at
        let stop = text.base + min(patience, end)
        let last = text.base + end
        var target = output
        var mark = target
        var state = Int(state.rawValue) &<< 5
        repeat {
            let first = source.pointee
            let step: Int
            if first < 0x80 {
                let known = ascii[Int(first)]  // first < 128
                step = Int(steps[state | Int(known & 0x1F)])  // state < 32 · 32, in multiples of 32
                part(step, &target, &mark)
                target.pointee = UInt8(truncatingIfNeeded: known &>> 8)
                target += (step & Bits.keeps) &>> 1
                source += 1
            } else {
                let word = source.word(last - source)
                let found = CodePoint(word)
                let kind = Int(kinds[Int(ctokenize_record(found.point))])
                step = Int(steps[state | kind & 0x1F])
                part(step, &target, &mark)
                // Four bytes, of which only those of the code point are kept, and only where it belongs to a token.
                UnsafeMutableRawPointer(target).storeBytes(of: word.littleEndian, as: UInt32.self)
                let written = kind < 0x80 ? found.length : writeLowerCase(of: found.point, to: target)
                target += written & (0 &- ((step & Bits.keeps) &>> 1))
                source += found.length
            }
            state = step & Bits.state
        } while state != 0 || source < stop
        at = source - text.base
        output = target
    }

    /// What a step does before it keeps its code point, or does not.
    @inline(__always)
    private func part(
        _ step: Int, _ target: inout UnsafeMutablePointer<UInt8>, _ mark: inout UnsafeMutablePointer<UInt8>
    ) {
        if step & (Bits.rewinds | Bits.marks) != 0 {
            if step & Bits.rewinds != 0 { target = mark }
            if step & Bits.marks != 0 { mark = target + (step & Bits.ends) }
        }
        target.pointee = UInt8(ascii: "\n")
        target += step & Bits.ends
    }

    /// Writes the lower case of a code point and returns how many bytes it took, at most half more than before.
    @inline(never)
    private func writeLowerCase(of upper: UInt32, to target: UnsafeMutablePointer<UInt8>) -> Int {
        if upper == 0x130 {  // I with a dot above: the one whose lower case is two code points, i and the dot
            (target[0], target[1], target[2]) = (UInt8(ascii: "i"), 0xCC, 0x87)
            return 3
        }
        let point = UInt32(bitPattern: Int32(bitPattern: upper) &+ ctokenize_step_at(ctokenize_record(upper)))
        func tail(_ shift: UInt32) -> UInt8 { 0x80 | UInt8(truncatingIfNeeded: point >> shift) & 0x3F }
        switch point {
        case 0..<0x80:
            target[0] = UInt8(truncatingIfNeeded: point)
            return 1
        case 0x80..<0x800:
            (target[0], target[1]) = (0xC0 | UInt8(truncatingIfNeeded: point >> 6), tail(0))
            return 2
        case 0x800..<0x10000:
            (target[0], target[1], target[2]) = (0xE0 | UInt8(truncatingIfNeeded: point >> 12), tail(6), tail(0))
            return 3
        default:
            (target[0], target[1]) = (0xF0 | UInt8(truncatingIfNeeded: point >> 18), tail(12))
            (target[2], target[3]) = (tail(6), tail(0))
            return 4
        }
    }
}
