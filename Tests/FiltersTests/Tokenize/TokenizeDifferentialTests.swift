import Filters
import TestSupport
import Testing

/// The filter and the reference put out the same bytes.
@Suite struct TokenizeDifferentialTests {
    /// Text of a kind that is hard at its edges: what joins, what is joined, what parts, and what is no text at all.
    static let samples: [String] = [
        "can't 3.14 1,234;5 a.b a:b 1:2 a,b e.g. 'tis a' 'b' x..y 9''9 :a: .5 5.",
        "_ __ a_ _a a_b __a a__b ___ a___b 1_000 _1_ '_' a_'b _.a",
        "Ärger über Öl: ÉTÉ été straße × ÷ Łódź Žižek ŸĲĿ ſ ŉ İstanbul ısı Ÿ",
        "Съешь ЁЖ ещё этих мягких Ѐѝ французских булок, да выпей чаю. Ѡѡ Ґґ",
        "ΣΊΣΥΦΟΣ Σίσυφος ά·β α.β αʹ ς",
        "漢字かなカタカナ交じり文。第1章 ﾊﾝｶｸ ゛ー カ゛ 々〇〆 𠀀𪜀 ㋐ ㍿",
        "漢a字1か_カa カ_カ a_漢 漢_a 漢_カ _漢 _カ é漢é 漢’字 a，b 1，2 漢，字，1：2 a：b．c；Ａ１ 。「」！（）～ ㇰ゠・ヷヿ漢\u{301}カ\u{301}あ゙",
        "ไทยเขียนติดกัน ລາວ ខ្មែរ မြန်မာ",
        "ש\"ל א'ב ש' ג״ז א\"1 א.ב א''ב 'א \"א\"",
        "العربية ١٬٢٣٤ ٣٫١٤ لا،نعم",
        "👩‍👩‍👧 🇩🇪🇫🇷 a‍👍b ❤️ ‍ⓜ  ‍ⓜ _‍ⓜ _‍❤‍ⓜ ℹ️ a‍ⓜ 1.‍ⓜ 👍🏽",
        "e\u{301}te\u{301} a\u{AD}b a\u{200B}b a\u{2060}.b a.\u{301}b '\u{301}a \u{301}a",
        "a\u{A0}b\u{2003}c\u{3000}d\u{202F}e\u{1680}f\u{85}g\u{2028}h 5\u{202F}000",
        "ȺȾ Ω K Å ẞ ǅ Ǆ 𐐀𐐨 Ꭰ ꭰ Ⴀ ⴀ",
        "", " ", "\t\t", "\r", "a\r", "\u{0}a\u{0}", "x",
    ]

    static let ill: [[UInt8]] = [
        [0x80], [0xFF], [0xC0, 0x80], [0xC3], [0xD0], [0xE2, 0x80], [0xE3, 0x80], [0xF0, 0x9F, 0x98],
        [0xED, 0xA0, 0x80],
        [0xF4, 0x90, 0x80, 0x80], [0xE0, 0x80, 0x80], [0xF8, 0x88], [0xC3, 0xC3, 0xA9], [0xD0, 0xD0, 0x90],
        [0xE2, 0x80, 0xE2, 0x80, 0x83],
    ]

    /// A piece of text, from one byte to about 200.
    static func piece(_ generator: inout SeededGenerator) -> [UInt8] {
        switch Int.random(in: 0..<12, using: &generator) {
        case 0: return Array(" ".utf8)
        case 1: return Array("\n".utf8)
        case 2:  // one character of a sample
            let scalars = Array(samples[Int.random(in: 0..<samples.count, using: &generator)].unicodeScalars)
            return scalars.randomElement(using: &generator).map { Array(String(Character($0)).utf8) } ?? []
        case 3: return ill.randomElement(using: &generator) ?? []
        case 4: return [UInt8.random(in: 0...255, using: &generator)]
        case 5: return [UInt8.random(in: 0...127, using: &generator)]
        case 6:
            let point = UInt32.random(in: 0x80...0x2FFF, using: &generator)
            return UnicodeScalar(point).map { Array(String(Character($0)).utf8) } ?? []
        case 7:
            let letters = Array("etaoin shrdlu ETAOIN'.,:;_0123 ".utf8)
            return (0..<Int.random(in: 1...200, using: &generator)).map { _ in
                letters.randomElement(using: &generator) ?? 0
            }
        case 8:
            let one = Array("a_.'1,é".utf8).randomElement(using: &generator) ?? 0
            return Array(repeating: one, count: Int.random(in: 1...150, using: &generator))
        default:
            let words = samples[Int.random(in: 0..<samples.count, using: &generator)].split(separator: " ")
            return Array((words.randomElement(using: &generator) ?? "").utf8)
        }
    }

