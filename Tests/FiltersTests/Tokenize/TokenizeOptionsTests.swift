import Bytes
import Filters
import TestSupport
import Testing

@Suite struct TokenizeOptionsTests {
    @Test func delimitersAreTakenOneByOne() throws {
        #expect(DelimiterSet("a")?.contains(UInt8(ascii: "a")) == true)
        #expect(DelimiterSet("a")?.contains(UInt8(ascii: "b")) == false)
        #expect(DelimiterSet("a")?.contains(UInt8(ascii: "\n")) == true)
        #expect(DelimiterSet("a")?.contains(0x80) == false)
        #expect(DelimiterSet(#"\t\n\\"#)?.contains(UInt8(ascii: "\t")) == true)
        #expect(DelimiterSet(#"\t\n\\"#)?.contains(UInt8(ascii: "\\")) == true)
        #expect(DelimiterSet(#"\t\n\\"#)?.contains(UInt8(ascii: "t")) == false)
        for text in ["", "é", "a–", "\\", #"\x"#, #"a\"#] { #expect(DelimiterSet(text) == nil) }
    }

    @Test func anySetOfDelimitersSplitsAsTheReferenceDoes() throws {
        try withEverySeed(200) { generator in
            let count = [1, 2, 5, 30, 100].randomElement(using: &generator) ?? 1
            let bytes = Set((0..<count).map { _ in UInt8.random(in: 0..<128, using: &generator) }).subtracting([
                0x0A, 0x5C,
            ])
            var options = Tokenize.Options()
            options.split = .delimiters(try #require(DelimiterSet(String(decoding: bytes, as: UTF8.self) + "\\\\")))
            let reference = ReferenceTokenizer(.delimiters(bytes.union([0x5C])))
            let input = (0..<1000).map { _ in UInt8.random(in: 0..<140, using: &generator) }
            let expected = reference.lines(input)
            for options in options.ways {
                #expect(try run(Tokenize(options), input, reads: [2000], capacity: 4096).lines == expected)
            }
        }
    }

    @Test func lowerCaseMayBeLongerThanUpperCase() throws {
        #expect(try tokens("İ Ⱥ Ⱦ K Å ẞ ΑΣ") { $0.lowercase = true } == ["i\u{307}", "ⱥ", "ⱦ", "k", "å", "ß", "ασ"])
        let many = String(repeating: "Ⱥ", count: 50_000)
        #expect(try tokens(many) { $0.lowercase = true } == [String(repeating: "ⱥ", count: 50_000)])
    }

    @Test func lengthsAreInCodePoints() throws {
        let text = "a éé 漢漢漢 👍👍👍👍 e\u{301}"
        #expect(try tokens(text) { $0.lengths = 2...3 } == ["éé", "漢漢漢", "e\u{301}"])
        #expect(try tokens(text) { $0.lengths = 4...Int.max } == ["👍👍👍👍"])
        #expect(try tokens(text) { $0.lengths = 1...1 } == ["a"])
        // They are counted as the token comes out.
        #expect(try tokens("İ") { ($0.lengths, $0.lowercase) = (2...2, true) } == ["i\u{307}"])
    }

    @Test func anIllFormedSequenceCountsAsOneCharacter() throws {
        var options = Tokenize.Options()
        options.lengths = 3...3
        // FF, E2 80, F0 9F 98: one each. Then C0 and 80: two.
        let input: [UInt8] = [0xFF, 0xE2, 0x80, 0xF0, 0x9F, 0x98, 0x20, 0x61, 0xC0, 0x80, 0x0A]
        #expect(
            try run(Tokenize(options), input).lines == [
                0xFF, 0xE2, 0x80, 0xF0, 0x9F, 0x98, 0x0A, 0x61, 0xC0, 0x80, 0x0A,
            ])
    }

    @Test func stopWordsAreComparedAsTheTokenComesOut() throws {
        let words = StopWords(Array("the\n\nund\nété\nthe\nThe".utf8))
        #expect(try tokens("The cat the und Été été") { $0.stopWords = words } == ["cat", "Été"])
        #expect(try tokens("The THE cat Été") { ($0.stopWords, $0.lowercase) = (words, true) } == ["cat"])
        #expect(try tokens("a b") { $0.stopWords = StopWords([]) } == ["a", "b"])
        let many = (0..<5000).map(String.init)
        let found = try tokens((0..<10_000).map(String.init).joined(separator: " ")) {
            $0.stopWords = StopWords(Array(many.joined(separator: "\n").utf8))
        }
        #expect(found == (5000..<10_000).map(String.init))
    }

    @Test func carriedFieldsGoInFrontOfEachTokenUnaltered() throws {
        func carry(_ count: Int) -> (inout Tokenize.Options) -> Void {
            { ($0.carry, $0.split, $0.lowercase) = (count, .words, true) }
        }
        #expect(try tokens("10:00 Z\tUP\tThe cat\n", carry(1)) == ["10:00 Z\tup", "10:00 Z\tthe", "10:00 Z\tcat"])
        #expect(try tokens("10:00 Z\tUP\tThe cat\n", carry(2)) == ["10:00 Z\tUP\tthe", "10:00 Z\tUP\tcat"])
        #expect(try tokens("10:00 Z\tUP\tThe cat\n", carry(3)) == [])
        #expect(try tokens("\tA\n\t\n\nB\n", carry(1)) == ["\ta"])
        #expect(
            try tokens("A\tB C", { ($0.carry, $0.lengths, $0.stopWords) = (1, 1...1, StopWords([0x42])) }) == ["A\tC"])
    }

