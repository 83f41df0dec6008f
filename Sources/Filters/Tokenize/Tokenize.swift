public import Bytes
import CBytes

/// Prints the tokens of each line, one a line.
///
/// Nothing is kept between lines. Text costs a few instructions per 64 bytes where it is ASCII or other easy letters, and
/// some ten a code point elsewhere; `--carry`, lengths and stop words add a second look at each token. Nothing is
/// allocated for a line, unless it has a token that is longer than any before.
public struct Tokenize: ~Copyable, Filter {
    public enum Problem: LineProblem {
        /// `--carry` asks for more fields than the line has.
        case missingFields(wanted: Int)

        public var description: String {
            switch self {
            case .missingFields(let wanted): "fewer than \(wanted) fields"
            }
        }
    }

    public struct Options: Sendable {
        public var split = Split.whiteSpace
        public var lowercase = false
        /// In characters.
        public var lengths = 1...Int.max
        public var stopWords: StopWords?
        /// How many leading fields of a line go in front of each of its tokens.
        public var carry = 0
        /// Uses registers of 64 bytes where the processor has them. What comes out is the same.
        public var wideRegisters = true

        public init() {}
    }

    private let splitter: Splitter
    private let selection: Selection
    private let carry: Int
    /// Tokens on their way to the selection.
    private var scratch = Scratch()

    public init(_ options: Options = Options()) {
        splitter = Splitter(options.split, lowercase: options.lowercase, wideRegisters: options.wideRegisters)
        selection = Selection(lengths: options.lengths, stopWords: options.stopWords)
        carry = options.carry
    }

    public mutating func consume(
        _ lines: Span<UInt8>, firstLine: Int, now: Moment, into output: inout Output
    ) throws(MalformedLine<Problem>) {
        try lines.withUnsafeBytes { (bytes) throws(MalformedLine<Problem>) in
            guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
            let text = Text(base: base, count: bytes.count)
            if carry > 0 {
                try consume(text, bytes, firstLine: firstLine, into: &output)
            } else if selection.takesAll {
                var rest = 0..<text.count
                while !rest.isEmpty {
                    let piece = rest.lowerBound..<splitter.pieceEnd(of: text, rest)
                    let target = output.lines.reserve(Splitter.room(for: piece.count))
                    output.lines.commit(splitter.split(text, piece, into: target) - target)
                    rest = piece.upperBound..<rest.upperBound
                }
            } else {
                select(text, 0..<text.count, behind: nil, into: &output.lines)
            }
        }
    }

    /// The lines of `text`, one by one, each with fields to be carried.
    private mutating func consume(
        _ text: Text, _ bytes: UnsafeRawBufferPointer, firstLine: Int, into output: inout Output
    ) throws(MalformedLine<Problem>) {
        var scanner = LineScanner(bytes)
        var number = firstLine
        while let line = scanner.next() {
            // The end of the last field to carry.
            var end = line.lowerBound
            var found = 0
            while found < carry, end <= line.upperBound {
                if found > 0 { end += 1 }
                end += cbytes_first(text.base + end, UInt8(ascii: "\t"), line.upperBound - end)
                found += 1
                if end == line.upperBound { break }
            }
            if found < carry {
                let problem = Problem.missingFields(wanted: carry)
                try output.reject(UnsafeRawBufferPointer(rebasing: bytes[line]), number: number, problem)
            } else if end < line.upperBound {
                let carried = UnsafeRawBufferPointer(rebasing: bytes[line.lowerBound..<end])
                select(text, (end + 1)..<(line.upperBound + 1), behind: carried, into: &output.lines)
            }
            number += 1
        }
    }

    /// Tokens of a part of the text, piece by piece, so that those of one are still in the cache when they are looked at.
    private mutating func select(
        _ text: Text, _ part: Range<Int>, behind carried: UnsafeRawBufferPointer?, into output: inout OutputBuffer
    ) {
        var rest = part
        while !rest.isEmpty {
            let piece = rest.lowerBound..<splitter.pieceEnd(of: text, rest)
            let target = scratch.space(Splitter.room(for: piece.count))
            let count = splitter.split(text, piece, into: target) - target
            selection.append(UnsafeRawBufferPointer(start: target, count: count), behind: carried, to: &output)
            rest = piece.upperBound..<rest.upperBound
        }
    }
}

/// Memory that is used again and again; grows to the largest that was asked for.
private struct Scratch: ~Copyable {
    private var storage = UnsafeMutablePointer<UInt8>.allocate(capacity: 1)
    private var capacity = 1

    deinit { storage.deallocate() }

    /// Room for `count` bytes, good until the next call.
    mutating func space(_ count: Int) -> UnsafeMutablePointer<UInt8> {
        if count > capacity {
            storage.deallocate()
            storage = .allocate(capacity: count)
            capacity = count
        }
        return storage
    }
}