    /// - Parameter reads: sizes of the pieces in which the input comes; all of it in one chunk without.
    static func check(_ mode: TokenizeMode, _ input: [UInt8], reads: [Int]? = nil) throws {
        let expected = mode.reference.lines(input)
        for options in mode.options.ways {
            let found =
                if let reads {
                    try run(Tokenize(options), input, reads: reads).lines
                } else {
                    try run(Tokenize(options), input, reads: [input.count + 1], capacity: 2 * input.count + 64).lines
                }
            if found != expected { throw Difference(mode: mode, input: input, found: found, expected: expected) }
        }
    }

    struct Difference: Error, CustomStringConvertible {
        let mode: TokenizeMode
        let input, found, expected: [UInt8]
        var description: String {
            let place = zip(found, expected).prefix { $0 == $1 }.count
            func near(_ bytes: [UInt8]) -> String {
                "\(String(decoding: bytes[max(0, place - 40)..<min(bytes.count, place + 40)], as: UTF8.self).debugDescription)"
            }
            return "\(mode): \(near(found)) instead of \(near(expected)) for \(input.count) bytes: \(input.prefix(400))"
        }
    }

    @Test(arguments: TokenizeMode.allCases) func atEveryAlignment(_ mode: TokenizeMode) throws {
        for sample in Self.samples {
            for padding in 0...(isThorough ? 130 : 66) {
                for filler in [" ", "x", ".", "é", "漢", "カ"] {
                    let front = String(repeating: filler, count: padding)
                    // What follows keeps the sample out of the end of the chunk, which only the machine handles.
                    let text = front + sample + " " + String(repeating: "and then. ", count: padding % 30)
                    try Self.check(mode, Array(text.utf8))
                }
            }
        }
    }

    @Test(arguments: TokenizeMode.allCases) func onIllFormedBytesAtEveryAlignment(_ mode: TokenizeMode) throws {
        for bytes in Self.ill {
            for padding in 0...(isThorough ? 130 : 66) {
                for (before, after) in [(" ", " "), ("a", "b"), ("é", "é"), ("カ", "カ"), (".", "."), ("a.", "b")] {
                    let front = Array(String(repeating: "word ", count: padding / 5 + 1).utf8.prefix(padding))
                    let back = Array(String(repeating: " tail", count: 20).utf8)
                    try Self.check(mode, front + Array(before.utf8) + bytes + Array(after.utf8) + back)
                }
            }
        }
    }

    @Test(arguments: TokenizeMode.allCases) func onRandomMixes(_ mode: TokenizeMode) throws {
        try withEverySeed(1500) { generator in
            var input: [UInt8] = []
            for _ in 0..<Int.random(in: 1...60, using: &generator) { input += Self.piece(&generator) }
            try Self.check(mode, input)
        }
    }

    @Test(arguments: TokenizeMode.allCases) func howeverTheInputIsCut(_ mode: TokenizeMode) throws {
        try withEverySeed(300) { generator in
            var input: [UInt8] = []
            for _ in 0..<Int.random(in: 1...40, using: &generator) { input += Self.piece(&generator) }
            let reads = (0..<Int.random(in: 1...5, using: &generator)).map { _ in
                Int.random(in: 1...200, using: &generator)
            }
            try Self.check(mode, input, reads: reads)
        }
    }

    @Test(arguments: TokenizeMode.allCases) func atEveryCutIntoTwo(_ mode: TokenizeMode) throws {
        let input = Array(Self.samples.joined(separator: "\n").utf8)
        let whole = mode.reference.lines(input)
        for cut in 1..<input.count {
            for options in mode.options.ways {
                #expect(try run(Tokenize(options), input, reads: [cut, input.count]).lines == whole)
            }
        }
    }

    @Test(arguments: TokenizeMode.allCases) func onLongTokensAndManyPieces(_ mode: TokenizeMode) throws {
        for length in isThorough ? [1000, 32_767, 32_768, 32_769, 100_000] : [1000, 32_768] {
            for letter in ["x", "é", "Щ", "漢", "カ", "漢カ", "aあ", "_", ".", "👍", "1,", "a.", "，"] {
                let long = String(repeating: letter, count: length)
                try Self.check(mode, Array("a \(long) b\(long)\n c \(long)".utf8))
            }
        }
        let text = (0..<20_000).map { "w\($0 * 7919)\($0 % 13 == 0 ? " Ж" : "")\($0 % 50 == 0 ? "\n" : " ")" }.joined()
        try Self.check(mode, Array(text.utf8))
    }
}