    @Test func aLineWithTooFewFieldsIsNamedByItsNumber() throws {
        var options = Tokenize.Options()
        options.carry = 2
        let input = Array("a\tb\tx y\nc\td\ne\n\nf\tg\tz".utf8)
        let malformed = MalformedLine(number: 3, problem: Tokenize.Problem.missingFields(wanted: 2))
        #expect(throws: malformed) { try run(Tokenize(options), input) }
        #expect(malformed.description == "line 3: fewer than 2 fields")
        let written = try run(Tokenize(options), input, rejecting: true)
        #expect(written.text == "a\tb\tx\na\tb\ty\nf\tg\tz\n")
        #expect(
            String(decoding: written.rejects, as: UTF8.self)
                == "line 3: fewer than 2 fields\te\nline 4: fewer than 2 fields\t\n")
    }

    /// Lines, fields, tokens, one by one.
    @Test func carryAndSelectionAgreeWithTheReferenceHoweverTheInputIsCut() throws {
        try withEverySeed(300) { generator in
            var input: [UInt8] = []
            for _ in 0..<Int.random(in: 1...40, using: &generator) {
                input += TokenizeDifferentialTests.piece(&generator)
                if Bool.random(using: &generator) { input.append(0x09) }
                if Int.random(in: 0..<5, using: &generator) == 0 { input.append(0x0A) }
            }
            var options = TokenizeMode.wordsLowercase.options
            options.carry = Int.random(in: 0...3, using: &generator)
            options.lengths = Int.random(in: 1...3, using: &generator)...Int.random(in: 3...20, using: &generator)
            options.stopWords = StopWords(Array("a\nthe\nカ\nчаю".utf8))
            let stopWords = ["a", "the", "カ", "чаю"].map { Array($0.utf8) }
            var expected: [UInt8] = []
            for line in input.split(separator: 0x0A, omittingEmptySubsequences: false) {
                let fields = line.split(separator: 0x09, maxSplits: options.carry, omittingEmptySubsequences: false)
                guard fields.count > options.carry else { continue }
                let carried = fields.dropLast().flatMap { $0 + [0x09] }
                for token in TokenizeMode.wordsLowercase.reference.tokens(Array(fields[options.carry]))
                where options.lengths.contains(CodePoint.all(in: token).count) && !stopWords.contains(token) {
                    expected += carried + token + [0x0A]
                }
            }
            let reads = (0..<Int.random(in: 1...4, using: &generator)).map { _ in
                Int.random(in: 1...300, using: &generator)
            }
            for options in options.ways {
                let found = try run(Tokenize(options), input, reads: reads, rejecting: true).lines
                #expect(found == expected)
            }
        }
    }

    @Test func nothingComesOutOfNothing() throws {
        for text in ["", "\n", " \t\r\n\n \n", "\u{3000}\u{A0}\n"] { #expect(try tokens(text) == []) }
        for text in ["___ ... 👍 !?\n", "\u{301}\u{200D}_\n"] { #expect(try tokens(text) { $0.split = .words } == []) }
    }

    /// The one way in which words are not as UAX #29 has them by default.
    @Test func aRunOfAScriptWithoutSpacesStaysTogether() throws {
        #expect(try tokens("ภาษาไทย, ລາວ") { $0.split = .words } == ["ภาษาไทย", "ລາວ"])
        #expect(try tokens("ไทยa1") { $0.split = .words } == ["ไทย", "a1"])
    }
}
