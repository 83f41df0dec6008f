import Bytes
import JSONFilters
import TestSupport
import Testing

@Suite struct FromJSONTests {
    func filter(
        _ paths: [String], each: String? = nil, missing: FromJSON.Missing = .empty, escapes: Bool = false,
        strict: Bool = false
    ) throws -> FromJSON {
        try FromJSON(
            paths: paths.map(ValuePath.init(parsing:)), each: each.map(ValuePath.init(parsing:)), missing: missing,
            escapes: escapes, strict: strict)
    }

    /// What one line comes to, strict or not: its fields, or what is wrong with it.
    func outcome(
        _ line: String, _ paths: String..., each: String? = nil, missing: FromJSON.Missing = .empty,
        escapes: Bool = false
    ) throws -> String {
        func found(strict: Bool) throws -> String {
            do {
                let filter = try filter(paths, each: each, missing: missing, escapes: escapes, strict: strict)
                return try run(filter, Array(line.utf8) + [0x0A]).text
            } catch let error as MalformedLine<FromJSON.Problem> {
                return error.problem.description
            }
        }
        let (strict, loose) = (try found(strict: true), try found(strict: false))
        #expect(strict == loose)
        return strict
    }

    @Test func valuesComeInTheOrderOfThePaths() throws {
        let line = #"{"a":"x","b":{"c":1.50,"d":[true,{"e":null,"f":"y"}]}}"#
        #expect(try outcome(line, "b.c", "a", "b.d.0", "b.d.1.f", "a") == "1.50\tx\ttrue\ty\tx\n")
        #expect(
            try outcome(line, "b.d", "b")
                == "[true,{\"e\":null,\"f\":\"y\"}]\t{\"c\":1.50,\"d\":[true,{\"e\":null,\"f\":\"y\"}]}\n")
        #expect(try outcome(line, ".") == line + "\n")
    }

    @Test func numbersPassByteForByte() throws {
        for number in ["0", "-0", "1.10", "1e999", "1E+05", String(repeating: "9", count: 400), "0.30000000000000004"] {
            #expect(try outcome("{\"n\":\(number)}", "n") == number + "\n")
            #expect(try outcome("{\"n\" : \(number) , \"m\":1}", "n:number") == number + "\n")
        }
    }

    @Test func stringsHaveTheirEscapesUndone() throws {
        #expect(
            try outcome(#"{"s":"a\"\\\/\b\f\r\u00e9\u20AC\ud83d\ude00\u0000z"}"#, "s") == "a\"\\/\u{8}\u{C}\ré€😀\0z\n")
        #expect(try outcome("{\"s\":\"é€😀\"}", "s") == "é€😀\n")
        let long = String(repeating: "x", count: 5000)
        #expect(try outcome("{\"s\":\"\(long)\\u0041\(long)\"}", "s") == "\(long)A\(long)\n")
    }

    @Test func halfOfASurrogatePairIsNoText() throws {
        for text in [#"\ud800"#, #"\udc00"#, #"a\ud83dx"#, #"\ud800\ud800"#, #"\ud83d\n"#, #"\ude00\ud83d"#] {
            let found = try outcome("{\"s\":\"\(text)\",\"t\":1}", "s")
            #expect(found == "field \"s\" has half of a surrogate pair, which no text can have")
            #expect(try outcome("{\"s\":\"\(text)\",\"t\":1}", "t") == "1\n")
            // As JSON it is good, and stays as it was written.
            #expect(try outcome("{\"s\":[\"\(text)\"]}", "s") == "[\"\(text)\"]\n")
        }
    }

    @Test func aTabOrLFCannotBeInAFieldUnlessItIsEscaped() throws {
        #expect(try outcome(#"{"s":"a\tb"}"#, "s") == "field \"s\" holds a TAB, which no field can (--escape)")
        #expect(try outcome(#"{"s":"a\u000ab"}"#, "s") == "field \"s\" holds an LF, which no field can (--escape)")
        #expect(try outcome(#"{"s":"a\\b\rc"}"#, "s") == "a\\b\rc\n")
        #expect(try outcome(#"{"s":"\ta\u0009\n\r\\b\/\u005C"}"#, "s", escapes: true) == #"\ta\t\n\r\\b/\\"# + "\n")
        #expect(try outcome(#"{"s":["\t\\"]}"#, "s", escapes: true) == #"["\t\\"]"# + "\n")
    }

    @Test func whatIsMissingOrNullIsAnEmptyFieldOrAWordOrNoLineOrMalformed() throws {
        let line = #"{"a":null,"b":1,"c":{"d":2},"e":[]}"#
        #expect(try outcome(line, "a", "b", "x", "b.y", "c.x", "e.0", "c.0") == "\t1\t\t\t\t\t\n")
        #expect(try outcome(line, "a", "b", missing: .word(Array("NULL".utf8))) == "NULL\t1\n")
        #expect(try outcome(line, "a:int", missing: .word([])) == "\n")
        #expect(try outcome(line, "b", "x", missing: .skip) == "")
        #expect(try outcome(line, "x", missing: .reject) == "field \"x\" is missing")
        #expect(try outcome(line, "a", missing: .reject) == "field \"a\" is missing")
        #expect(try outcome(#"{"s":""}"#, "s", missing: .reject) == "\n")
    }

    @Test func anotherTypeIsMalformed() throws {
        let line = #"{"i":-12,"f":1.0,"s":"x","b":true,"t":"2026-11-22T10:00:00.5+01:00","o":{},"a":[1]}"#
        let cases: [(path: String, type: String, isGood: Bool)] = [
            ("i", "int", true), ("f", "int", false), ("s", "int", false), ("b", "int", false), ("i", "number", true),
            ("f", "number", true), ("s", "number", false), ("s", "string", true), ("i", "string", false),
            ("b", "string", false), ("o", "string", false), ("b", "bool", true), ("s", "bool", false),
            ("i", "bool", false),
            ("t", "time", true), ("s", "time", false), ("i", "time", false), ("o", "any", true), ("a", "int", false),
        ]
        for (path, type, isGood) in cases {
            #expect(
                try outcome(line, "\(path):\(type)").hasPrefix("field \"\(path)\" is not ") == !isGood,
                "\(path):\(type)")
        }
        #expect(try outcome(line, "s:int") == "field \"s\" is not an int: \"x\"")
        #expect(try outcome(#"{"n":"12"}"#, "n:int") == "field \"n\" is not an int: \"12\"")
        #expect(try outcome(#"{"t":"2026-11-22T10:00:0\u0030Z"}"#, "t:time") == "2026-11-22T10:00:00Z\n")
    }

    @Test func ofMembersOfTheSameNameTheFirstCounts() throws {
        #expect(try outcome(#"{"a":1,"a":2}"#, "a") == "1\n")
        #expect(try outcome(#"{"a":null,"a":2}"#, "a") == "\n")
        #expect(try outcome(#"{"a":{"b":1},"a":{"b":2,"c":3}}"#, "a.b", "a.c") == "1\t\n")
        #expect(try outcome(#"{"a":5,"a":{"c":3}}"#, "a.c") == "\n")
        #expect(try outcome(#"{"\u0061":1,"a":2}"#, "a") == "1\n")
    }

    @Test func namesMayBeEscapedInTheLine() throws {
        for padding in 0...70 {
            let line = "{\"\(String(repeating: "x", count: padding))\":0,\"re\\u0071uest\":{\"p\\/q\":7}}"
            #expect(try outcome(line, "request") == "{\"p\\/q\":7}\n")
            #expect(try outcome(line, "/request/p~1q") == "7\n")
        }
    }

    @Test func objectsAndArraysAreCompact() throws {
        let line = "{ \"a\" : [ 1 ,\t{ \"b c\" : \" \\\" \" } , [ ] , \"\\\\\" ] , \"d\":{ }\r}"
        #expect(try outcome(line, "a", "d") == #"[1,{"b c":" \" "},[],"\\"]"# + "\t{}\n")
        #expect(try outcome(line, ".") == #"{"a":[1,{"b c":" \" "},[],"\\"],"d":{}}"# + "\n")
    }

    @Test func aLineForEachElementOfAnArray() throws {
        let line = #"{"id":7,"items":[{"s":"x","p":1},{"s":"y","q":[1,[2]]},5,null,[8]],"tags":["a","b"]}"#
        #expect(
            try outcome(line, "id", "items.s", "items.p", each: "items") == "7\tx\t1\n7\ty\t\n7\t\t\n7\t\t\n7\t\t\n")
        #expect(try outcome(line, "tags", "id", each: "tags") == "a\t7\nb\t7\n")
        #expect(try outcome(line, "items.q.1.0", "items.0", each: "items") == "\t\n2\t\n\t\n\t\n\t8\n")
        #expect(try outcome(line, "tags.0", "items.1.q", each: "items.1.q") == "a\t1\na\t[2]\n")
        #expect(try outcome(line, "items.s", each: "items", missing: .skip) == "x\ny\n")
        #expect(try outcome(line, "items.s", each: "items", missing: .reject) == "field \"items.s\" is missing")
    }

    @Test func noArrayNoLines() throws {
        for value in ["[]", "[ ]", "null"] { #expect(try outcome("{\"a\":\(value)}", "a", each: "a") == "") }
        #expect(try outcome("{}", "a", each: "a") == "")
        #expect(try outcome("{\"a\":{}}", "a", each: "a") == "field \"a\" is not an array (--each)")
        #expect(try outcome("{\"a\":\"x\"}", "a", each: "a") == "field \"a\" is not an array (--each)")
    }

    @Test func aLineWithAMalformedElementGivesNothing() throws {
        let input = Array("{\"a\":[1,2]}\n{\"a\":[3,\"x\",4]}\n{\"a\":[5]}\n".utf8)
        let found = try run(filter(["a:int"], each: "a"), input, rejecting: true)
        #expect(found.text == "1\n2\n5\n")
        #expect(
            String(decoding: found.rejects, as: UTF8.self)
                == "line 2: field \"a\" is not an int: \"x\"\t{\"a\":[3,\"x\",4]}\n")
    }

    @Test func blankLinesAreSkippedAndCounted() throws {
        let input = Array("\n{\"a\":1}\r\n \t\r\n\r\n{}\n\n".utf8)
        let found = try run(filter(["a"], missing: .skip), input)
        #expect(found.text == "1\n")
        #expect(found.summary.json == #"{"blank":4,"skipped":1,"missing":1}"#)
    }

    @Test func aByteOrderMarkMayBeginTheInputAndNoOtherLine() throws {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        for reads in [[1], [2], [1 << 16]] {
            let found = try run(
                filter(["a"]), mark + Array("{\"a\":1}\n".utf8) + mark + Array("{\"a\":2}\n".utf8), reads: reads,
                rejecting: true)
            #expect(found.text == "1\n")
            #expect(String(decoding: found.rejects, as: UTF8.self).hasPrefix("line 2: not JSON: a byte order mark"))
        }
        #expect(try run(filter(["a"]), mark + [0x0A]).text == "")
    }

    @Test func withoutStrictOnlyTheOutlineIsCheckedWhereNoPathLeads() throws {
        let taken = [
            #"{"k":1,"x":01}"#, #"{"k":1,"x":nul}"#, #"{"k":1,"x":"\q"}"#, "{\"k\":1,\"x\":\"\u{1}\"}", #"{"k":1,}"#,
            #"{"k":1,"x" 2}"#, #"{"x":[1,,2],"k":1}"#, #"{"x":tru,"k":1}"#,
        ]
        let refused = [
            #"{"k":1 "x":2}"#, #"{"x":[}],"k":1}"#,
            #"{"k":1"#, #"{"k":1,"x":"}"#, #"{"k":1}}"#, #"{"k":1}{"k":2}"#, #"{"k":1,"x":[}"#, #"{"k":1]"#,
            #"{"k":1,"x":{}"#,
            #"{"k":1} x"#, #"{"x":2,,"k":1}"#, #"{"x" 2,"k":1}"#, #"{"x":2 "k":1}"#,
        ]
        for line in taken {
            #expect(try run(filter(["k"]), Array(line.utf8) + [0x0A], rejecting: true).text == "1\n", "\(line)")
        }
        for line in taken + refused {
            #expect(
                try run(filter(["k"], strict: true), Array(line.utf8) + [0x0A], rejecting: true).text == "", "\(line)")
        }
        for line in refused {
            #expect(try run(filter(["k"]), Array(line.utf8) + [0x0A], rejecting: true).text == "", "\(line)")
        }
    }

    /// Lines with all that could go wrong at the edge of a block, a batch or a chunk.
    static func oddLines(_ random: inout SeededGenerator) -> [UInt8] {
        let backslashes = String(repeating: "\\\\", count: Int.random(in: 0...70, using: &random))
        let letters = String(repeating: "v", count: Int.random(in: 0...130, using: &random))
        let pieces: [String] = [
            #""k":"a\\""#, #""k":"\\\"b\\\\""#, #""\u006b":{"x":[1,"é"]}"#, #""x":"{[,:"#, #""y":"]}""#, #""k":12.5"#,
            #""z":[[],{}]"#, #""k":{"k":{"x":null}}"#, "\"w\":\"\(backslashes)\"", "\"v\":\"\(letters)\"",
            #""k":"tab\t""#,
            #""q":nul"#, #""\""#,
        ]
        var text = ""
        for _ in 0..<Int.random(in: 1...12, using: &random) {
            let members = (0..<Int.random(in: 0...6, using: &random)).map { _ in pieces.randomElement(using: &random)! }
            text += Int.random(in: 0...9, using: &random) < 8 ? "{" : ["{ ", "", "x"].randomElement(using: &random)!
            text += members.joined(separator: ",") + (Int.random(in: 0...9, using: &random) < 9 ? "}" : "") + "\n"
        }
        return Array(text.utf8)
    }

    @Test func whereTheInputIsCutAndHowWideTheRegistersAreDoesNotShow() throws {
        try withEverySeed(80) { random in
            let input = Self.oddLines(&random)
            for strict in [true, false] {
                func found(_ width: Int, _ reads: [Int], capacity: Int = 4096) throws -> Written {
                    let filter = try filter(["k", "k.x", "."], escapes: true, strict: strict)
                    _ = filter.use(registers: width)
                    return try run(filter, input, reads: reads, capacity: capacity, rejecting: true)
                }
                let expected = try found(0, [1 << 16])
                for width in 0...2 {
                    for reads in [
                        [1 << 16], [1], [2, 3], [63], [64], [65, 1], [Int.random(in: 1...200, using: &random)],
                    ] {
                        #expect(try found(width, reads, capacity: 64) == expected)
                    }
                }
            }
        }
    }

    @Test func eachCutOfTheInputGivesTheSameBytes() throws {
        let input = Array(
            """
            {"a":{"b":"x\\"\\u00e9"},"c":[1,{"d":"\\\\"}],"pad":"\(String(repeating: "p", count: 150))"}
            {"a":{"b":"open}
            {"c":[0,{"d":"é"}],"a":{"b":17}}\r

            {"a":{"b":tru}}
            {"a":{"b":null}}
            """.utf8)
        let expected = try run(filter(["a.b", "c.1.d"]), input, rejecting: true)
        #expect(expected.text == "x\"é\t\\\n17\té\n\t\n")
        for cut in 1..<input.count {
            for strict in [true, false] {
                let found = try run(
                    filter(["a.b", "c.1.d"], strict: strict), input, reads: [cut, input.count], capacity: 4096,
                    rejecting: true)
                #expect(found == expected, "\(cut)")
            }
        }
    }

    @Test(arguments: [4090, 4096, 4100, 70_000, 1_000_000]) func aLongLineAmongShortOnes(_ length: Int) throws {
        let long = String(repeating: "y", count: length)
        let input = Array("{\"a\":1}\n{\"b\":\"\(long)\",\"a\":\"\(long)\"}\n{\"a\":2}\n".utf8)
        for strict in [true, false] {
            #expect(try run(filter(["a"], strict: strict), input, capacity: 1 << 16).text == "1\n\(long)\n2\n")
        }
        let elements = Array("{\"a\":[\(Array(repeating: "1", count: length).joined(separator: ","))]}\n".utf8)
        #expect(try run(filter(["a"], each: "a"), elements, capacity: 1 << 16).lines.count == 2 * length)
    }
}

