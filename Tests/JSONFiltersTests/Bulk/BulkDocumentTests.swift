import Bytes
import JSONFilters
import TestSupport
import Testing

/// What es-bulk takes for a document, and that it passes it on as it is.
@Suite struct BulkDocumentTests {
    /// What is wrong with a line; nil if it is passed on byte for byte.
    func problem(_ line: [UInt8]) throws -> String? {
        do {
            let found = try run(Bulk(BulkRequest()), line + [0x0A]).lines
            #expect(found == Array("{\"index\":{}}\n".utf8) + line + [0x0A, 0x0A])
            return nil
        } catch let error as MalformedLine<Bulk.Problem> {
            return error.problem.description
        }
    }

    @Test(arguments: [
        "{}", " {} ", "\t{\t}\r", "{\"a\":1}", "{ \"a\" : [ 1 , { } , [ ] , null , true , false , \"x\" ] }",
        "{\"a\":1,\"a\":2}", "{\"\":\"\"}", "{\"a\":123456789012345678901234567890}",
        "{\"a\":-123456789012345678901234567890.5e-400}",
        "{\"a\":1e999}", "{\"a\":-0}", "{\"a\":1.0000000000000000000000000000001}", "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\udc00\\ud800x\"}",
        "{\"\\ud800\":1e999,\"b\":\"\\u00e9\\n\\/\"}", "{\"a\":\"\u{7F}\u{2028}😀\"}", "{\"a\":\"\\u0000\"}",
        "{\"a\":[\"1e999\",-1e999,\"\\\\\"]}",
    ]) func objectsPassByteForByte(_ text: String) throws {
        #expect(try problem(Array(text.utf8)) == nil)
    }

    @Test(arguments: [
        ("[]", "JSON, but not an object"),
        ("1", "JSON, but not an object"), ("null", "JSON, but not an object"), ("\"{}\"", "JSON, but not an object"),
        ("\u{FEFF}{}", "not JSON: a byte order mark stands in front"), ("{\"a\":\"x}", "not JSON: a string has no end"),
        ("{\"a\":\"\u{1}\"}", "not JSON: a control character in a string is not escaped"),
        ("{\"a\":\"\\x\"}", "not JSON: a bad escape in a string"),
        ("{\"a\":\"\\u12g4\"}", "not JSON: a bad escape in a string"),
        ("{\"a\":01}", "not JSON: a bad number"), ("{\"a\":1.}", "not JSON: a bad number"),
        ("{\"a\":-}", "not JSON: a bad number"),
        ("{\"a\":nul}", "not JSON: a word that is not true, false or null"),
        ("{\"a\":1e999,\"b\":01}", "not JSON: a bad number"),
        ("{\"a\":1e999,\"b\":\"\\q\"}", "not JSON: a bad escape in a string"),
    ]) func whatIsWrongIsSaid(_ text: String, _ reason: String) throws {
        #expect(try problem(Array(text.utf8)) == reason)
    }

    @Test(arguments: [
        "{", "}", "{}{}", "{} {}", "{}}", "{{}", "{}]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{\"a\" 1}",
        "{\"a\":1 \"b\":2}",
        "{a:1}", "{'a':1}", "{1:2}", "{\"a\":[1,]}", "{\"a\":[1}", "{\"a\":[1]", "{\"a\":{\"b\":1}", "{\"a\":[}]}",
        "{} x", "x {}",
        "{}1", "{}\"", "{\"a\":1}//", "\u{C}{}", "{}\u{0}", "{\"a\":NaN}", "{\"a\":tru}", "{\"a\":truee}", "{\"a\":+1}",
        "{\"a\":.5}",
    ]) func whatIsNotOneObjectIsMalformed(_ text: String) throws {
        #expect(try problem(Array(text.utf8)) != nil)
        #expect(!ReferenceJSON.isObject(Array(text.utf8)))
    }

    @Test func textThatIsNotUTF8IsMalformed() throws {
        for bytes in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82]] as [[UInt8]] {
            #expect(try problem(Array("{\"a\":\"".utf8) + bytes + Array("\"}".utf8)) == "not JSON: not UTF-8")
        }
    }

    @Test func deepNestingIsMalformedAndNoCrash() throws {
        func nested(_ levels: Int) -> [UInt8] {
            Array((String(repeating: "{\"a\":", count: levels) + "1" + String(repeating: "}", count: levels)).utf8)
        }
        #expect(try problem(nested(1000)) == nil)
        #expect(try problem(nested(1025)) == "not JSON: nested more than 1024 levels deep")
        #expect(try problem(nested(1_000_000)) == "not JSON: nested more than 1024 levels deep")
        #expect(try problem([UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)) != nil)
    }

    @Test func aHugeDocumentPasses() throws {
        let text = [UInt8](repeating: UInt8(ascii: "x"), count: 3_000_000)
        #expect(try problem(Array("{\"a\":\"".utf8) + text + Array("\"}".utf8)) == nil)
        #expect(
            try problem(
                Array("{\"a\":[".utf8) + Array(repeatElement("1e999,".utf8, count: 300_000).joined())
                    + Array("0]}".utf8)) == nil)
    }

    /// Good documents with a byte changed, put in or taken out, and pieces thrown together.
    @Test func takesWhatASlowParserTakes() throws {
        let seeds = [
            "{\"a\":1,\"b\":[true,false,null],\"c\":{\"d\":\"e\\u00e9\\n\"}}",
            "{\"n\":-12.5e+3,\"m\":0,\"big\":123456789012345678901234567890}",
            "{\"s\":\"\\ud83d\\ude00\\ud800\",\"t\":\"ä€😀\"}", "{}", " { \"x\" : [ ] } ",
        ].map { Array($0.utf8) }
        let bytes = Array("{}[]:,\"\\ \t\r01.-+eEtrufalsn/x".utf8) + [0x00, 0x1F, 0x7F, 0x80, 0xC3, 0xFF]
        try withEverySeed(200) { random in
            for _ in 0..<200 {
                var text = seeds.randomElement(using: &random)!
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    let at = Int.random(in: 0...text.count, using: &random)
                    switch Int.random(in: 0..<3, using: &random) {
                    case 0: text.insert(bytes.randomElement(using: &random)!, at: at)
                    case 1 where at < text.count: text[at] = bytes.randomElement(using: &random)!
                    case 2 where at < text.count: text.remove(at: at)
                    default: break
                    }
                }
                // Blank lines are passed over.
                if text.allSatisfy({ [0x20, 0x09, 0x0D].contains($0) }) { continue }
                let isTaken = try problem(text) == nil
                if isTaken != ReferenceJSON.isObject(text) {
                    Issue.record("\(isTaken ? "taken" : "refused"): \(String(decoding: text, as: UTF8.self))")
                }
            }
        }
    }
}
