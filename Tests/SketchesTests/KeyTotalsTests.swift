import Bytes
import Sketches
import TestSupport
import Testing

private final class Text { var bytes: [UInt8] = [] }

extension KeyTotals {
    fileprivate mutating func add(_ text: [UInt8], atMost limit: Int = .max) -> (Stop, Place) {
        var place = Place()
        return (text.withUnsafeBytes { add($0, from: &place, atMost: limit) }, place)
    }

    fileprivate func written(top: Int? = nil) -> [UInt8] {
        let text = Text()
        var output = OutputBuffer(capacity: 4096) { text.bytes += $0 }
        write(top: top, to: &output)
        output.flush()
        return text.bytes
    }
}

@Suite struct KeyTotalsTests {
    func expect(_ keys: [[UInt8]], _ random: inout SeededGenerator) throws {
        var model: [[UInt8]: Int64] = [:]
        var input: [UInt8] = []
        for key in keys {
            let count = Int64.random(in: 0...20, using: &random)
            model[key, default: 0] += count
            input += key + Array("\t\(count)\n".utf8)
        }
        var totals = KeyTotals()
        let (stop, place) = totals.add(input)
        try #require(stop == .end && place.offset == input.count && place.index == keys.count)
        try #require(totals.count == model.count)
        func text(_ entries: some Sequence<(key: [UInt8], value: Int64)>) -> [UInt8] {
            entries.flatMap { $0.key + Array("\t\($0.value)\n".utf8) }
        }
        let byKey = model.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        try #require(totals.written() == text(byKey))
        let ranked = byKey.sorted { $0.value > $1.value }  // which keeps the order of equals
        for top in [0, 1, 10, keys.count / 2, keys.count] {
            try #require(totals.written(top: top) == text(ranked.prefix(top)))
        }
    }

    @Test func keysOfAllLengthsThatDifferInOneByte() throws {
        try withEverySeed(40) { random in
            let alphabet: [UInt8] = [[0, 1], [0x61, 0x62], [0, 0xFF]].randomElement(using: &random)!
            let longest = Int.random(in: 0...40, using: &random)
            let keys = (0..<500).map { _ in
                (0..<Int.random(in: 0...longest, using: &random)).map { _ in
                    Int.random(in: 0..<9, using: &random) == 0 ? alphabet[1] : alphabet[0]
                }
            }
            try expect(keys, &random)
        }
    }

    @Test func keysWithALongCommonBeginning() throws {
        try withEverySeed(10) { random in
            let stem = [UInt8](repeating: 0x41, count: Int.random(in: 0...300, using: &random))
            let keys = (0..<2000).map { _ in stem + Array(String(Int.random(in: 0..<3000, using: &random)).utf8) }
            try expect(keys, &random)
        }
    }

    @Test func keysLongerThanAnyBuffer() throws {
        var random = SeededGenerator(seed: 1)
        let lengths = [70_000, 40_000, 32_768, 32_767, 65_510, 65_514, 65_515, 65_536, 200_000, 3]
        try expect(lengths.map { [UInt8](repeating: 0x61, count: $0) }, &random)
    }

    @Test func manyKeys() throws {
        var random = SeededGenerator(seed: 2)
        try expect(
            (0..<200_000).map { _ in Array(String(UInt32.random(in: 0..<150_000, using: &random)).utf8) }, &random)
    }

    @Test func itStopsAtALimitAndAtAProblem() {
        var totals = KeyTotals()
        let input = Array("a\t1\nb\t1\nc\nb\t9223372036854775807\nd\t1\n".utf8)
        #expect(totals.add(input, atMost: 1) == (.end, place(4, 1)))
        #expect(totals.add(input, atMost: 0) == (.end, place(0, 0)))
        #expect(totals.add(input) == (.malformed(.noTab), place(8, 2)))
        #expect(totals.add(Array(input[10...])) == (.overflow, place(0, 0)))
        #expect(totals.written() == Array("a\t2\nb\t1\n".utf8))
        totals.reset()
        #expect(totals.written() == [])
    }

    func place(_ offset: Int, _ index: Int) -> KeyTotals.Place {
        var place = KeyTotals.Place()
        (place.offset, place.index) = (offset, index)
        return place
    }
}
