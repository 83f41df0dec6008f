/// Texts by kind, and whether RFC 8259 has them for JSON: the kinds of Nicolas Seriot's "Parsing JSON is a Minefield".
///
/// What is left to a parser we settle so: numbers of any size and precision are good, and so are \u escapes of lone
/// surrogates; a byte order mark is not, and neither is more than 1023 levels of nesting.
enum JSONCases {
    private static let manyDigits = String(repeating: "1", count: 400)
    private static let longText = String(repeating: "x", count: 1000)

    private static let goodNumbers: [String] = [
        "0", "-0", "1", "-1", "10", "123", "0.5", "-0.0", "1.50", "1e1", "1E1", "1e+1", "1E-1", "0e1", "0e+1",
        "0E0",
        "-0e-0", "1.5e10", "123.456e78", "20e1", "1e-2", "0.4e00669999999999999999999999999999999", "1e999",
        "-1e999",
        "123123e100000", "1e-10000", "1.5e+9999", "-123123123123123123123123123123",
        "100000000000000000000", "9223372036854775808", "18446744073709551616",
        "0.000000000000000000000000000000000000000000000000000000000000000000000000000001",
    ]

    private static let goodStrings: [String] = [
        #""""#, #""a""#, #"" ""#, #""\"""#, #""\\""#, #""\/""#, #""/""#, #""\b\f\n\r\t""#, #""\u0000""#,
        #""\u0012""#,
        #""\u0060\u012a\u12AB""#, #""\u00e9\u00E9""#, #""\ud801\udc37""#, #""\uD83D\uDE39\ud83d\ude39""#,
        #""\uDBFF\uDFFF""#, #""\uFFFE\uFFFF\ufdd0\ufeff""#, #""\u2028\u2029""#, #""\\u0000""#, #""\\a""#,
        #""\\\\\\""#,
        #""\\\"""#, #""a/*b*/c/*d//e""#, #""new\u000Aline""#, #""\u0022\u005C""#, "\"\u{7F}\"", "\"\u{80}\"",
        "\"é漢字😀\"", "\"\u{2028}\u{2029}\u{FEFF}\"", "\"\u{10FFFF}\u{FFFF}\"", #""{}[],:""#, #""true""#,
        #"" \u0020""#,
        #""https:\/\/example.org\/""#,
        // Lone surrogates: good as JSON, though no text.
        #""\ud800""#, #""\udc00""#, #""\ud800\ud800""#, #""\udc00\ud800""#, #""\ud800a""#, #""\ud800\n""#,
        #""\uD888\u1234""#, #""1\uD888""#,
    ]

    private static let goodWords: [String] = [
        "true", "false", "null",
    ]

    private static let goodArrays: [String] = [
        "[]", "[ ]", "[\t\r]", "[1]", "[1,2]", "[ 1 , 2 ]", "[null]", "[[]]", "[[],[]]", "[\"\"]", "[{}]",
        "[1,null,true,false,\"a\",[],{}]", "[[1],[2,[3]]]", "[1]\r", " [1]",
    ]

    private static let goodObjects: [String] = [
        "{}", "{ }", "{\"a\":1}", "{\"\":0}", "{\"a\":{}}", "{ \"a\" : 1 , \"b\" : 2 }", "{\"a\":1,\"a\":2}",
        "{\"a\":1,\"a\":1}", #"{"\u0061":1}"#, #"{"foo\u0000bar":42}"#, #"{"a\"b":1}"#, #"{"\ud800":1}"#,
        "{\"a\":[{\"b\":[]}]}", "{\"é\":\"é\"}", "\t{\t}\r",
    ]

    /// Values, to be put into an object.
    static let goodValues: [(kind: String, texts: [String])] = [
        ("number", goodNumbers + [manyDigits, "0.\(manyDigits)", "-\(manyDigits)e\(manyDigits)"]),
        ("string", goodStrings + ["\"\(longText)\""]),
        ("word", goodWords),
        ("array", goodArrays),
        ("object", goodObjects),
    ]

