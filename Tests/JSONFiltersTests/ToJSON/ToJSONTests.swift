import Bytes
import JSONFilters
import Foundation
import TestSupport
import Testing

/// Lines as objects, all of whose members are strings.
private func slowObjects(_ lines: [UInt8], _ names: [String]) -> String {
    func string(_ bytes: [UInt8]) -> String { "\"\(String(decoding: ReferenceJSON.escaped(bytes), as: UTF8.self))\"" }
    var text = ""
    for line in lines.split(separator: 0x0A, omittingEmptySubsequences: false).dropLast() {
        let fields = line.split(separator: 0x09, omittingEmptySubsequences: false)
        let members = zip(names, fields).map { string(Array($0.utf8)) + ":" + string(Array($1)) }
        text += "{" + members.joined(separator: ",") + "}\n"
    }
    return text
}

@Suite struct ToJSONTests {
    func filter(_ columns: String..., set: [String] = [], invalid: ToJSON.InvalidText = .replace) throws -> ToJSON {
        try ToJSON(
            columns: columns.map(Column.init(parsing:)), constants: set.map(Constant.init(parsing:)), invalid: invalid)
    }

    func objects(_ input: String, _ columns: String..., set: [String] = []) throws -> String {
        try run(
            ToJSON(columns: columns.map(Column.init(parsing:)), constants: set.map(Constant.init(parsing:))),
            Array(input.utf8)
        ).text
    }

    /// What a line comes to: the object, or what is wrong with it.
    func outcome(_ line: some Sequence<UInt8>, _ columns: String..., invalid: ToJSON.InvalidText = .replace) throws
        -> String
    {
        let filter = try ToJSON(columns: columns.map(Column.init(parsing:)), invalid: invalid)
        do {
            return String(try run(filter, Array(line) + [0x0A]).text.dropLast())
        } catch let error as MalformedLine<ToJSON.Problem> {
            return error.problem.description
        }
    }

    @Test func columnsNameTheFieldsInOrder() throws {
        let found = try objects("2026-11-22T10:00:00Z\tthe\t53\n", "window", "token", "count:int")
        #expect(found == "{\"window\":\"2026-11-22T10:00:00Z\",\"token\":\"the\",\"count\":53}\n")
    }

    @Test func everyByteValueIsEscapedAsRFC8259SaysAtEveryPlaceInABlock() throws {
        for byte in UInt8.min...UInt8.max where byte != 0x09 && byte != 0x0A {
            for before in [0, 1, 7, 14, 15, 16, 17, 31, 32, 47, 63, 64, 65] {
                for after in [0, 1, 15, 16] {
                    let line =
                        [UInt8](repeating: 0x61, count: before) + [byte] + [UInt8](repeating: 0x7A, count: after) + [
                            0x0A
                        ]
                    let found = try run(try filter("x"), line).text
                    if found != slowObjects(line, ["x"]) {
                        Issue.record("byte \(byte), \(before) before, \(after) after: \(found)")
                    }
                }
            }
        }
    }

    @Test func linesAreThoseOfTheSlowRenderingHoweverTheInputIsCut() throws {
        let pieces: [[UInt8]] =
            ["a", "the", "\"", "\\", "\u{0}", "\u{1F}", "\u{7F}", "ä", "€", "😀", "2026-11-22T10:00:00Z", "привет"].map {
                Array($0.utf8)
            }
            + [[0x80], [0xC3], [0xE2, 0x82], [0xF0, 0x9F, 0x98], [0xFF], [UInt8](repeating: 0x78, count: 100)]
        try withEverySeed(60) { random in
            var input: [UInt8] = []
            for _ in 0..<Int.random(in: 1...30, using: &random) {
                for field in 0..<3 {
                    for _ in 0..<Int.random(in: 0...6, using: &random) {
                        input += pieces.randomElement(using: &random)!
                    }
                    input.append(field < 2 ? 0x09 : 0x0A)
                }
            }
            let expected = slowObjects(input, ["a", "ß", "c\""])
            for reads in [[1 << 16], [1], [2, 3], [63], [64], [65, 1], [Int.random(in: 1...200, using: &random)]] {
                let found = try run(try filter("a", "ß", "c\""), input, reads: reads).text
                #expect(found == expected)
            }
        }
    }

