import Bytes
import JSONFilters
import TestSupport
import Testing

/// es-bulk and from-json have one judge of what JSON is.
@Suite struct JudgeTests {
    func bulk(_ line: [UInt8]) -> Bool { (try? run(Bulk(BulkRequest()), line + [0x0A])) != nil }

    func fields(_ line: [UInt8], strict: Bool, width: Int = 2) throws -> Bool {
        let filter = try FromJSON(paths: [ValuePath(parsing: "no.such.path")], strict: strict)
        // Where the processor lacks that width the widest it has stays.
        _ = filter.use(registers: width)
        // Behind another line, so that a byte order mark does not begin the input.
        return try run(filter, Array("{}\n".utf8) + line + [0x0A], rejecting: true).rejects.isEmpty
    }

    @Test func eachCaseIsJudgedAsTheStandardSaysByAll() throws {
        #expect(JSONCases.all.count > 600)
        for one in JSONCases.all {
            #expect(bulk(one.line) == one.isGood, "es-bulk, \(one.text)")
            for width in 0...2 {
                let isTaken = try fields(one.line, strict: true, width: width)
                #expect(isTaken == one.isGood, "from-json, registers \(width), \(one.text)")
            }
            // Without strict a line may be taken that is none, but none is refused that is one.
            if one.isGood { #expect(try fields(one.line, strict: false), "from-json, not strict, \(one.text)") }
            // The reference stops a level later, and counts an empty array as one.
            if one.kind != "depth" { #expect(ReferenceJSON.isObject(one.line) == one.isGood, "reference, \(one.text)") }
        }
    }

    @Test func whatIsAskedForIsCheckedEvenWhereTheRestIsNot() throws {
        for (kind, texts) in JSONCases.badValues {
            for text in texts {
                let filter = try FromJSON(paths: [ValuePath(parsing: "k")])
                let found = try run(filter, JSONCases.object(text) + [0x0A], rejecting: true)
                #expect(!found.rejects.isEmpty && found.lines.isEmpty, "\(kind): \(text)")
            }
        }
        for bytes in JSONCases.notUTF8 {
            let line = Array("{\"k\":\"".utf8) + bytes + Array("\"}\n".utf8)
            #expect(try run(FromJSON(paths: [ValuePath(parsing: "k")]), line, rejecting: true).lines.isEmpty)
        }
    }

    /// simdjson would take twenty times their bytes.
    @Test func longLinesAreJudgedAsShortOnesThoughNotBySimdjson() throws {
        let spaces = [UInt8](repeating: 0x20, count: 300_000)
        for one in JSONCases.all where one.line.first == UInt8(ascii: "{") {
            let line = Array(one.line[..<1] + spaces + one.line[1...])
            #expect(try fields(line, strict: true) == one.isGood, "\(one.text)")
            // As a value that is asked for, of which all is checked.
            let filter = try FromJSON(paths: [ValuePath(parsing: "k")])
            let found = try run(filter, Array("{\"k\":".utf8) + line + Array("}\n".utf8), rejecting: true)
            if !["depth", "no object"].contains(one.kind) {
                #expect(found.rejects.isEmpty == one.isGood, "as a value, \(one.text)")
            }
        }
    }

    @Test func bothNameTheSameFault() throws {
        for one in JSONCases.all where !one.isGood {
            let input = Array("{}\n".utf8) + one.line + [0x0A]
            let bulk = try run(Bulk(BulkRequest()), input, rejecting: true)
            let filter = try FromJSON(paths: [ValuePath(parsing: ".")], strict: true)
            let found = try run(filter, input, rejecting: true)
            #expect(bulk.rejects == found.rejects, "\(one.text)")
        }
    }
}