    private static let badNumbers: [String] = [
        "-", "+", "+1", "++1", "-01", "01", "00", "012", "-012", "1.", "-1.", "2.e3", "2.e+3", "2.e-3", ".1",
        ".", "-.1",
        ".-1", ".2e-3", "1e", "1E", "1e+", "1E+", "1e-", "1e+-1", "1eE2", "0e", "0e+", "0E", "0.3e", "0.3e+",
        "0.1.2",
        "1.0e", "1.0e+", "1.0e-", "1 000", "1_000", "0x1", "0x42", "0xF", "NaN", "nan", "-NaN", "Inf",
        "Infinity", "-Infinity", "+Inf", "- 1", "-foo", "1a", "1.2a", "1.8011670033376514H-308", "1e1x",
        "123\u{0}",
        "1+2", "1-1", "１", "-a", "0a", "9.e+", "1e1.5", "--1", "1\\u0030",
    ]

    private static let badStrings: [String] = [
        "\"", "\"a", "a\"", "'a'", "\"\\\"", "\"\\x\"", "\"\\a\"", "\"\\'\"", "\"\\0\"", "\"\\ \"",
        "\"\\\u{1}\"",
        "\"\\é\"", "\"\\U0041\"", "\"\\u\"", "\"\\u0\"", "\"\\u00A\"", "\"\\u00G0\"", "\"\\u 041\"",
        "\"\\u-041\"",
        "\"\\uD834\\uDd\"", "\"\\ud800\\u\"", "\"\\ud800\\u1\"", "\"\\ud800\\u1x\"", "\"\u{0}\"", "\"\u{1F}\"",
        "\"\t\"",
        "\"a\r\"", "\"\u{8}\"", "\"a\" \"b\"", "\"a\"b\"", "\\n", "\\u0020\"a\"", "\"\\\\\\\"", "\"\"\"", "abc",
        "é", "\"a\"\\",
        "\\\"a\"", "“a”", "`a`",
    ]

    private static let badWords: [String] = [
        "True", "TRUE", "tru", "truee", "true1", "truth", "fals", "falsee", "nul", "nulll", "null0",
        "undefined", "None",
        "t", "f", "n", "true false", "true\u{0}", "\u{0}true", "trUe", "nu ll", "\u{FEFF}true",
    ]

    private static let badArrays: [String] = [
        "[", "]", "[1", "1]", "[1,", "[1,]", "[,1]", "[,]", "[1,,2]", "[1 2]", "[1,2", "[[]", "[]]", "[1}",
        "[\"a\"", "[\"a",
        "[\"a\":1]", "[1:2]", "[:1]", "[\"\": 1]", "[1;2]", "[a]", "[3[4]]", "[1\u{C}]", "[\u{B}]", "[\u{A0}]",
        "[*]",
        "[1,\t,]", "[}", "[{}", "[\\u000A\"\"]", "[-", "[1,2]]", "[true", "[\u{0}]", "[<a>]", "[\u{2060}]",
    ]

