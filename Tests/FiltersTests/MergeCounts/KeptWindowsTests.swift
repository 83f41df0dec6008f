import Bytes
import Filters
import TestSupport
import Testing

/// `--updates --window --window-field --keep`: totals of windows are forgotten some time after their end.
@Suite struct KeptWindowsTests {
    func retention(_ size: Int64 = 10_000, keep: Int64) throws -> Retention {
        Retention(try WindowShape(labelsOf: size), label: EventTime(field: 1, format: nil), keep: keep)
    }

    func label(_ seconds: Int64) -> String {
        var text = [UInt8](repeating: 0, count: Timestamp.longest)
        let count = text.withUnsafeMutableBufferPointer {
            Timestamp.write(seconds * 1000, withMilliseconds: false, to: $0.baseAddress!)
        }
        return String(decoding: text[..<count], as: UTF8.self)
    }

    func barrier(_ kind: Barrier.Kind, _ watermark: String) -> String {
        "\u{1E}barrier\t\(String(repeating: "0f", count: 16))\t0\t\(kind.rawValue)\t\(watermark)\t\n"
    }

    func merge(_ input: String, keep: Int64, reads: [Int] = [1 << 16], rejecting: Bool = false) throws -> Written {
        let retention = try retention(keep: keep)
        return try run(
            MergeCounts(.updates(every: .lines(1)), keeping: retention), Array(input.utf8), reads: reads,
            rejecting: rejecting)
    }

    @Test func aLineOfAForgottenWindowIsLate() throws {
        let input = "\(label(0))\ta\t1\n\(label(25))\tb\t1\n\(label(0))\ta\t1\n\(label(30))\tb\t1\n\(label(0))\ta\t1\n"
        for reads in [[1 << 16], [1]] {
            let written = try merge(input, keep: 20_000, reads: reads)
            #expect(String(decoding: written.late, as: UTF8.self) == "\(label(0))\ta\t1\n")
            #expect(
                written.text
                    == "\(label(0))\ta\t1\n\(label(25))\tb\t1\n\(label(0))\ta\t2\n\(label(30))\tb\t1\n")
        }
    }

    @Test func aLineWithoutALabelIsMalformed() throws {
        let input = "\(label(0))\ta\t1\nx\ta\t1\n\(label(0))\tb\n\(label(0))\ta\t2\n"
        let written = try merge(input, keep: 0, rejecting: true)
        #expect(written.text == "\(label(0))\ta\t1\n\(label(0))\ta\t3\n")
        #expect(
            String(decoding: written.rejects, as: UTF8.self) == """
                line 2: no window begins at "x"\tx\ta\t1
                line 3: count is not a number: "b"\t\(label(0))\tb

                """)
    }

    @Test func theStreamsWatermarkForgetsAndStateIsNeverLate() throws {
        let lines = [
            barrier(.open, "-"), barrier(.restore, "35000"), "\(label(0))\told\t7\n", "\(label(40))\ta\t2\n",
            barrier(.restore, "31000"), "\(label(0))\tb\t5\n", barrier(.restored, "-"),
            // Both partitions are past the window of 0 s and the time to keep.
            "\(label(0))\told\t1\n", "\(label(90))\tc\t1\n", "\(label(40))\ta\t1\n", barrier(.commit, "70000"),
            "\(label(40))\ta\t1\n", "\(label(50))\ta\t1\n", barrier(.close, "70000"),
        ]
        let written = try merge(lines.joined(), keep: 20_000)
        #expect(String(decoding: written.late, as: UTF8.self) == "\(label(0))\told\t1\n\(label(40))\ta\t1\n")
        let totals = written.text.split(separator: "\n").filter { !$0.hasPrefix("\u{1E}") }
        #expect(totals == ["\(label(90))\tc\t1", "\(label(40))\ta\t3", "\(label(50))\ta\t1"])
        // The window of 40 s is forgotten, those of 50 and 90 s are not.
        #expect(written.fact("keys") == .integer(2))
    }

    @Test func whatAnotherPartitionHasNotDoneIsKept() throws {
        let lines = [
            barrier(.open, "-"), barrier(.restore, "90000"), "\(label(0))\ta\t7\n", barrier(.restore, "1000"),
            barrier(.restored, "-"), "\(label(0))\ta\t1\n", barrier(.close, "1000"),
        ]
        let written = try merge(lines.joined(), keep: 20_000)
        #expect(written.late.isEmpty)
        #expect(written.text.contains("\(label(0))\ta\t8\n"))
    }

    /// Held against dictionaries.
    @Test func asTheNaiveModel() throws {
        try withEverySeed(60) { random in
            let keep = Int64.random(in: 0...30, using: &random)
            var (input, wanted, late) = ("", "", "")
            var totals: [String: Int64] = [:]
            var (time, highest) = (Int64(1000), Int64.min)
            for _ in 0..<3000 {
                time += .random(in: 0...2, using: &random)
                let window = max(0, time - .random(in: 0...60, using: &random))
                let key = "\(label(window))\t\(String(decoding: skewedKey(&random, bits: 4), as: UTF8.self))"
                input += "\(key)\t1\n"
                highest = max(highest, window)
                if window + 10 + keep <= highest {
                    late += "\(key)\t1\n"
                } else {
                    totals[key, default: 0] += 1
                    wanted += "\(key)\t\(totals[key]!)\n"
                }
            }
            let reads = (0..<20).map { _ in Int.random(in: 1...2000, using: &random) }
            let written = try merge(input, keep: keep * 1000, reads: reads)
            try #require(written.text == wanted)
            try #require(String(decoding: written.late, as: UTF8.self) == late)
        }
    }

    @Test func manyWindowsTakeTheMemoryOfTheOpenOnes() throws {
        let retention = try retention(1000, keep: 60_000)
        let input = (0..<40_000 as Range<Int64>).map { second in
            let label = label(second)
            return "\(label)\tkey\t1\n\(label)\tanother key that is longer than a slot\t1\n"
        }.joined()
        let written = try run(
            MergeCounts(.updates(every: .lines(1000)), keeping: retention), Array(input.utf8), reads: [100_000],
            capacity: 1 << 17)
        #expect(written.late.isEmpty)
        guard case .integer(let held)? = written.fact("held_bytes") else { throw Missing() }
        #expect(held < 2 << 20)
        #expect(written.fact("keys") == .integer(2 * 61))
        struct Missing: Error {}
    }
}