    @Test func everyLineIsAnObjectToAnotherParser() throws {
        try withEverySeed(40) { random in
            let input = (0..<2000).map { _ in UInt8.random(in: 0...255, using: &random) }.filter { $0 != 0x09 }
            let lines = input.split(separator: 0x0A, omittingEmptySubsequences: false)
            let found = try run(try filter("x"), Array(lines.joined(separator: [0x0A])) + [0x0A]).lines
            let objects = found.split(separator: 0x0A)
            #expect(objects.count == lines.count)
            for (line, object) in zip(lines, objects) {
                let parsed = try JSONSerialization.jsonObject(with: Data(object)) as? [String: String]
                #expect(
                    parsed.map { Array($0["x", default: ""].utf8) } == Array(String(decoding: line, as: UTF8.self).utf8)
                )
            }
        }
    }

    @Test(arguments: [5000, 100_000, 300_000]) func aLongLineAmongShortOnes(_ length: Int) throws {
        let long = [UInt8](repeating: 1, count: length)
        let input =
            Array("a\tb\n".utf8) + Array("c\t".utf8) + long + Array("\nd\te\n".utf8) + long + Array("\t\nf\tg\n".utf8)
        let found = try run(try filter("x", "y"), input, reads: [1 << 16, 100]).text
        #expect(found == slowObjects(input, ["x", "y"]))
    }

    /// RFC 8259, section 6.
    static let numbers: [(text: String, isNumber: Bool, isInt: Bool)] = [
        ("0", true, true), ("-0", true, true), ("1", true, true), ("-1", true, true), ("10", true, true),
        ("9223372036854775808", true, true), ("123456789012345678901234567890", true, true),
        ("-12345678901234567890", true, true),
        ("1.0", true, false), ("0.5", true, false), ("-0.0", true, false), ("1e5", true, false), ("1E+5", true, false),
        ("1e-05", true, false), ("0e0", true, false), ("1.50e10", true, false), ("1e999", true, false),
        ("", false, false), ("-", false, false), ("+1", false, false), ("01", false, false), ("-01", false, false),
        ("00", false, false), ("1.", false, false), (".5", false, false), ("-.5", false, false), ("1e", false, false),
        ("1e+", false, false), ("1.e5", false, false), ("1e5.0", false, false), ("0x10", false, false),
        ("NaN", false, false),
        ("Infinity", false, false), ("-Infinity", false, false), ("1 ", false, false), (" 1", false, false),
        ("1,5", false, false),
        ("1_000", false, false), ("--1", false, false), ("1-", false, false), ("12x", false, false),
        ("١", false, false),
        ("1\r", false, false), ("1\u{0}", false, false),
    ]

    @Test(arguments: numbers) func numbersPassAsTheyAreOrNotAtAll(_ text: String, _ isNumber: Bool, _ isInt: Bool)
        throws
    {
        for (type, noun, isGood) in [("number", "a number", isNumber), ("int", "an int", isInt)] {
            let found = try outcome(text.utf8, "n:\(type)")
            if isGood {
                #expect(found == "{\"n\":\(text)}")
            } else {
                #expect(found.hasPrefix("field 1 (n) is not \(noun): \""))
            }
            #expect(try outcome("a\t\(text)\tb".utf8, "a", "n:\(type)", "b").hasPrefix("{") == isGood)
        }
    }

    @Test func trueAndFalseAreTheOnlyBools() throws {
        #expect(try outcome("true".utf8, "b:bool") == "{\"b\":true}")
        #expect(try outcome("false".utf8, "b:bool") == "{\"b\":false}")
        for text in ["True", "1", "", "truefalse", "null", "\"true\""] {
            #expect(try outcome(text.utf8, "b:bool").hasPrefix("field 1 (b) is not true or false: \""))
        }
    }

    @Test func jsonPassesAsItIs() throws {
        for text in [
            "{\"a\" : [1, 2.50 ,\"\\u0041\"]}", "1e999", "123456789012345678901234567890", "null", "\"\\ud800\"", " 1 ",
            "[]",
        ] {
            #expect(try outcome(text.utf8, "j:json") == "{\"j\":\(text)}")
        }
        for text in ["", " ", "{", "1,2", "[1,]", "\"a", "{}{}", "nul", "\u{FEFF}1", "'a'"] {
            #expect(try outcome(text.utf8, "j:json").hasPrefix("field 1 (j) is not JSON: "))
        }
        #expect(try outcome([0x22, 0xFF, 0x22], "j:json") == "field 1 (j) is not JSON: \"\\\"\\xff\\\"\"")
    }

    @Test func tooFewAndTooManyFieldsAreCounted() throws {
        #expect(try outcome("a".utf8, "x", "y") == "1 field, not 2")
        #expect(try outcome("a\tb\tc".utf8, "x", "y") == "3 fields, not 2")
        #expect(try outcome("a\tb\tc".utf8, "x", "y?") == "3 fields, not 1 to 2")
        #expect(try outcome("".utf8, "x", "y", "z?") == "1 field, not 2 to 3")
        #expect(try outcome("12x\tb".utf8, "n:int") == "2 fields, not 1")
    }

    @Test func anEmptyOptionalFieldIsNullAndOneMayBeMissingAtTheEnd() throws {
        #expect(
            try objects("\t\t\n1\t\n\t2\t3\n", "a?", "b:int?", "c?")
                == "{\"a\":null,\"b\":null,\"c\":null}\n{\"a\":\"1\",\"b\":null}\n{\"a\":null,\"b\":2,\"c\":\"3\"}\n")
        #expect(
            try objects("1\n1\t2\n1\t2\t3\n", "a", "b?", "c:int?")
                == "{\"a\":\"1\"}\n{\"a\":\"1\",\"b\":\"2\"}\n{\"a\":\"1\",\"b\":\"2\",\"c\":3}\n")
        #expect(try outcome("x\t12x".utf8, "a", "b:int?") == "field 2 (b) is not an int: \"12x\"")
        // In front of a column that must be there, a field may be empty but not missing.
        #expect(try objects("\tx\n", "a?", "b") == "{\"a\":null,\"b\":\"x\"}\n")
        #expect(try outcome("x".utf8, "a?", "b") == "1 field, not 2")
        #expect(try objects("\n", "a?") == "{\"a\":null}\n")
    }

    @Test func anEmptyStringThatIsNotOptionalIsAnEmptyString() throws {
        #expect(try objects("\n", "a") == "{\"a\":\"\"}\n")
        #expect(try objects("\t\n", "a", "b") == "{\"a\":\"\",\"b\":\"\"}\n")
    }

    @Test func constantsComeBehindTheColumns() throws {
        let set = ["host=web \"1\"", "n:number=1.50", "b:bool=true", "j:json=[1, 2]", "e=", "a=b=c"]
        let constants = #""host":"web \"1\"","n":1.50,"b":true,"j":[1, 2],"e":"","a":"b=c""#
        #expect(try objects("x\n", "c", set: set) == "{\"c\":\"x\",\(constants)}\n")
        #expect(try objects("\n", "c?", set: set) == "{\"c\":null,\(constants)}\n")
    }

    @Test func namesWithDotsMakeObjects() throws {
        #expect(
            try objects("1\t2\t3\t4\n", "id:int", "user.name", "user.age:int?", "a.b.c")
                == "{\"id\":1,\"user\":{\"name\":\"2\",\"age\":3},\"a\":{\"b\":{\"c\":\"4\"}}}\n")
        #expect(try objects("1\t2\n", "a.b.c", "a.d") == "{\"a\":{\"b\":{\"c\":\"1\"},\"d\":\"2\"}}\n")
        #expect(try objects("1\t2\n", "/a.b/c~1d", "e") == "{\"a.b\":{\"c/d\":\"1\"},\"e\":\"2\"}\n")
    }

    @Test func aLineThatEndsEarlyClosesItsObjects() throws {
        let input = "1\n1\t2\n1\t2\t3\n1\t2\t3\t\n"
        let found = try objects(input, "a", "b.c?", "b.d.e?", "f?", set: ["g.h=x", "g.i:int=1"])
        #expect(
            found == """
                {"a":"1","g":{"h":"x","i":1}}
                {"a":"1","b":{"c":"2"},"g":{"h":"x","i":1}}
                {"a":"1","b":{"c":"2","d":{"e":"3"}},"g":{"h":"x","i":1}}
                {"a":"1","b":{"c":"2","d":{"e":"3"}},"f":null,"g":{"h":"x","i":1}}

                """)
        #expect(try objects("1\n", "a.b", set: ["a.c=x"]) == "{\"a\":{\"b\":\"1\",\"c\":\"x\"}}\n")
    }

    @Test func escapesAreUndoneOnDemand() throws {
        func found(_ line: String, _ column: String = "s") throws -> String {
            do {
                let filter = try ToJSON(columns: [Column(parsing: column)], unescapes: true)
                return try run(filter, Array(line.utf8) + [0x0A]).text
            } catch let error as MalformedLine<ToJSON.Problem> {
                return error.problem.description
            }
        }
        #expect(try found(#"a\tb\nc\rd\\e"f\\"#) == #"{"s":"a\tb\nc\rd\\e\"f\\"}"# + "\n")
        #expect(try found(#"\\t"#) == #"{"s":"\\t"}"# + "\n")
        #expect(try found(#"{"a":"\u0041"}"#, "s:json") == #"{"s":{"a":"\u0041"}}"# + "\n")
        for line in [#"a\"#, #"\x"#, #"\\\"#, #"\u0041"#, #"\""#] {
            #expect(try found(line).hasPrefix("field 1 (s) has a backslash that is none of "), "\(line)")
        }
        #expect(try outcome(#"a\tb"#.utf8, "s") == #"{"s":"a\\tb"}"#)
    }

    @Test func whatIsNotUTF8MayMakeALineMalformed() throws {
        #expect(try outcome([0x61, 0xFF], "a", invalid: .fail) == "field 1 (a) is not UTF-8: \"a\\xff\"")
        #expect(try outcome([0x61, 0xFF], "a") == "{\"a\":\"a\u{FFFD}\"}")
        #expect(try outcome("ä€😀".utf8, "a", invalid: .fail) == "{\"a\":\"ä€😀\"}")
    }

    @Test func malformedLinesLeaveNothingBehindAndTheOthersPass() throws {
        let input = Array("a\t1\nb\tx\nc\nd\t2\n".utf8)
        for reads in [[1 << 16], [1], [5]] {
            let written = try run(try filter("x", "n:int"), input, reads: reads, rejecting: true)
            #expect(written.text == "{\"x\":\"a\",\"n\":1}\n{\"x\":\"d\",\"n\":2}\n")
            #expect(
                String(decoding: written.rejects, as: UTF8.self)
                    == "line 2: field 2 (n) is not an int: \"x\"\tb\tx\nline 3: 1 field, not 2\tc\n")
        }
        let many = Array((1...20_000).map { $0 % 3 == 0 ? "x\n" : "\($0)\n" }.joined().utf8)
        let written = try run(try filter("n:int"), many, rejecting: true)
        #expect(written.text == (1...20_000).filter { $0 % 3 != 0 }.map { "{\"n\":\($0)}\n" }.joined())
        #expect(written.rejects.count { $0 == 0x0A } == 6666)
    }
}

