import Filters
import TestSupport
import Testing

/// The generated tables say what the Unicode data say.
@Suite struct UnicodeTablesTests {
    @Test func theyAreWhatTheScriptWrites() throws {
        let ended = try run(["/usr/bin/env", "python3", "\(Repository.root)/Tools/unicode-tables", "--check"])
        #expect(ended.ending == .status(0), "\(ended.errorText)")
    }

    /// Each code point in each neighbourhood that a rule speaks of.
    @Test(arguments: [TokenizeMode.wordsLowercase, .whiteSpaceLowercase])
    func everyCodePointIsTreatedAsItsPropertiesSay(_ mode: TokenizeMode) throws {
        var points = Array(0..<UInt32(0x20000)) + Array(0xE0000..<UInt32(0xE1000))
        points += stride(from: 0x20000, to: 0x110000, by: 97)
        for group in stride(from: 0, to: points.count, by: 4096) {
            var input: [UInt8] = []
            for point in points[group..<min(group + 4096, points.count)] where point != 0x0A {
                guard let scalar = UnicodeScalar(point) else { continue }
                let joined = "a\(scalar)b 1\(scalar)2 א\(scalar)א カ\(scalar)_ 漢\(scalar)ひ_\(scalar)カ ไ\(scalar)ท"
                input += Array("\(scalar) \(joined) x\u{200D}\(scalar)\n".utf8)
            }
            try TokenizeDifferentialTests.check(mode, input)
        }
    }
}
