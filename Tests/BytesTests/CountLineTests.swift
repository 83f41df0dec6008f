import Bytes
import Testing

@Suite struct CountLineTests {
    typealias Cut = Result<CountLine, CountLine.Problem>

    func cut(_ bytes: [UInt8], _ line: Range<Int>) -> Cut {
        bytes.withUnsafeBytes { bytes in
            do throws(CountLine.Problem) { return .success(try CountLine(bytes, line)) } catch {
                return .failure(error)
            }
        }
    }

    func cut(_ text: String) -> Cut { cut(Array(text.utf8), 0..<text.utf8.count) }

    func expect(_ text: String, key: String, count: Int64, sourceLocation: SourceLocation = #_sourceLocation) throws {
        // Behind other lines of every length, so that what stands in front of the line is seen not to matter.
        for prefix in ["", "\n", "1\n", "a\t12345\n", "\t\t\t\t\t\t\t\t\t\n", "9999999999999\n"] {
            let bytes = Array((prefix + text + "\n").utf8)
            let line = prefix.utf8.count..<(bytes.count - 1)
            let found = try cut(bytes, line).get()
            #expect(bytes[line.lowerBound..<found.keyEnd].elementsEqual(key.utf8), sourceLocation: sourceLocation)
            #expect(found.count == count, sourceLocation: sourceLocation)
        }
    }

    @Test func theCountIsTheLastFieldAndAllBeforeItIsTheKey() throws {
        try expect("the\t53", key: "the", count: 53)
        try expect("2026-11-22T10:00:00Z\tthe\t53", key: "2026-11-22T10:00:00Z\tthe", count: 53)
        try expect("\t7", key: "", count: 7)
        try expect("\t\t7", key: "\t", count: 7)
        try expect("1\t2\t3", key: "1\t2", count: 3)
    }

    @Test func countsOfEveryLengthAndSign() throws {
        for digits in 1...18 {
            for first in [Int64(1), 9] {
                let power = (1..<digits).reduce(Int64(1)) { product, _ in product * 10 }
                for count in [first * power, first * power + (power - 1), power - 1, -first * power] {
                    for key in ["", "k", "key", "a longer key", "with\ttab", "123"] {
                        try expect("\(key)\t\(count)", key: key, count: count)
                    }
                }
            }
        }
        try expect("k\t9223372036854775807", key: "k", count: .max)
        try expect("k\t-9223372036854775808", key: "k", count: .min)
        try expect("k\t-0", key: "k", count: 0)
        try expect("k\t0000001", key: "k", count: 1)
        try expect("k\t00000000000000000000000000000000001", key: "k", count: 1)
    }

    @Test func whatIsNoCountLine() {
        #expect(cut("") == .failure(.noTab))
        #expect(cut("no tab at all") == .failure(.noTab))
        #expect(cut("12345678") == .failure(.noTab))
        #expect(cut("\t") == .failure(.notANumber(#""""#)))
        #expect(cut("a long key\t") == .failure(.notANumber(#""""#)))
        #expect(cut("k\t9223372036854775808") == .failure(.outOfRange(#""9223372036854775808""#)))
        #expect(cut("k\t-9223372036854775809") == .failure(.outOfRange(#""-9223372036854775809""#)))
        #expect(cut("5\tkey") == .failure(.notANumber(#""key""#)))
    }

    @Test func aTabOfTheLineBeforeIsNotTheLinesOwn() {
        #expect(cut(Array("a\t1\n234\n".utf8), 4..<7) == .failure(.noTab))
        #expect(cut(Array("aaaaaaaaa\t\n1\n".utf8), 11..<12) == .failure(.noTab))
        #expect(cut(Array("aaaaaaaaa\t\n".utf8), 11..<11) == .failure(.noTab))
    }

    @Test func everyByteInEveryPlaceOfTheCount() {
        for byte in UInt8.min...UInt8.max {
            for (length, place) in (1...9).flatMap({ length in (0..<length).map { (length, $0) } }) {
                var count = [UInt8](repeating: UInt8(ascii: "7"), count: length)
                count[place] = byte
                let bytes = Array("some key\t".utf8) + count
                let found = cut(bytes, 0..<bytes.count)
                // Not in UTF-8 where the byte is not ASCII: but then it is no number either.
                let text = String(decoding: count, as: UTF8.self)
                switch byte {
                case 0x09:
                    let rest = text.split(separator: "\t", omittingEmptySubsequences: false).last ?? ""
                    #expect((try? found.get())?.count == Int64(rest), "\(text)")
                case UInt8(ascii: "+"):
                    #expect(found == .failure(.notANumber("\"\(text)\"")))
                default:
                    #expect((try? found.get())?.count == Int64(text), "\(text)")
                }
            }
        }
    }

    @Test func theWordingIsOneLine() {
        #expect(CountLine.Problem.notANumber(#""12x""#).description == #"count is not a number: "12x""#)
        #expect(
            CountLine.Problem.outOfRange(#""99999999999999999999""#).description
                == #"count is out of 64-bit range: "99999999999999999999""#)
        #expect(CountLine.Problem.noTab.description == "no count: the line has no TAB")
    }
}
