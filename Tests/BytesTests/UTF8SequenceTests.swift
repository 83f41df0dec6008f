import Bytes
import TestSupport
import Testing

@Suite struct UTF8SequenceTests {
    func measure(_ bytes: [UInt8]) -> Int {
        bytes.withUnsafeBufferPointer { UTF8Sequence.measure($0.baseAddress!, $0.count) }
    }

    /// What replacing each maximal subpart gives.
    func repaired(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var at = 0
        while at < bytes.count {
            let length = measure(Array(bytes[at...]))
            result += length > 0 ? Array(bytes[at..<(at + length)]) : [0xEF, 0xBF, 0xBD]
            at += abs(length)
        }
        return result
    }

    @Test func everyScalarIsWellFormed() {
        for value in 0...UInt32(0x10FFFF) {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let bytes = Array(Character(scalar).utf8)
            if measure(bytes) != bytes.count { Issue.record("U+\(String(value, radix: 16))") }
        }
    }

    @Test func theExampleOfTheStandard() {
        // Table 3-8 to 3-11 of the Unicode Standard 15.0: maximal subparts.
        #expect(repaired([0xC0, 0xAF, 0xE0, 0x80, 0xBF, 0xF0, 0x81, 0x82, 0x41]).filter { $0 == 0xEF }.count == 8)
        #expect(repaired([0xED, 0xA0, 0x80, 0xED, 0xBF, 0xBF, 0xED, 0xAF, 0x41]).filter { $0 == 0xEF }.count == 8)
        #expect(repaired([0xF4, 0x91, 0x92, 0x93, 0xFF, 0x41, 0x80, 0xBF, 0x42]).filter { $0 == 0xEF }.count == 7)
        #expect(repaired([0xE1, 0x80, 0xE2, 0xF0, 0x91, 0x92, 0xF1, 0xBF, 0x41]).filter { $0 == 0xEF }.count == 4)
    }

    @Test func replacesWhatStringReplaces() throws {
        let bytes: [UInt8] = [
            0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC1, 0xC2, 0xE0, 0xE1, 0xED, 0xEF, 0xF0, 0xF1, 0xF4, 0xF5,
        ]
        try withEverySeed(50) { random in
            for _ in 0..<500 {
                let text = (0..<Int.random(in: 1...8, using: &random)).map { _ in bytes.randomElement(using: &random)! }
                #expect(repaired(text) == Array(String(decoding: text, as: UTF8.self).utf8), "\(text)")
            }
        }
    }
}