@Suite struct ColumnTests {
    func fault(_ columns: [String], set: [String] = []) -> DeclarationFault? {
        do {
            _ = try ToJSON(columns: columns.map(Column.init(parsing:)), constants: set.map(Constant.init(parsing:)))
            return nil
        } catch { return error }
    }

    @Test func theLastColonDividesNameFromType() throws {
        #expect(try Column(parsing: "a") == Column(name: "a"))
        #expect(try Column(parsing: "a:int") == Column(name: "a", type: .int))
        #expect(try Column(parsing: "a?") == Column(name: "a", isOptional: true))
        #expect(try Column(parsing: "a:json?") == Column(name: "a", type: .json, isOptional: true))
        #expect(try Column(parsing: "a:b:string") == Column(name: "a:b"))
        #expect(try Column(parsing: "a b.c=d") == Column(name: "a b.c=d"))
        #expect(try Column(parsing: "/a:b:int?") == Column(name: "/a:b", type: .int, isOptional: true))
    }

    @Test func whatCannotBeDeclared() {
        #expect(fault([]) == .noColumns)
        #expect(fault([""]) == .noName)
        #expect(fault(["?"]) == .noName)
        #expect(fault([":int"]) == .noName)
        #expect(fault(["a:b"]) == .unknownType("b"))
        #expect(fault(["a:"]) == .unknownType(""))
        #expect(fault(["a:Int"]) == .unknownType("Int"))
        #expect(fault(["a?:int"]) == .markBeforeType("a?"))
        #expect(fault(["a", "b", "a:int"]) == .repeated("a"))
        #expect(fault(["a"], set: ["a=1"]) == .repeated("a"))
        #expect(fault(["a"], set: ["b=1", "b=2"]) == .repeated("b"))
        #expect(fault(["a", "a.b"]) == .repeated("a.b"))
        #expect(fault(["a.b", "a"]) == .repeated("a"))
        #expect(fault(["a.b", "/a/b"]) == .repeated("/a/b"))
        #expect(fault(["a.b", "c", "a.d"]) == .apart("a.d"))
        #expect(fault(["a.b.c", "a.d", "a.b.e"]) == .apart("a.b.e"))
        #expect(fault(["a.b"], set: ["c=1", "a.d=1"]) == .apart("a.d"))
        #expect(fault(["."]) == .noName)
        #expect(fault(["a..b"]) == .badPath(.emptyName("a..b")))
        #expect(fault(["/~x"]) == .badPath(.badPointer("/~x")))
        #expect(fault(["a"], set: ["b"]) == .noValue("b"))
        #expect(fault(["a"], set: ["=b"]) == .noName)
        #expect(fault(["a"], set: ["b:int=x"]) == .badValue("b:int=x", .int))
        #expect(fault(["a"], set: ["b:json="]) == .badValue("b:json=", .json))
    }

    @Test func namesAreComparedByTheirBytes() {
        #expect(fault(["\u{E9}", "e\u{301}"]) == nil)
    }
}
