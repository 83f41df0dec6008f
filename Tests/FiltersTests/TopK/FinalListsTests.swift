import Bytes
import Filters
import TestSupport
import Testing

/// A filter with its output, fed piece by piece.
final class Fed {
    private var filter: TopK
    private var output: Output
    private let text: Text
    private final class Text { var bytes: [UInt8] = [] }
    private(set) var lateLines = 0

    init(_ settings: TopKSettings) throws {
        filter = try TopK(settings)
        let text = Text()
        self.text = text
        output = Output(lines: OutputBuffer { text.bytes += $0 })
    }

    func lines(_ lines: [String]) throws {
        guard !lines.isEmpty else { return }
        try Array((lines.joined(separator: "\n") + "\n").utf8).withUnsafeBufferPointer {
            try filter.consume(
                $0.span, firstLine: 1, now: Moment(unixMilliseconds: 0, monotonicMilliseconds: 0), into: &output)
        }
        lateLines = output.lateLines
    }

    /// What was put out up to the barrier, line by line.
    func barrier(_ kind: Barrier.Kind, _ watermark: Watermark?) throws -> [String] {
        try filter.barrier(
            kind, watermark: watermark, now: Moment(unixMilliseconds: 0, monotonicMilliseconds: 0), into: &output)
        output.flush()
        defer { text.bytes = [] }
        return String(decoding: text.bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}

@Suite struct FinalListsTests {
    func settings(latest: Bool = false, counts: Bool = true, size: Int64 = 10_000) throws -> TopKSettings {
        var settings = TopKSettings()
        settings.windows = .eventTime(try WindowShape(labelsOf: size), EventTime(field: 1, format: nil))
        settings.readsCounts = counts || latest
        settings.readsTotals = latest
        return settings
    }

    func label(_ seconds: Int64) -> String {
        var text = [UInt8](repeating: 0, count: Timestamp.longest)
        let count = text.withUnsafeMutableBufferPointer {
            Timestamp.write(seconds * 1000, withMilliseconds: false, to: $0.baseAddress!)
        }
        return String(decoding: text[..<count], as: UTF8.self)
    }

    // MARK: - In a plain pipe

    @Test func aWindowIsPutOutWhenTheLabelsHavePassedItsEnd() throws {
        let input = "\(label(0))\ta\t2\n\(label(0))\tb\t3\n\(label(10))\ta\t1\n\(label(0))\tc\t9\n\(label(20))\ta\t1\n"
        let settings = try settings()
        let written = try run(try TopK(settings), Array(input.utf8))
        #expect(String(decoding: written.late, as: UTF8.self) == "\(label(0))\tc\t9\n")
        #expect(
            written.text
                == "\(label(0))\tb\t3\n\(label(0))\ta\t2\n\(label(10))\ta\t1\n\(label(20))\ta\t1\n")
    }

    @Test func ofTotalsTheLastOfAKeyCounts() throws {
        let input =
            "\(label(0))\ta\t2\n\(label(0))\tb\t3\n\(label(0))\ta\t5\n\(label(0))\tlonger than a slot\t4\n"
            + "\(label(0))\tlonger than a slot\t1\n"
        let settings = try settings(latest: true)
        let written = try run(try TopK(settings), Array(input.utf8))
        #expect(written.text == "\(label(0))\ta\t5\n\(label(0))\tb\t3\n\(label(0))\tlonger than a slot\t1\n")
    }

    @Test func linesWithoutCountsAreCountedUnderTheirLabel() throws {
        let settings = try settings(counts: false)
        let written = try run(try TopK(settings), Array("\(label(7))\ta\n\(label(7))\ta\n".utf8))
        #expect(written.text == "\(label(7))\ta\t2\n")
    }

    @Test func aLabelIsPrintedAsItCame() throws {
        var settings = try settings(size: 1000)
        settings.top = 1
        let written = try run(try TopK(settings), Array("1970-01-01T00:00:00.500Z\ta\t1\n".utf8))
        #expect(written.text == "1970-01-01T00:00:00.500Z\ta\t1\n")
        // A window that begins before the first time there is.
        let early = try run(try TopK(settings), Array("0000-12-31T23:59:59Z\ta\t1\n".utf8))
        #expect(early.text == "0000-12-31T23:59:59Z\ta\t1\n")
    }

    @Test func whatIsNoLabelIsMalformed() throws {
        let settings = try settings()
        let error = #expect(throws: MalformedLine<TopK.Problem>.self) {
            try run(try TopK(settings), Array("\(self.label(0))\ta\t1\nsoon\ta\t1\n".utf8))
        }
        #expect(error?.description == #"line 2: no window begins at "soon""#)
    }

