import JSONFilters
import TestSupport
import Testing

/// Lines that are made alike are read without a walk, on registers of width 1 and 2. Width 0 walks all of them.
@Suite struct JSONShapesTests {
    static let paths = ["request.path", "n", "items.1", "a.b", "x:number"]

    func found(_ input: [UInt8], width: Int, strict: Bool, reads: [Int] = [1 << 16]) throws -> Written {
        let filter = try FromJSON(paths: Self.paths.map(ValuePath.init(parsing:)), escapes: true, strict: strict)
        _ = filter.use(registers: width)
        return try run(filter, input, reads: reads, capacity: 1 << 16, rejecting: true)
    }

    /// Holds the widths against each other; returns what comes out without strict.
    @discardableResult
    func same(_ lines: [String], reads: [Int] = [1 << 16], _ note: String = "") throws -> Written {
        let input = Array(lines.map { $0 + "\n" }.joined().utf8)
        for strict in [true, false] {
            let slow = try found(input, width: 0, strict: strict)
            for width in 1...2 {
                let fast = try found(input, width: width, strict: strict, reads: reads)
                #expect(fast == slow, "width \(width), strict \(strict) \(note)")
            }
        }
        return try found(input, width: 2, strict: false)
    }

    static let good = #"{"id":1,"request":{"method":"GET","path":"/a"},"n":12,"items":[1,"two"],"x":1.5,"end":null}"#
    static let names = ["id", "request", "method", "path", "n", "items", "x", "end"]

    @Test func aNameThatDiffersIsSeenThoughTheRestIsAlike() throws {
        for name in Self.names {
            for other in Self.names + [String(name.reversed()) + "_", "", "\\u0070ath", "n\\\"", "é"] {
                let line = Self.good.replacing("\"\(name)\":", with: "\"\(other)\":")
                try same([Self.good, Self.good, Self.good, line, Self.good, line, line, line], "\(name), \(other)")
            }
        }
    }

    @Test func aValueThatDiffersIsSeenThoughItsPlaceIsThatOfOthers() throws {
        for (old, new) in [
            ("12", "0"), ("12", "012"), ("12", "null"), ("12", "nul"), ("12", "-"), ("12", "true"), ("12", "1e5"),
            ("1.5", "1."), ("1.5", "false"), ("null", "nil"), ("\"/a\"", "\"\""), ("\"/a\"", "\"\\u0041\\n\""),
            ("\"/a\"", "\"\\ud800\""), ("\"/a\"", "\"é\""), ("\"/a\"", "\"\\q\""), ("\"/a\"", "\"{,:[]}\\\"\""),
            ("\"GET\"", "\"\\q\""), ("\"GET\"", "\"\u{1}\""), ("\"GET\"", "\"\\\\\""), ("[1,", "[x,"),
            (":1,", " : 1 ,"),
            ("]", "}"), ("[", "{"), (",\"n\"", ":\"n\""), ("\"n\":", "\"n\","), ("}", "]"), ("\"GET\"", "5"),
            ("5", "\"GET\""), ("null}", "null}}"), ("null}", "null} "), ("null}", "null}\r"), ("null}", "\"open}"),
        ] {
            let line = Self.good.replacing(old, with: new)
            #expect(line != Self.good)
            try same([Self.good, Self.good, Self.good, line, Self.good, line, line, line], "\(old), \(new)")
        }
    }

    /// Of a name the first member counts; whether a later one that is no value is seen is for the walk to say.
    @Test func aValueThatALaterOneReplacesIsLookedAtAllTheSame() throws {
        let twice = #"{"n":1,"n":2,"x":3}"#
        for other in ["1x", "nul", "-", "01"] {
            let line = twice.replacing(":1", with: ":" + other)
            try same([twice, twice, twice, line, twice, line, line, line], other)
        }
    }

