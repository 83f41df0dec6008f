import Bytes
import Filters
import TestSupport
import Testing

@Suite struct TopKWindowsTests {
    func byTime(_ size: Int64, hop: Int64? = nil, grace: Int64 = 0, field: Int = 1) throws -> Windowing {
        .eventTime(try WindowShape(size: size, hop: hop, grace: grace), EventTime(field: field, format: .s))
    }

    // MARK: - Event time

    @Test func eachWindowHasItsOwnListUnderItsStart() throws {
        let input = "3\ta\n4\tb\n9\ta\n10\tb\n25\tc\n"
        let windows = try byTime(10_000)
        #expect(
            try topK(input) { $0.windows = windows }.text == """
                1970-01-01T00:00:00Z\ta\t2
                1970-01-01T00:00:00Z\tb\t1
                1970-01-01T00:00:10Z\tb\t1
                1970-01-01T00:00:20Z\tc\t1

                """)
    }

    @Test func theTimeMayBeAnyFieldAndIsNotPartOfTheKey() throws {
        for (input, field) in [("1\ta\tb\n1\ta\tb\n", 1), ("a\t1\tb\na\t2\tb\n", 2), ("a\tb\t1\na\tb\t3\n", 3)] {
            let windows = try byTime(10_000, field: field)
            #expect(try topK(input) { $0.windows = windows }.text == "1970-01-01T00:00:00Z\ta\tb\t2\n")
        }
        // Only the time: the key is empty.
        let windows = try byTime(10_000)
        #expect(try topK("1\n2\n") { $0.windows = windows }.text == "1970-01-01T00:00:00Z\t\t2\n")
    }

    @Test func aLateLineIsPutAsideAndWithinTheGraceItCounts() throws {
        let input = "1\ta\n12\tb\n2\ta\n25\tc\n"
        var windows = try byTime(10_000)
        let strict = try topK(input) { $0.windows = windows }
        #expect(String(decoding: strict.late, as: UTF8.self) == "2\ta\n")
        #expect(strict.text.hasPrefix("1970-01-01T00:00:00Z\ta\t1\n1970-01-01T00:00:10Z\tb\t1\n"))
        windows = try byTime(10_000, grace: 5000)
        let patient = try topK(input) { ($0.windows, $0.emission) = (windows, .partials) }
        #expect(patient.late.isEmpty)
        #expect(patient.text.hasPrefix("1970-01-01T00:00:00Z\ta\t2\n1970-01-01T00:00:10Z\tb\t1\n"))
    }

    @Test func aLineWithoutATimeIsMalformed() throws {
        let windows = try byTime(10_000)
        let error = #expect(throws: MalformedLine<TopK.Problem>.self) {
            try topK("1\ta\nx\ta\n") { $0.windows = windows }
        }
        #expect(error?.description == "line 2: time is not a number of seconds: \"x\"")
        let written = try topK("1\ta\nx\ta\n2\ta\n", rejecting: true) { $0.windows = windows }
        #expect(written.text == "1970-01-01T00:00:00Z\ta\t2\n")
    }

    @Test func hoppingWindowsOverlap() throws {
        let windows = try byTime(10_000, hop: 5000)
        #expect(
            try topK("6\ta\n11\ta\n12\tb\n") { $0.windows = windows }.text == """
                1970-01-01T00:00:00Z\ta\t1
                1970-01-01T00:00:05Z\ta\t2
                1970-01-01T00:00:05Z\tb\t1
                1970-01-01T00:00:10Z\ta\t1
                1970-01-01T00:00:10Z\tb\t1

                """)
    }

    /// Random lines with times, a little out of order.
    func timedLines(_ generator: inout SeededGenerator, _ count: Int) -> [(time: Int64, key: [UInt8])] {
        var time: Int64 = 1000
        return (0..<count).map { _ in
            time += Int64.random(in: 0...3, using: &generator) == 0 ? Int64.random(in: 0...4, using: &generator) : 0
            return (max(0, time - Int64.random(in: 0...5, using: &generator)), skewedKey(&generator, bits: 8))
        }
    }

    @Test func windowsAreWhatSortingTheLinesIntoThemGives() throws {
        try withEverySeed(30) { generator in
            let timed = timedLines(&generator, 800)
            let hops = Int64.random(in: 1...4, using: &generator)
            let hop: Int64 = 7
            var expected: [UInt8] = []
            for start in stride(from: Int64(-28), to: 4000, by: 7) {
                let keys = timed.filter { (start..<(start + hop * hops)).contains($0.time) }.map(\.key)
                let list = try topK(lines(keys)) { $0.top = 5 }
                var label = [UInt8](repeating: 0, count: Timestamp.longest)
                let length = label.withUnsafeMutableBufferPointer {
                    Timestamp.write(start * 1000, withMilliseconds: false, to: $0.baseAddress!)
                }
                for line in list.lines.split(separator: 0x0A) { expected += label[..<length] + [9] + line + [0x0A] }
            }
            let windows = try byTime(hop * hops * 1000, hop: hop * 1000, grace: 6000)
            let input: [UInt8] = timed.flatMap { Array("\($0.time)\t".utf8) + $0.key + [0x0A] }
            let reads = (0..<20).map { _ in Int.random(in: 1...300, using: &generator) }
            let written = try topK(input, reads: reads) { ($0.windows, $0.top) = (windows, 5) }
            #expect(written.late.isEmpty)
            #expect(written.lines == expected)
        }
    }

    @Test func windowedPartialsMergeIntoTheWindowsOfASingleRun() throws {
        try withEverySeed(20) { generator in
            let timed = timedLines(&generator, 1500)
            let hops = Int64.random(in: 1...3, using: &generator)
            let windows = try byTime(10_000 * hops, hop: 10_000, grace: 6000)
            let lines: [[UInt8]] = timed.map { Array("\($0.time)\t".utf8) + $0.key + [0x0A] }
            let single = try topK(lines.flatMap { $0 }) { $0.windows = windows }
            let partials = try (0..<3).map { shard in
                let part = lines.indices.filter { $0 % 3 == shard }.flatMap { lines[$0] }
                return try topK(part) { ($0.windows, $0.emission) = (windows, .partials) }.lines
            }
            // Sums come in any order, so every window has to stay open.
            let shape = try WindowShape(size: 10_000 * hops, hop: 10_000, grace: 1_000_000)
            let merged = try topK(summed(partials)) {
                ($0.readsCounts, $0.windows) = (true, .eventTime(shape, EventTime(field: 1, format: .rfc3339)))
            }
            #expect(merged.late.isEmpty)
            #expect(merged.lines == single.lines)
        }
    }

    @Test func cellsHaveTheirWindowToo() throws {
        let windows = try byTime(10_000)
        let input = (0..<4000).map { "\($0 / 200)\t\($0)\n" }.joined()
        let single = try topK(input) { ($0.windows, $0.memory, $0.top) = (windows, 64 << 10, nil) }
        let partials = try topK(input) { ($0.windows, $0.memory, $0.emission) = (windows, 64 << 10, .partials) }
        #expect(partials.text.contains("1970-01-01T00:00:10Z\t#cms-topk:1:"))
        let read = try topK(partials.lines) { settings in
            (settings.readsCounts, settings.memory, settings.top) = (true, 64 << 10, nil)
            settings.windows = .eventTime(try! WindowShape(size: 10_000), EventTime(field: 1, format: .rfc3339))
        }
        #expect(read.lines == single.lines)
    }

    // MARK: - Processing time

    /// A clock that goes a second further at every look.
    func ticking() -> () -> Moment {
        var seconds: Int64 = 0
        return {
            seconds += 1
            return Moment(unixMilliseconds: seconds * 1000, monotonicMilliseconds: seconds * 1000)
        }
    }

    @Test func withoutATimeFieldTheTimeIsThatOfProcessing() throws {
        var settings = TopKSettings()
        settings.windows = .processingTime(try WindowShape(size: 2000))
        let written = try run(try TopK(settings), Array("a\na\nb\nc\n".utf8), reads: [2], clock: ticking())
        #expect(
            written.text == """
                1970-01-01T00:00:00Z\ta\t1
                1970-01-01T00:00:02Z\ta\t1
                1970-01-01T00:00:02Z\tb\t1
                1970-01-01T00:00:04Z\tc\t1

                """)
    }

    // MARK: - Waiting

    /// A filter with its output, and a hand on the clock.
    struct Bench: ~Copyable {
        var filter: TopK
        var output: Output
        var text = Text()
        final class Text { var bytes: [UInt8] = [] }

        init(_ settings: TopKSettings) throws {
            filter = try TopK(settings)
            let text = self.text
            output = Output(lines: OutputBuffer { text.bytes += $0 })
        }

        static func moment(_ milliseconds: Int64) -> Moment {
            Moment(unixMilliseconds: milliseconds, monotonicMilliseconds: milliseconds + 77)
        }

        mutating func read(_ lines: String, at time: Int64) throws {
            try Array(lines.utf8).withUnsafeBufferPointer {
                try filter.consume($0.span, firstLine: 1, now: Self.moment(time), into: &output)
            }
        }

        /// What was put out since the last look.
        mutating func written() -> String {
            output.flush()
            defer { text.bytes = [] }
            return String(decoding: text.bytes, as: UTF8.self)
        }
    }

    @Test func aWindowOfProcessingTimeClosesWithoutInput() throws {
        var settings = TopKSettings()
        settings.windows = .processingTime(try WindowShape(size: 10_000))
        var bench = try Bench(settings)
        let before = bench.filter.patience(at: Bench.moment(0))
        #expect(before == nil)
        try bench.read("a\n", at: 4000)
        let patience = bench.filter.patience(at: Bench.moment(4500))
        #expect(patience == 5500)
        try bench.filter.wake(now: Bench.moment(10_000), into: &bench.output)
        let (text, after) = (bench.written(), bench.filter.patience(at: Bench.moment(10_000)))
        #expect(text == "1970-01-01T00:00:00Z\ta\t1\n")
        #expect(after == nil)
    }

    @Test func aClockThatIsSetBackAnHourFreezesNoWindow() throws {
        var settings = TopKSettings()
        settings.windows = .processingTime(try WindowShape(size: 10_000))
        var bench = try Bench(settings)
        try bench.read("a\n", at: 7_200_000)
        // What was counted comes out under the time that it was thought to be.
        try bench.read("b\n", at: 3_600_000)
        let stepped = bench.written()
        #expect(stepped == "1970-01-01T02:00:00Z\ta\t1\n")
        let patience = bench.filter.patience(at: Bench.moment(3_604_000))
        #expect(patience == 6000)
        try bench.filter.wake(now: Bench.moment(3_610_000), into: &bench.output)
        let text = bench.written()
        #expect(text == "1970-01-01T01:00:00Z\tb\t1\n")
        #expect(bench.output.lateLines == 0)
    }

    @Test func aTimeFarAheadIsSaidOnce() throws {
        let windows = Windowing.eventTime(
            try WindowShape(size: 10_000), EventTime(field: 1, format: .s, maxAhead: 3_600_000))
        let written = try topK("1\ta\n9999999\tb\n9999999\tb\n2\ta\n") { $0.windows = windows }
        #expect(written.late.isEmpty)
        #expect(written.fact("ahead") == .integer(2))
        #expect(
            written.remarks.first == "a time is further ahead of the clock than --max-ahead: it closes no window")
        #expect(written.text.hasPrefix("1970-01-01T00:00:00Z\ta\t2\n"))
    }

    @Test func openWindowsCloseWhenTheInputIsQuiet() throws {
        var settings = TopKSettings()
        settings.windows = try byTime(10_000)
        settings.idle = 3000
        var bench = try Bench(settings)
        try bench.read("1\ta\n", at: 500)
        let patience = bench.filter.patience(at: Bench.moment(1500))
        #expect(patience == 2000)
        try bench.filter.wake(now: Bench.moment(3499), into: &bench.output)
        let early = bench.written()
        #expect(early == "")
        try bench.filter.wake(now: Bench.moment(3500), into: &bench.output)
        let (text, after) = (bench.written(), bench.filter.patience(at: Bench.moment(9000)))
        #expect(text == "1970-01-01T00:00:00Z\ta\t1\n")
        #expect(after == nil)
        // The window is closed: what comes now is late.
        try bench.read("2\ta\n11\tb\n", at: 9000)
        try bench.filter.wake(now: Bench.moment(12_000), into: &bench.output)
        let rest = bench.written()
        #expect(rest == "1970-01-01T00:00:10Z\tb\t1\n")
        #expect(bench.output.lateLines == 1)
    }

    @Test func aQuietWindowOfProcessingTimeHasASecondPart() throws {
        var settings = TopKSettings()
        settings.windows = .processingTime(try WindowShape(size: 10_000))
        settings.idle = 2000
        var bench = try Bench(settings)
        try bench.read("a\n", at: 1000)
        try bench.filter.wake(now: Bench.moment(3000), into: &bench.output)
        try bench.read("a\n", at: 5000)
        try bench.filter.wake(now: Bench.moment(10_000), into: &bench.output)
        let text = bench.written()
        #expect(text == "1970-01-01T00:00:00Z\ta\t1\n1970-01-01T00:00:00Z\ta\t1\n")
        #expect(bench.output.lateLines == 0)
    }

    // MARK: - Windows of lines

    @Test func windowsOfLinesAreNamedByTheirFirstLine() throws {
        for reads in [[1 << 16], [1], [5, 3]] {
            let written = try topK("a\nb\na\nb\nb\na\nc\n", reads: reads) { $0.windows = .lines(3) }
            #expect(written.text == "1\ta\t2\n1\tb\t1\n4\tb\t2\n4\ta\t1\n7\tc\t1\n")
            let counts = try topK("a\t5\nb\t1\na\t2\n", reads: reads) {
                ($0.windows, $0.readsCounts) = (.lines(2), true)
            }
            #expect(counts.text == "1\ta\t5\n1\tb\t1\n3\ta\t2\n")
        }
    }

    @Test func aWindowOfLinesClosesWhenTheInputIsQuiet() throws {
        var settings = TopKSettings()
        (settings.windows, settings.idle) = (.lines(3), 1000)
        var bench = try Bench(settings)
        try bench.read("a\n", at: 0)
        try bench.filter.wake(now: Bench.moment(1000), into: &bench.output)
        let (text, after) = (bench.written(), bench.filter.patience(at: Bench.moment(5000)))
        #expect(text == "1\ta\t1\n")
        #expect(after == nil)
    }

    // MARK: - Barriers

    static func barrier(_ kind: String, _ epoch: Int) -> String {
        "\u{1E}barrier\t0123456789abcdef0123456789abcdef\t\(epoch)\t\(kind)\t\t\n"
    }

    @Test func atABarrierAllIsPutOutAndCountingStartsFromZero() throws {
        let (open, commit) = (Self.barrier("open", 0), Self.barrier("commit", 1))
        let (second, close) = (Self.barrier("commit", 2), Self.barrier("close", 3))
        let input = "\(open)a\na\n\(commit)a\nb\n\(second)\(close)"
        for reads in [[1 << 16], [1]] {
            #expect(try topK(input, reads: reads).text == "\(open)a\t2\n\(commit)a\t1\nb\t1\n\(second)\(close)")
        }
    }

    @Test func atABarrierOpenWindowsArePutOutInParts() throws {
        let (open, commit, close) = (Self.barrier("open", 0), Self.barrier("commit", 1), Self.barrier("close", 2))
        let windows = try byTime(10_000)
        #expect(
            try topK("\(open)1\ta\n\(commit)2\ta\n11\tb\n\(close)") { $0.windows = windows }.text == """
                \(open)1970-01-01T00:00:00Z\ta\t1
                \(commit)1970-01-01T00:00:00Z\ta\t1
                1970-01-01T00:00:10Z\tb\t1
                \(close)
                """)
        #expect(
            try topK("\(open)a\na\n\(commit)a\nb\n\(close)") { $0.windows = .lines(3) }.text
                == "\(open)1\ta\t2\n\(commit)1\ta\t1\n4\tb\t1\n\(close)")
    }
}