    @Test func windowsThatDoNotFitEndIt() throws {
        var settings = try settings(latest: true, size: 100_000)
        settings.memory = 1 << 20
        let input = (0..<40_000).map { "\(label(Int64($0 % 40)))\tkey number \($0)\t1\n" }.joined()
        let error = #expect(throws: MalformedLine<TopK.Problem>.self) {
            try run(try TopK(settings), Array(input.utf8))
        }
        #expect(error?.problem == .windows(open: 40))
    }

    // MARK: - In a stream

    @Test func theWatermarkOfTheStreamCompletesWindows() throws {
        let filter = try Fed(try settings())
        #expect(try filter.barrier(.open, .unknown).isEmpty)
        #expect(try filter.barrier(.restore, .unknown).isEmpty)
        #expect(try filter.barrier(.restored, .unknown).isEmpty)
        try filter.lines(["\(label(0))\ta\t1", "\(label(50))\tb\t1", "\(label(0))\ta\t1"])
        #expect(try filter.barrier(.commit, .unknown).isEmpty)
        #expect(try filter.barrier(.commit, .time(9999)).isEmpty)
        #expect(try filter.barrier(.commit, .time(10_000)) == ["\(label(0))\ta\t2"])
        try filter.lines(["\(label(0))\ta\t1"])
        #expect(filter.lateLines == 1)
        #expect(try filter.barrier(.close, .time(10_000)).isEmpty)
        #expect(try filter.barrier(.close, .end) == ["\(label(50))\tb\t1"])
    }

    @Test func stateOfAPartitionIsLeftOutWhereItIsDone() throws {
        let filter = try Fed(try settings())
        _ = try filter.barrier(.open, .unknown)
        // The first partition has put out the window of 0 s, the second has not.
        _ = try filter.barrier(.restore, .time(10_000))
        try filter.lines(["\(label(0))\ta\t1", "\(label(10))\ta\t2"])
        _ = try filter.barrier(.restore, .time(3000))
        try filter.lines(["\(label(0))\tb\t4"])
        _ = try filter.barrier(.restored, .unknown)
        #expect(filter.lateLines == 0)
        #expect(
            try filter.barrier(.commit, .time(20_000)) == ["\(label(0))\tb\t4", "\(label(10))\ta\t2"])
        // A new restore voids what is held.
        try filter.lines(["\(label(30))\tx\t4"])
        _ = try filter.barrier(.restore, .time(20_000))
        _ = try filter.barrier(.restored, .unknown)
        #expect(try filter.barrier(.commit, .end).isEmpty)
    }

    @Test func windowsThatARestartWouldLoseAreNotHeldInSilence() throws {
        let filter = try Fed(try settings())
        _ = try filter.barrier(.open, .unknown)
        try filter.lines(["\(label(0))\ta\t1"])
        let error = #expect(throws: MalformedLine<TopK.Problem>.self) { _ = try filter.barrier(.commit, .unknown) }
        #expect(error?.problem == .noState)
    }

    @Test func theEndOfAStreamPutsOutNothingThatIsNotComplete() throws {
        let session = String(repeating: "0f", count: 16)
        func barrier(_ kind: String, _ watermark: String) -> String {
            "\u{1E}barrier\t\(session)\t0\t\(kind)\t\(watermark)\t\n"
        }
        let input =
            barrier("open", "") + barrier("restore", "") + barrier("restored", "") + "\(label(0))\ta\t1\n"
            + "\(label(90))\ta\t1\n" + barrier("close", "")
        let settings = try settings()
        let written = try run(try TopK(settings), Array(input.utf8))
        #expect(written.text == input.replacing("\(label(0))\ta\t1\n\(label(90))\ta\t1\n", with: ""))
        #expect(written.remarks == ["no window was complete: no watermark has come with the barriers"])
    }

    // MARK: - Members that come and go

    /// A partition of the input: what was written, how far it was read, and how far it is done.
    struct Partition {
        var log: [(window: Int64, key: String, count: Int64)] = []
        var watermarks: [Int64] = []  // after each line
        var read = 0
        var done: Int64 = -1

        func watermark(_ now: Int) -> Int64 { now == 0 ? -1 : watermarks[now - 1] }
    }

    /// Partitions move between members at any moment; each window's list of each partition comes once, and right.
    @Test(arguments: [false, true]) func eachListOfEachPartitionComesOnce(latest: Bool) throws {
        try withEverySeed(150) { random in
            let count = Int.random(in: 1...4, using: &random)
            var partitions = (0..<count).map { _ in Partition() }
            var truth: [String: Int64] = [:]
            for number in 0..<count {
                var time: Int64 = 0
                var totals: [String: Int64] = [:]
                for _ in 0..<Int.random(in: 0...60, using: &random) {
                    time += .random(in: 0...6, using: &random)
                    let (window, key) = (time / 10 * 10, "\(number)\(Int.random(in: 0..<5, using: &random))")
                    let name = "\(label(window))\t\(key)"
                    totals[name, default: 0] += 1
                    partitions[number].log.append((window, key, latest ? totals[name]! : 1))
                    partitions[number].watermarks.append(time * 1000)
                }
                truth.merge(totals) { $1 }
            }
            var settings = try settings(latest: latest)
            settings.top = nil
            var members: [(filter: Fed, partitions: [Int])] = []
            var written: [String] = []
            func line(_ number: Int, _ at: Int) -> String {
                let entry = partitions[number].log[at]
                return "\(label(entry.window))\t\(entry.key)\t\(entry.count)"
            }
            func deal() throws {
                var hands = (0..<3).map { _ in [Int]() }
                for number in 0..<count { hands[Int.random(in: 0..<3, using: &random)].append(number) }
                var old = members.map(\.filter)
                members = []
                for hand in hands where !hand.isEmpty {
                    // A member stays, with what it holds, or is a new one.
                    let filter: Fed
                    if !old.isEmpty, Bool.random(using: &random) {
                        filter = old.removeFirst()
                    } else {
                        filter = try Fed(settings)
                        written += try filter.barrier(.open, .unknown)
                    }
                    for number in hand {
                        let done = partitions[number].done
                        written += try filter.barrier(.restore, done < 0 ? .unknown : .time(done))
                        try filter.lines((0..<partitions[number].read).map { line(number, $0) })
                    }
                    written += try filter.barrier(.restored, .unknown)
                    members.append((filter, hand))
                }
            }
            func commit(_ member: (filter: Fed, partitions: [Int]), _ watermark: Int64) throws {
                written += try member.filter.barrier(.commit, watermark < 0 ? .unknown : .time(watermark))
                for number in member.partitions { partitions[number].done = max(partitions[number].done, watermark) }
            }
            try deal()
            for _ in 0..<40 {
                if Int.random(in: 0..<6, using: &random) == 0 { try deal() }
                let member = members[Int.random(in: 0..<members.count, using: &random)]
                for number in member.partitions {
                    let next = min(
                        partitions[number].log.count, partitions[number].read + .random(in: 0...12, using: &random))
                    try member.filter.lines((partitions[number].read..<next).map { line(number, $0) })
                    partitions[number].read = next
                }
                try commit(member, member.partitions.map { partitions[$0].watermark(partitions[$0].read) }.min()!)
            }
            for member in members {
                for number in member.partitions {
                    try member.filter.lines(
                        (partitions[number].read..<partitions[number].log.count).map { line(number, $0) })
                }
                written += try member.filter.barrier(.close, .end)
                try #require(member.filter.lateLines == 0)
            }
            let wanted = truth.map { "\($0)\t\($1)" }.sorted()
            try #require(written.sorted() == wanted)
        }
    }

    /// Each member's top k by disjoint keys, then merged by window, is the top k of all.
    @Test func listsInTwoStepsAreTheListsInOne() throws {
        try withEverySeed(40) { random in
            var lines = (0..<3).map { _ in [String]() }
            for window in 0..<6 as Range<Int64> {
                for _ in 0..<80 {
                    let key = Int.random(in: 0..<30, using: &random)
                    lines[key % 3].append(
                        "\(label(window * 10))\tk\(key)\t\(Int.random(in: 1...9, using: &random))\n")
                }
            }
            let settings = try settings()
            func top(_ lines: [String]) throws -> String {
                try run(try TopK(settings), Array(lines.joined().utf8)).text
            }
            func byWindow(_ lines: [String]) -> [String] {
                lines.enumerated().sorted { ($0.element.prefix(20), $0.offset) < ($1.element.prefix(20), $1.offset) }
                    .map(\.element)
            }
            let one = try top(byWindow(lines.flatMap { $0 }))
            let lists = try lines.map { try top($0) }.joined().split(separator: "\n").map { "\($0)\n" }
            try #require(try top(byWindow(lists)) == one)
        }
    }
}
