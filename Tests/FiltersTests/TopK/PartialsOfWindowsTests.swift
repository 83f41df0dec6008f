import Bytes
import Filters
import TestSupport
import Testing

/// Where nothing is held, nothing is late: `--emit partials` takes every line, whatever its time.
@Suite struct PartialsOfWindowsTests {
    func windows(_ size: Int64, hop: Int64? = nil, grace: Int64 = 0) throws -> Windowing {
        .eventTime(
            try WindowShape(size: size, hop: hop, grace: grace), EventTime(field: 1, format: .s))
    }

    @Test func aLineOfAWindowThatWasPutOutIsAnotherPartialOfIt() throws {
        let windows = try windows(10_000)
        let written = try topK("1\ta\n12\tb\n2\ta\n25\tc\n") { ($0.windows, $0.emission) = (windows, .partials) }
        #expect(written.late.isEmpty)
        #expect(
            written.text == """
                1970-01-01T00:00:00Z\ta\t1
                1970-01-01T00:00:00Z\ta\t1
                1970-01-01T00:00:10Z\tb\t1
                1970-01-01T00:00:20Z\tc\t1

                """)
    }

    /// Sums by window and key, by the plainest means.
    func sums(_ lines: [UInt8]) -> [String: Int64] {
        var sums: [String: Int64] = [:]
        for line in String(decoding: lines, as: UTF8.self).split(separator: "\n") {
            let tab = line.lastIndex(of: "\t")!
            sums[String(line[..<tab]), default: 0] += Int64(line[line.index(after: tab)...])!
        }
        return sums
    }

    @Test func lineByLineInAnyOrderTheyAddUpToTheLocalAnswer() throws {
        try withEverySeed(60) { random in
            let hops = Int64.random(in: 1...5, using: &random)
            let windows = try windows(2000 * hops, hop: 2000, grace: Bool.random(using: &random) ? 0 : 3000)
            let span = Int64.random(in: 1...400, using: &random)
            let lines = (0..<600).map { _ in
                Array("\(Int64.random(in: 0...span, using: &random))\t".utf8) + skewedKey(&random, bits: 6) + [0x0A]
            }
            let sorted = lines.map { line in
                (Int64(String(decoding: line.prefix { $0 != 9 }, as: UTF8.self))!, line)
            }.sorted { $0.0 < $1.0 }.flatMap(\.1)
            let reads = (0..<20).map { _ in Int.random(in: 1...300, using: &random) }
            let local = try topK(sorted) { ($0.windows, $0.emission) = (windows, .partials) }
            let shuffled = try topK(lines.flatMap { $0 }, reads: reads) {
                ($0.windows, $0.emission) = (windows, .partials)
            }
            try #require(shuffled.late.isEmpty)
            try #require(sums(shuffled.lines) == sums(local.lines))
            let whole = try topK(lines.flatMap { $0 }) { ($0.windows, $0.emission) = (windows, .partials) }
            try #require(whole.lines == shuffled.lines)
        }
    }

    @Test func partsOfHopsMakeTheWindowsOfTheLinesInOrder() throws {
        try withEverySeed(30) { random in
            let hops = Int64.random(in: 2...4, using: &random)
            let windows = try windows(5000 * hops, hop: 5000)
            let lines = (0..<400).map { _ in
                (Int64.random(in: 0...200, using: &random), skewedKey(&random, bits: 5))
            }
            func text(_ lines: [(Int64, [UInt8])]) -> [UInt8] {
                lines.flatMap { Array("\($0.0)\t".utf8) + $0.1 + [0x0A] }
            }
            let local = try topK(text(lines.sorted { $0.0 < $1.0 })) { $0.windows = windows }
            let parts = try topK(text(lines)) { ($0.windows, $0.emission) = (windows, .partials) }
            let shape = try WindowShape(size: 5000 * hops, hop: 5000, grace: 1_000_000)
            let merged = try topK(parts.lines) {
                ($0.readsCounts, $0.windows) = (true, .eventTime(shape, EventTime(field: 1, format: .rfc3339)))
            }
            try #require(merged.lines == local.lines)
        }
    }

    @Test func manyOpenPanesArePutOutBeforeTheMemoryIsFull() throws {
        let windows = try windows(1000)
        // Each line is of another window, back in time; none closes.
        let input = "9999999\ta\n" + (0..<20_000).map { "\(5_000_000 - $0)\tkey number \($0) of them\n" }.joined()
        let written = try topK(input, reads: [100_000]) {
            ($0.windows, $0.emission, $0.memory) = (windows, .partials, 1 << 20)
        }
        #expect(written.late.isEmpty)
        #expect(sums(written.lines).count == 20_001)
        #expect(sums(written.lines).values.allSatisfy { $0 == 1 })
    }
}