    private static let badObjects: [String] = [
        "{", "}", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{,}", "{,\"a\":1}",
        "{\"a\":1,,\"b\":2}",
        "{\"a\" 1}", "{\"a\"}", "{\"a\":}", "{:1}", "{:}", "{a:1}", "{'a':1}", "{1:1}", "{null:1}", "{true:1}",
        "{[]:1}",
        "{{}:1}", "{\"a\"::1}", "{\"a\":1 \"b\":2}", "{\"a\":1;\"b\":2}", "{\"a\"=1}", "{\"a\",1}",
        "{\"a\":1:2}",
        "{\"a\":\"b\"/**/}", "{\"a\":1}//", "{/**/}", "{\"a\":1]", "[{\"a\":1]}", "{\"a\":1}}", "{\"a\":1}{",
        "{\"a\":1}#",
        "{\"a\":1}\"", "{\"a\":1}1", "{\"a\" b}", "{\"a\":\"a", "{\"x\"::\"b\"}", "{\"\u{0}\":1}",
        "{\"a\\q\":1}", "{\"\\u12\":1}",
        "{9999E9999:1}", "{\"a\":a}", "{\"id\":0,,,,,}", "{🇨🇭}",
    ]

    static let badValues: [(kind: String, texts: [String])] = [
        ("number", badNumbers),
        ("string", badStrings),
        ("word", badWords),
        ("array", badArrays),
        ("object", badObjects),
    ]

    /// Bytes that are not UTF-8 (Unicode 15, table 3-7), to be put into a string.
    static let notUTF8: [[UInt8]] = [
        [0x80], [0xBF], [0xFF], [0xFE], [0xC0, 0x80], [0xC0, 0xAF], [0xC1, 0xBF], [0xC3], [0xC3, 0x28],
        [0xE0, 0x80, 0x80],
        [0xE0, 0x9F, 0xBF], [0xE2, 0x82], [0xE2, 0x28, 0xA1], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF],
        [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x8F, 0xBF, 0xBF], [0xF0, 0x9F, 0x98], [0xF4, 0x90, 0x80, 0x80],
        [0xF5, 0x80, 0x80, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80], [0xE9], [0xE4, 0xB8], [0x61, 0x80, 0x62],
    ]

    /// Whole lines that are JSON, or nearly, but no object.
    static let notObjects = [
        "1", "-1.5", "\"a\"", "\"{}\"", "true", "false", "null", "[]", "[{}]", "[1,2]", "{}{}", "{} {}", "{},{}", "{}]",
        "x{}",
        "{}x", "{}\u{0}", "\u{0}{}", "\u{C}{}", "{}\u{C}", "\u{FEFF}{}", "//{}", "<null>", "abc", "{}\u{85}",
        "\u{A0}{}",
    ]

    static func object(_ value: String) -> [UInt8] { Array("{\"k\":\(value)}".utf8) }

    /// Nested objects and arrays, the innermost of them empty or not.
    static func nested(_ levels: Int, inside: String) -> [UInt8] {
        let arrays = String(repeating: "[", count: levels - 1)
        return Array("{\"k\":\(arrays)\(inside)\(String(repeating: "]", count: levels - 1))}".utf8)
    }

    struct Case {
        let kind: String
        let line: [UInt8]
        let isGood: Bool

        /// For messages.
        var text: String { "\(kind): \(String(decoding: line.prefix(80), as: UTF8.self))" }
    }

    /// All of them as lines, with what is to come of them.
    static let all: [Case] = {
        var all: [Case] = []
        func add(_ kind: String, _ line: [UInt8], _ isGood: Bool) {
            all.append(Case(kind: kind, line: line, isGood: isGood))
        }
        for (kind, texts) in goodValues {
            for text in texts {
                add(kind, object(text), true)
                add(kind, Array(" {\"x\" : [ \(text) , \(text) ] } ".utf8), true)
            }
        }
        for (kind, texts) in badValues {
            for text in texts {
                add(kind, object(text), false)
                add(kind, Array("{\"x\":[0,\(text)],\"k\":1}".utf8), false)
            }
        }
        for bytes in notUTF8 {
            add("UTF-8", Array("{\"k\":\"".utf8) + bytes + Array("\"}".utf8), false)
            add("UTF-8", Array("{\"".utf8) + bytes + Array("\":1}".utf8), false)
        }
        for text in notObjects { add("no object", Array(text.utf8), false) }
        for levels in [1000, 1023, 1024, 1025, 5000] { add("depth", nested(levels, inside: "1"), levels < 1024) }
        for levels in [1023, 1024] { add("depth", nested(levels, inside: "[]"), levels < 1024) }
        return all
    }()
}
