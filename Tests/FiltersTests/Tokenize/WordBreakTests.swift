import Filters
import TestSupport
import Testing

/// The cases that Unicode publishes for UAX #29.
@Suite struct WordBreakTests {
    struct Case {
        let points: [UInt32]
        /// The offsets at which there is a boundary.
        let boundaries: [Int]
        let line: Substring
    }

    static func cases() throws -> [Case] {
        try UnicodeData.lines(of: "auxiliary/WordBreakTest.txt").compactMap { line in
            let words = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" }
            guard !words.isEmpty else { return nil }
            var points: [UInt32] = []
            var boundaries: [Int] = []
            for word in words {
                if let point = UInt32(word, radix: 16) {
                    points.append(point)
                } else if word == "÷" {
                    boundaries.append(points.count)
                }
            }
            return Case(points: points, boundaries: boundaries, line: line)
        }
    }

    @Test func theReferencePassesEveryCase() throws {
        let cases = try Self.cases()
        #expect(cases.count > 1800)
        for test in cases { #expect(WordBoundaries(test.points).offsets == test.boundaries, "\(test.line)") }
    }

    /// Here the segments come from the file. The reference only says which of them, or which part, is a word.
    @Test func theSegmentsWithALetterOrADigitComeOut() throws {
        var options = Tokenize.Options()
        options.split = .words
        for test in try Self.cases() {
            let segments = zip(test.boundaries, test.boundaries.dropFirst()).map { Array(test.points[$0..<$1]) }
            let expected = segments.flatMap { segment in
                WordBoundaries(segment).words.map { Self.utf8(segment[$0]) + [0x0A] }
            }
            let input = Self.utf8(test.points[...])
            for options in options.ways {
                #expect(try run(Tokenize(options), input).lines == expected.flatMap { $0 }, "\(test.line)")
            }
        }
    }

    static func utf8(_ points: ArraySlice<UInt32>) -> [UInt8] {
        points.flatMap { point in Array(String(UnicodeScalar(point).map(Character.init) ?? "?").utf8) }
    }
}
