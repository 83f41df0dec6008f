/// What `tokenize` is to put out, worked out the slow and obvious way from the Unicode data themselves.
public struct ReferenceTokenizer: Sendable {
    public enum Split: Sendable {
        case whiteSpace
        case words
        case delimiters(Set<UInt8>)
    }

    public var split: Split
    public var lowercase: Bool

    public init(_ split: Split, lowercase: Bool = false) {
        self.split = split
        self.lowercase = lowercase
    }

    /// The tokens of all lines, each with an LF.
    public func lines(_ input: [UInt8]) -> [UInt8] {
        input.split(separator: 0x0A).flatMap { tokens(Array($0)).flatMap { $0 + [0x0A] } }
    }

    /// The tokens of a line.
    public func tokens(_ line: [UInt8]) -> [[UInt8]] {
        let characters = CodePoint.all(in: line)
        let parts: [Range<Int>]
        switch split {
        case .words: parts = WordBoundaries(characters.map(\.point)).words
        case .whiteSpace:
            parts = runs(characters) { character in
                character.point.map { UnicodeData.shared.isWhiteSpace[Int($0)] } ?? false
            }
        case .delimiters(let set): parts = runs(characters) { $0.bytes.count == 1 && set.contains($0.bytes[0]) }
        }
        return parts.map { part in characters[part].flatMap { lowercase ? $0.lowercase : $0.bytes } }
    }

    private func runs(_ characters: [CodePoint], without isSeparator: (CodePoint) -> Bool) -> [Range<Int>] {
        characters.indices.split { isSeparator(characters[$0]) }.map { $0.startIndex..<$0.endIndex }
    }
}

/// A code point, or a maximal subpart of an ill-formed sequence.
public struct CodePoint: Sendable {
    public let bytes: [UInt8]
    /// Nil where the bytes are ill-formed.
    public let point: UInt32?

    /// The rows of Table 3-7 of the Unicode standard: well-formed sequences.
    private static let wellFormed: [[ClosedRange<UInt8>]] = [
        [0x00...0x7F],
        [0xC2...0xDF, 0x80...0xBF],
        [0xE0...0xE0, 0xA0...0xBF, 0x80...0xBF],
        [0xE1...0xEC, 0x80...0xBF, 0x80...0xBF],
        [0xED...0xED, 0x80...0x9F, 0x80...0xBF],
        [0xEE...0xEF, 0x80...0xBF, 0x80...0xBF],
        [0xF0...0xF0, 0x90...0xBF, 0x80...0xBF, 0x80...0xBF],
        [0xF1...0xF3, 0x80...0xBF, 0x80...0xBF, 0x80...0xBF],
        [0xF4...0xF4, 0x80...0x8F, 0x80...0xBF, 0x80...0xBF],
    ]

    public static func all(in bytes: [UInt8]) -> [CodePoint] {
        var rest = bytes[...]
        var found: [CodePoint] = []
        while let first = rest.first {
            let row = wellFormed.first { $0[0].contains(first) } ?? []
            let length = max(1, zip(row, rest).prefix { $0.contains($1) }.count)
            let own = Array(rest.prefix(length))
            found.append(CodePoint(bytes: own, point: length == row.count ? value(own) : nil))
            rest = rest.dropFirst(length)
        }
        return found
    }

    private static func value(_ bytes: [UInt8]) -> UInt32 {
        if bytes.count == 1 { return UInt32(bytes[0]) }
        let leading = UInt32(bytes[0]) & (0x7F >> UInt32(bytes.count))
        return bytes.dropFirst().reduce(leading) { $0 << 6 | UInt32($1 & 0x3F) }
    }

    var lowercase: [UInt8] {
        guard let point, let lower = UnicodeData.shared.lowercase[point] else { return bytes }
        return lower.flatMap { Array(String(UnicodeScalar($0).map(Character.init) ?? "?").utf8) }
    }
}
