/// UAX #29, section 4.1.1, rule by rule: slow and obvious.
public struct WordBoundaries {
    private let points: [UInt32?]
    private let kinds: [UnicodeData.WordBreak]
    private let data = UnicodeData.shared

    /// - Parameter points: nil for an ill-formed sequence.
    public init(_ points: [UInt32?]) {
        self.points = points
        kinds = points.map { point in point.map { UnicodeData.shared.wordBreak[Int($0)] } ?? .other }
    }

    /// The offsets at which there is a boundary, the first and the last included.
    public var offsets: [Int] { points.isEmpty ? [] : (0...points.count).filter(isBoundary) }

    private func isBoundary(_ at: Int) -> Bool {
        guard at > 0, at < kinds.count else { return true }  // WB1, WB2
        let (before, after) = (kinds[at - 1], kinds[at])
        if before == .CR, after == .LF { return false }  // WB3
        if isLineEnd(before) || isLineEnd(after) { return true }  // WB3a, WB3b
        if before == .ZWJ, has(data.isPictograph, at) { return false }  // WB3c
        if before == .WSegSpace, after == .WSegSpace { return false }  // WB3d
        if isMark(after) { return false }  // WB4
        // From here on a character stands for itself and the marks behind it.
        let left = base(before: at)
        let (one, two) = (left.map { kinds[$0] }, after)
        let zero = left.flatMap(base(before:)).map { kinds[$0] }
        let three = base(after: at).map { kinds[$0] }
        if isLetter(one), isLetter(two) { return false }  // WB5
        if isLetter(one), isMidLetter(two), isLetter(three) { return false }  // WB6
        if isLetter(zero), isMidLetter(one), isLetter(two) { return false }  // WB7
        if one == .Hebrew_Letter, two == .Single_Quote { return false }  // WB7a
        if one == .Hebrew_Letter, two == .Double_Quote, three == .Hebrew_Letter { return false }  // WB7b
        if zero == .Hebrew_Letter, one == .Double_Quote, two == .Hebrew_Letter { return false }  // WB7c
        if one == .Numeric, two == .Numeric { return false }  // WB8
        if isLetter(one), two == .Numeric { return false }  // WB9
        if one == .Numeric, isLetter(two) { return false }  // WB10
        if zero == .Numeric, isMidNumber(one), two == .Numeric { return false }  // WB11
        if one == .Numeric, isMidNumber(two), three == .Numeric { return false }  // WB12
        if one == .Katakana, two == .Katakana { return false }  // WB13
        if isLetter(one) || one == .Numeric || one == .Katakana || one == .ExtendNumLet, two == .ExtendNumLet {
            return false  // WB13a
        }
        if one == .ExtendNumLet, isLetter(two) || two == .Numeric || two == .Katakana { return false }  // WB13b
        if two == .Regional_Indicator, indicators(before: at) % 2 == 1 { return false }  // WB15, WB16
        // Not in UAX #29: scripts without spaces between words.
        if let left, isSouthEastAsian(left), isSouthEastAsian(at) { return false }
        return true  // WB999
    }

    private func has(_ flags: [Bool], _ at: Int) -> Bool { points[at].map { flags[Int($0)] } ?? false }
    private func isLineEnd(_ kind: UnicodeData.WordBreak) -> Bool { kind == .CR || kind == .LF || kind == .Newline }
    private func isMark(_ kind: UnicodeData.WordBreak) -> Bool { kind == .Extend || kind == .Format || kind == .ZWJ }
    private func isLetter(_ kind: UnicodeData.WordBreak?) -> Bool { kind == .ALetter || kind == .Hebrew_Letter }
    private func isMidLetter(_ kind: UnicodeData.WordBreak?) -> Bool {
        kind == .MidLetter || kind == .MidNumLet || kind == .Single_Quote
    }
    private func isMidNumber(_ kind: UnicodeData.WordBreak?) -> Bool {
        kind == .MidNum || kind == .MidNumLet || kind == .Single_Quote
    }
    private func isSouthEastAsian(_ at: Int) -> Bool { kinds[at] == .other && has(data.isSouthEastAsian, at) }

    /// WB4: the character before `at` that is no mark of another; nil where there is none.
    private func base(before at: Int) -> Int? {
        guard at > 0 else { return nil }
        var found = at - 1
        while isMark(kinds[found]), found > 0, !isLineEnd(kinds[found - 1]) { found -= 1 }
        return found
    }

    private func base(after at: Int) -> Int? { kinds.indices.dropFirst(at + 1).first { !isMark(kinds[$0]) } }

    private func indicators(before at: Int) -> Int {
        var (count, place) = (0, base(before: at))
        while let found = place, kinds[found] == .Regional_Indicator {
            count += 1
            place = base(before: found)
        }
        return count
    }

    /// The parts that come out: of each segment with a letter, a digit, an ideograph or kana what begins with the first
    /// such character, and connectors in front of it.
    public var words: [Range<Int>] {
        zip(offsets, offsets.dropFirst()).compactMap { start, end in
            guard let first = (start..<end).first(where: isWordCharacter) else { return nil }
            var from = first
            while from > start, isMark(kinds[from - 1]) || kinds[from - 1] == .ExtendNumLet { from -= 1 }
            while from < first, kinds[from] != .ExtendNumLet { from += 1 }
            return from..<end
        }
    }

    private func isWordCharacter(_ at: Int) -> Bool {
        has(data.isLetterLike, at) && !isMark(kinds[at]) && kinds[at] != .ExtendNumLet
    }
}
