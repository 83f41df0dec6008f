import Kafka
import TestSupport
import Testing

@Suite struct FieldListTests {
    /// What the list chooses of a line; nil: the line lacks a field.
    static func key(_ list: String, _ line: String) throws -> String? {
        let fields = try #require(FieldList(list), "\(list)")
        var space: [UInt8] = Array("before".utf8)
        space.reserveCapacity(space.count + line.utf8.count)
        return Array(line.utf8).withUnsafeBytes { bytes in
            fields.key(of: bytes, &space).map { String(decoding: $0, as: UTF8.self) }
        }
    }

    @Test func fieldsAreChosenAsCutDoes() throws {
        let line = "a\tbb\t\tdd\te"
        for (list, key) in [
            ("1", "a"), ("2", "bb"), ("3", ""), ("5", "e"), ("1-2", "a\tbb"), ("2-4", "bb\t\tdd"), ("-2", "a\tbb"),
            ("4-", "dd\te"), ("1-", line), ("1,3", "a\t"), ("5,1", "a\te"), ("1,1", "a"), ("1-2,2-3", "a\tbb\t"),
            ("2-2", "bb"), ("1,4-", "a\tdd\te"),
        ] {
            #expect(try Self.key(list, line) == key, "\(list)")
        }
    }

    @Test func aLineThatLacksAFieldHasNoKey() throws {
        for list in ["3", "1,3", "1-3", "3-", "2,1-3"] { #expect(try Self.key(list, "a\tb") == nil, "\(list)") }
        #expect(try Self.key("1", "") == "")
        #expect(try Self.key("2-", "a\t") == "")
    }

    @Test func whatIsNoListIsRefused() {
        for text in ["", ",", "1,", "0", "-", "2-1", "a", "1-2-3", "+1", "1 ", "--1", "-0", "99999999999999999999"] {
            #expect(FieldList(text) == nil, "\(text)")
        }
    }

    @Test func lastIsTheHighestFieldThatIsNeeded() {
        #expect(FieldList("2,7,3")?.last == 7)
        #expect(FieldList("2-4,9-")?.last == 9)
        #expect(FieldList("-3")?.last == 3)
    }

    @Test func itEqualsCuttingTheWholeLine() throws {
        try withEverySeed(300) { generator in
            let fields = (0..<Int.random(in: 1...6, using: &generator)).map { _ in
                String(
                    (0..<Int.random(in: 0...90, using: &generator)).map { _ in "abc".randomElement(using: &generator)! }
                )
            }
            let first = Int.random(in: 1...7, using: &generator)
            let last = Int.random(in: first...7, using: &generator)
            let line = fields.joined(separator: "\t")
            let expected = last <= fields.count ? fields[(first - 1)...(last - 1)].joined(separator: "\t") : nil
            let found = try Self.key("\(first)-\(last)", line)
            #expect(found == expected)
            // The way for several ranges.
            let careful = try Self.key("\(first),\(first)-\(last)", line)
            #expect(careful == expected)
        }
    }
}
