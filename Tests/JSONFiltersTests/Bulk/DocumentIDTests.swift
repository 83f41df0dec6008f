import Bytes
import JSONFilters
import Foundation
import TestSupport
import Testing

@Suite struct DocumentIDTests {
    /// The action lines for documents, parsed by another parser.
    func actions(_ documents: String, id: String, routing: String? = nil) throws -> [[String: String]] {
        let request = try BulkRequest(
            id: FieldPath.list(parsing: id),
            routing: routing.map { (text) throws(BulkUsage) in try FieldPath(parsing: text) })
        let lines = try run(Bulk(request), Array(documents.utf8)).text.split(separator: "\n")
        return try stride(from: 0, to: lines.count, by: 2).map { at in
            let parsed = try JSONSerialization.jsonObject(with: Data(lines[at].utf8)) as? [String: [String: String]]
            return parsed?["index"] ?? [:]
        }
    }

    func ids(_ documents: String..., id: String) throws -> [String] {
        try actions(documents.map { $0 + "\n" }.joined(), id: id).map { $0["_id", default: ""] }
    }

    func problem(_ document: String, id: String) -> String? {
        do {
            _ = try ids(document, id: id)
            return nil
        } catch { return (error as? MalformedLine<Bulk.Problem>)?.problem.description }
    }

    @Test func oneFieldIsTheIDAsItIs() throws {
        #expect(try ids("{\"a\":\"x,\\\\y\\u00e9\\\"\\n\"}", id: "a") == ["x,\\yé\"\n"])
        #expect(
            try ids("{\"a\":42}", "{\"a\":1.50}", "{\"a\":-0 }", "{\"a\":1e999\t}", id: "a") == [
                "42", "1.50", "-0", "1e999",
            ])
        #expect(try ids("{\"a\":true}", "{\"a\":false}", id: "a") == ["true", "false"])
    }

    @Test func severalFieldsAreJoinedByCommas() throws {
        #expect(try ids("{\"token\":\"the\",\"window\":\"w\"}", id: "window,token") == ["w,the"])
        #expect(
            try ids("{\"a\":\"x,y\",\"b\":\"z\"}", "{\"a\":\"x\",\"b\":\"y,z\"}", id: "a,b") == ["x\\,y,z", "x,y\\,z"])
        #expect(try ids("{\"a\":\"\",\"b\":\"\"}", id: "a,b,a") == [",,"])
    }

    /// What comes out can be taken apart again: so two tuples never have the same id.
    @Test func differentTextsGiveDifferentIDs() throws {
        let pieces = [",", "\\", "\\,", "a", "", "xxh3:", "\"", "é", "\u{0}", "\t"]
        try withEverySeed(100) { random in
            let tuples = (0..<20).map { _ in
                (0..<3).map { _ in (0..<4).map { _ in pieces.randomElement(using: &random)! }.joined() }
            }
            let documents = try tuples.map { tuple -> String in
                let fields = Dictionary(uniqueKeysWithValues: zip(["a", "b", "c"], tuple))
                return String(decoding: try JSONSerialization.data(withJSONObject: fields), as: UTF8.self) + "\n"
            }
            let found = try actions(documents.joined(), id: "a,b,c").map { $0["_id", default: ""] }
            for (id, tuple) in zip(found, tuples) where !tuple[0].hasPrefix("xxh3:") {
                #expect(takenApart(id) == tuple)
            }
            #expect(Set(found.map { Array($0.utf8) }).count == Set(tuples.map { $0.map { Array($0.utf8) } }).count)
        }
    }

    private func takenApart(_ id: String) -> [String] {
        var fields = [String.UnicodeScalarView()]
        var isEscaped = false
        for scalar in id.unicodeScalars {
            if !isEscaped, scalar == "\\" {
                isEscaped = true
            } else if !isEscaped, scalar == "," {
                fields.append(.init())
            } else {
                fields[fields.count - 1].append(scalar)
                isEscaped = false
            }
        }
        return fields.map { String($0) }
    }

    @Test func anIDIsReplacedByItsHashOnlyWhenItIsTooLong() throws {
        let longest = String(repeating: "x", count: 512)
        #expect(try ids("{\"a\":\"\(longest)\"}", id: "a") == [longest])
        // As xxhsum -H2 has it.
        let number = String(repeating: "0", count: 599) + "3"
        #expect(try ids("{\"a\":\"\(number)\"}", id: "a") == ["xxh3:4c63d6adc985fbd5eccc0d289705f5f6"])
        // Bytes count, not characters; and they count without their escapes.
        #expect(try ids("{\"a\":\"\(String(repeating: "é", count: 257))\"}", id: "a")[0].hasPrefix("xxh3:"))
        let quotes = String(repeating: "\\\"", count: 512)
        #expect(try ids("{\"a\":\"\(quotes)\"}", id: "a")[0].count == 512)
    }

    @Test func aShortIDCannotPassForTheHashOfALongOne() throws {
        let hash = "xxh3:4c63d6adc985fbd5eccc0d289705f5f6"
        let found = try ids("{\"a\":\"\(hash)\"}", id: "a")[0]
        #expect(found != hash)
        #expect(found.hasPrefix("xxh3:"))
    }

    @Test func dotsGoIntoObjects() throws {
        let document = "{\"u\":{\"x\":{\"y\":1},\"v\":\"q\"},\"u.v\":2,\"a,b\":3,\"\\u0061\":4}"
        #expect(try ids(document, id: "u.v") == ["q"])
        #expect(try ids(document, id: "u\\.v") == ["2"])
        #expect(try ids(document, id: "a\\,b") == ["3"])
        #expect(try ids(document, id: "a") == ["4"])
        #expect(try ids(document, id: "u.x.y,u.v") == ["1,q"])
        #expect(problem(document, id: "u.w") == "field \"u.w\" is missing")
        #expect(problem(document, id: "u.v.w") == "field \"u.v.w\" is missing")
        #expect(problem(document, id: "u.x") == "field \"u.x\" is an object, not a single value")
    }

    @Test(arguments: [
        ("{}", "is missing"), ("{\"b\":1}", "is missing"), ("{\"a\":null}", "is null"),
        ("{\"a\":[1]}", "is an array, not a single value"),
        ("{\"a\":{}}", "is an object, not a single value"), ("{\"a\":1,\"a\":1}", "occurs twice"),
        ("{\"a\":\"\"}", "is empty"),
        ("{\"a\":\"\\ud800\"}", "has half of a surrogate pair, which no text can have"),
        ("{\"b\":{\"a\":1}}", "is missing"),
        ("{\"a\":[],\"\\u0061\":2}", "occurs twice"),
    ]) func aFieldThatCannotBeAnID(_ document: String, _ reason: String) {
        #expect(problem(document, id: "a") == "field \"a\" \(reason)")
    }

    @Test func aFieldThatOccursTwiceIsFoundThoughItLiesInsideObjects() {
        #expect(problem("{\"u\":{\"a\":1},\"u\":{\"a\":2}}", id: "u.a") == "field \"u.a\" occurs twice")
    }

    @Test func routingIsAValueOfTheDocument() throws {
        let found = try actions("{\"a\":\"x\",\"b\":7}\n", id: "a", routing: "b")
        #expect(found == [["_id": "x", "routing": "7"]])
    }
}
