import Bytes
import TestSupport
import Testing

@Suite struct LineScannerTests {
    func scan(_ bytes: UnsafeRawBufferPointer) -> [Range<Int>] {
        var scanner = LineScanner(bytes)
        var lines: [Range<Int>] = []
        while let line = scanner.next() { lines.append(line) }
        return lines
    }

    func reference(_ bytes: some Collection<UInt8>) -> [Range<Int>] {
        var (lines, start): ([Range<Int>], Int) = ([], 0)
        for (at, byte) in bytes.enumerated() where byte == 0x0A {
            lines.append(start..<at)
            start = at + 1
        }
        return lines
    }

    @Test func findsEveryLineAtEveryLengthAndAlignment() throws {
        var random = SeededGenerator(seed: 1)
        // Dense and sparse line ends, and next to them bytes that differ in one bit.
        for density in [1, 2, 10, 100] {
            let bytes = (0..<400).map { _ -> UInt8 in
                Int.random(in: 0..<density, using: &random) == 0
                    ? 0x0A : [0x0B, 0x8A, 0x00, 0x61].randomElement(using: &random) ?? 0
            }
            for start in 0..<65 {
                for end in start..<min(start + 200, bytes.count) {
                    let lines = bytes[start..<end] + [0x0A]
                    let found = Array(lines).withUnsafeBytes { scan($0) }
                    try #require(found == reference(lines), "density \(density), \(start)..<\(end)")
                }
            }
        }
    }

    @Test func nothingHasNoLines() {
        #expect(scan(UnsafeRawBufferPointer(start: nil, count: 0)) == [])
        #expect([UInt8]().withUnsafeBytes { scan($0) } == [])
    }

    @Test func emptyLinesAreLines() {
        let lines = [UInt8](repeating: 0x0A, count: 130)
        #expect(lines.withUnsafeBytes { scan($0) } == (0..<130).map { $0..<$0 })
    }
}