    /// Without strict such lines are taken, and a walk that meets a name in them that it looks for refuses them.
    @Test func nothingIsLearntFromALineThatIsNoJSON() throws {
        for line in [
            #"{"q" 1 2,"n":5}"#, #"{"q":[1 "q" 2],"n":5}"#, #"{"n":5,"q":01}"#, #"{"n":5,"q":{"q" 2,"q":3}}"#,
        ] {
            for name in ["n", "x", "a"] {
                try same([line, line, line, line.replacing("q", with: name), line, line, line])
            }
        }
    }

    @Test func aByteThatIsNoTextIsSeenInAnyPlace() throws {
        let good = Array(Self.good.utf8)
        for at in good.indices {
            for byte: UInt8 in [0xFF, 0xC3, 0x01, 0x5C, 0x22] {
                var bad = good
                bad[at] = byte
                // It lies in another batch than the line that is learnt from.
                let input = Array(repeating: good, count: 10) + [bad, good, good]
                for strict in [true, false] {
                    let bytes = Array(input.joined(separator: [0x0A]))
                    let slow = try found(bytes, width: 0, strict: strict)
                    let fast = try found(bytes, width: 1, strict: strict)
                    #expect(fast == slow, "\(byte) at \(at), strict \(strict)")
                }
            }
        }
    }

    @Test func whatIsReadAtTheEndOfTheInputIsWhatIsReadInFront() throws {
        let line = #"{"n":1}"#
        for count in 1...40 {
            let found = try same(Array(repeating: line, count: count))
            #expect(found.text == String(repeating: "\t1\t\t\t\n", count: count))
        }
    }

    @Test func namesAndLinesOfAnyLengthAreReadAlike() throws {
        for length in [29, 30, 31, 62, 63, 126, 127, 128, 200, 900, 960, 1023, 1024, 4000, 5000] {
            let name = String(repeating: "k", count: length)
            let line = "{\"\(name)\":0,\"n\":7}"
            let other = "{\"\(name.dropLast())j\":0,\"n\":8}"
            let long = "{\"k\":\"\(name)\",\"n\":9}"
            let found = try same([line, line, line, other, line, long, long, long, line, other], "\(length)")
            #expect(found.text == "7778799978".map { "\t\($0)\t\t\t\n" }.joined())
        }
        // More names, and more that matters, than a shape can have.
        for count in [30, 31, 32, 33, 60, 80] {
            let line = "{" + (0..<count).map { "\"k\($0)\":\($0)" }.joined(separator: ",") + ",\"n\":7}"
            let found = try same(Array(repeating: line, count: 5), "\(count)")
            #expect(found.text == String(repeating: "\t7\t\t\t\n", count: 5))
        }
    }

    @Test func linesOfSeveralShapesInAnyOrderAndCutAnywhere() throws {
        let pieces = [
            #""n":1"#, #""n":null"#, #""n":tru"#, #""x":2.5"#, #""x":"2""#, #""a":{"b":"é"}"#, #""a":{"c":"d"}"#,
            #""b":{"a":"e"}"#, #""items":[0,[1]]"#, #""items":[0,{}]"#, #""request":{"path":"\"\\"}"#,
            #""r\u0065quest":{"path":"p"}"#, #""s":"[{,:""#, #""s":"\q""#,
        ]
        try withEverySeed(60) { random in
            let shapes = (0..<5).map { _ in
                (0..<Int.random(in: 0...5, using: &random)).map { _ in pieces.randomElement(using: &random)! }
            }
            let lines = (0..<150).map { _ in
                var members = shapes.randomElement(using: &random)!
                if !members.isEmpty, Int.random(in: 0...9, using: &random) == 0 {
                    members[Int.random(in: members.indices, using: &random)] = pieces.randomElement(using: &random)!
                }
                return ["", "", "", "", " ", "x"].randomElement(using: &random)! + "{" + members.joined(separator: ",")
                    + ["}", "}", "}", "}", "}", "", "}\r"].randomElement(using: &random)!
            }
            try same(lines, reads: [Int.random(in: 1...5000, using: &random), 1 << 16])
        }
    }
}