@Suite struct ValuePathTests {
    func fault(_ text: String) -> PathFault? {
        do {
            _ = try ValuePath(parsing: text)
            return nil
        } catch { return error }
    }

    @Test func theLastColonDividesPathFromType() throws {
        #expect(try ValuePath(parsing: "a.b:int").type == .int)
        #expect(try ValuePath(parsing: "a.b:int").description == "a.b")
        #expect(try ValuePath(parsing: "a:b:any").description == "a:b")
        #expect(try ValuePath(parsing: "@timestamp").type == .any)
        #expect(fault("a:b") == .unknownType("b", of: "a:b"))
        #expect(fault("a:") == .unknownType("", of: "a:"))
    }

    @Test func whatIsNoPath() {
        for text in ["", "a.", ".a", "a..b", "..", ":int"] {
            guard case .path(.emptyName) = fault(text) else {
                Issue.record("\(text)")
                continue
            }
        }
        for text in ["/~", "/a~2", "/~~0"] { #expect(fault(text) == .path(.badPointer(text))) }
        for text in ["/", "//", "/a.b/c:int", "/~0~1", "."] { #expect(fault(text) == nil) }
    }

    @Test func pointersReachNamesWithDotsSlashesAndTildes() throws {
        let line = Array(#"{"a.b":{"c/d":1,"e~f":[2,3]},"":{"":4},"k:l":5}"#.utf8) + [0x0A]
        let paths = ["/a.b/c~1d", "/a.b/e~0f/1", "//", "k:l:int"].map { try? ValuePath(parsing: $0) }
        #expect(try run(FromJSON(paths: paths.compactMap { $0 }), line).text == "1\t3\t4\t5\n")
    }

    @Test func whatCannotBeAskedFor() throws {
        #expect(throws: PathFault.noPaths) { _ = try FromJSON(paths: []) }
        #expect(throws: PathFault.typeOfEach("a")) {
            _ = try FromJSON(paths: [ValuePath(parsing: "a")], each: ValuePath(parsing: "a:int"))
        }
        #expect(throws: PathFault.badWord) { _ = try FromJSON.Missing(parsing: "a\tb") }
        #expect(try FromJSON.Missing(parsing: "skip") == .skip)
        #expect(try FromJSON.Missing(parsing: "-") == .word(Array("-".utf8)))
    }
}
