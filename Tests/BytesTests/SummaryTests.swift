import Bytes
import Testing

@Suite struct SummaryTests {
    @Test func isOneJSONObjectInTheOrderOfItsFacts() {
        var summary = Summary()
        #expect(summary.json == "{}")
        summary.add("tool", "tokenize")
        summary.add("read", Int.max)
        summary.add("exact", .flag(true))
        summary.add("error", .number(0.25))
        summary.add("infinite", .number(.infinity))
        summary.add("unknown", .null)
        #expect(
            summary.json == """
                {"tool":"tokenize","read":9223372036854775807,"exact":true,"error":0.25,"infinite":null,"unknown":null}
                """)
    }

    @Test func textIsEscaped() {
        var summary = Summary()
        summary.add("text", "a\"b\\c\n\u{1}é")
        #expect(summary.json == #"{"text":"a\"b\\c\u000a\u0001é"}"#)
    }

    @Test func factsOfAnotherAreAddedBehind() {
        var (left, right) = (Summary(), Summary())
        left.add("a", 1)
        right.add("b", 2)
        left.add(contentsOf: right)
        #expect(left.json == #"{"a":1,"b":2}"#)
        #expect(left != right)
    }
}

@Suite struct QuotedTests {
    @Test(arguments: [
        ("", "\"\""), ("12x", "\"12x\""), ("a\"b\\c", #""a\"b\\c""#), ("a\tb", #""a\tb""#),
        ("\r\n\0", #""\x0d\x0a\x00""#),
        ("é", #""\xc3\xa9""#), (String(repeating: "x", count: 40), "\"" + String(repeating: "x", count: 40) + "\""),
        (String(repeating: "x", count: 41), "\"" + String(repeating: "x", count: 40) + "…\""),
    ])
    func bytesAreShownOnOneLine(_ text: String, _ expected: String) {
        #expect(Array(text.utf8).withUnsafeBytes { quoted($0) } == expected)
    }
}
