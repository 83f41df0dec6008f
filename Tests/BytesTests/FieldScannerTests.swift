import Bytes
import TestSupport
import Testing

@Suite struct FieldScannerTests {
    func ends(_ bytes: [UInt8], from start: Int = 0) -> [Int] {
        bytes.withUnsafeBytes { bytes in
            var scanner = FieldScanner(bytes, from: start)
            var ends: [Int] = []
            while let end = scanner.next() { ends.append(end) }
            return ends
        }
    }

    func slowEnds(_ bytes: [UInt8], from start: Int = 0) -> [Int] {
        bytes.indices.filter { $0 >= start && (bytes[$0] == 0x09 || bytes[$0] == 0x0A) }
    }

    @Test func nothingHasNoEnds() {
        #expect(ends([]) == [])
    }

    @Test func onlyTabAndLineFeedEndFields() {
        let bytes = Array(UInt8.min...UInt8.max)
        #expect(ends(bytes) == [0x09, 0x0A])
    }

    @Test func endsAreThoseOfASlowSearchAtEveryLengthAndStart() throws {
        try withEverySeed(20) { random in
            let bytes = (0..<200).map { _ in [0x09, 0x0A, 0x0B, 0x61, 0xFF].randomElement(using: &random)! as UInt8 }
            for length in 0...bytes.count {
                let bytes = Array(bytes[..<length])
                let start = Int.random(in: 0...length, using: &random)
                #expect(ends(bytes, from: start) == slowEnds(bytes, from: start))
            }
        }
    }
}
