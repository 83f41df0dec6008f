import Bytes
import Filters
import TestSupport
import Testing

@Suite struct MergeCountsTests {
    typealias Problem = MergeCounts.Problem

    static let allModes: [MergeCounts.Mode] = [
        .totals(top: nil), .totals(top: 3), .totals(top: 0), .updates(every: nil), .updates(every: .lines(7)), .sorted,
    ]

    func merge(_ input: String, _ mode: MergeCounts.Mode = .totals(top: nil), rejecting: Bool = false) throws -> Written
    {
        try run(MergeCounts(mode), Array(input.utf8), rejecting: rejecting)
    }

    /// The problem that ends the tool.
    func problem(_ input: String, _ mode: MergeCounts.Mode = .totals(top: nil)) -> String? {
        #expect(throws: MalformedLine<Problem>.self) { try merge(input, mode) }?.description
    }

    let open = Piece.barrier(.open).text
    let restore = Piece.barrier(.restore).text
    let restored = Piece.barrier(.restored).text
    let commit = Piece.barrier(.commit).text
    let close = Piece.barrier(.close).text

    // MARK: - Totals

    @Test func totalsAreSortedByKeyByteByByte() throws {
        #expect(try merge("b\t1\na\t2\nb\t3\n").text == "a\t2\nb\t4\n")
        #expect(try merge("é\t1\nz\t1\nZ\t1\n\t1\n").text == "\t1\nZ\t1\nz\t1\né\t1\n")
        #expect(try merge("ab\t1\na\0\0\t1\na\t1\na\0\t1\n").text == "a\t1\na\0\t1\na\0\0\t1\nab\t1\n")
    }

    @Test func theKeyIsAllBeforeTheCount() throws {
        #expect(try merge("w\tthe\t1\nw\tthe\t2\nw\t3\n").text == "w\t3\nw\tthe\t3\n")
    }

    @Test func zeroAndNegativeTotalsAreTotals() throws {
        #expect(try merge("a\t5\nb\t0\na\t-5\nc\t-7\n").text == "a\t0\nb\t0\nc\t-7\n")
    }

    @Test(arguments: allModes) func noInputHasNoTotals(_ mode: MergeCounts.Mode) throws {
        #expect(try merge("", mode).text == "")
        #expect(try merge(open + close, mode).text == open + close)
    }

    @Test func theTopIsByCountAndThenByKey() throws {
        let input = "d\t1\nb\t2\na\t2\nc\t9\ne\t-1\n"
        #expect(try merge(input, .totals(top: 3)).text == "c\t9\na\t2\nb\t2\n")
        #expect(try merge(input, .totals(top: 1)).text == "c\t9\n")
        #expect(try merge(input, .totals(top: 0)).text == "c\t9\na\t2\nb\t2\nd\t1\ne\t-1\n")
        #expect(try merge(input, .totals(top: 99)).text == "c\t9\na\t2\nb\t2\nd\t1\ne\t-1\n")
    }

    @Test func theSummaryHasTheNumberOfKeysAndTheirMemory() throws {
        var expected = Summary()
        expected.add("keys", 2)
        expected.add("held_bytes", 16384)
        #expect(try merge("a\t1\nb\t1\na\t1\n").summary == expected)
        #expect(try merge(open + "a\t1\nb\t1\n" + commit + "a\t1\n" + close).summary == expected)
        #expect(try merge("a\t1\na\t1\nb\t1\n", .sorted).summary == expected)
    }

    // MARK: - Problems

    @Test func theFirstMalformedLineEndsIt() {
        #expect(problem("a\t1\nb\n") == "line 2: no count: the line has no TAB")
        #expect(problem("a\t1\nb\t12x\nc\n") == #"line 2: count is not a number: "12x""#)
        #expect(
            problem("a\t9223372036854775808\n") == #"line 1: count is out of 64-bit range: "9223372036854775808""#)
    }

    @Test(arguments: allModes) func aTotalDoesNotWrap(_ mode: MergeCounts.Mode) throws {
        let most = "9223372036854775807"
        #expect(problem("k\t\(most)\nk\t-1\nk\t2\n", mode) == #"line 3: total of "k" is out of 64-bit range"#)
        #expect(problem("a\tk\t-\(most)\na\tk\t-2\n", mode) == #"line 2: total of "a\tk" is out of 64-bit range"#)
        #expect(try merge("k\t\(most)\nk\t-\(most)\nk\t\(most)\n", mode).text == "k\t\(most)\n")
        #expect(try merge("k\t-\(most)\nk\t-1\n", mode).text == "k\t-9223372036854775808\n")
    }

    @Test func aRejectedLineLeavesTheTotalAsItWas() throws {
        let written = try merge("k\t9223372036854775807\nx\nk\t1\nk\t-7\n", rejecting: true)
        #expect(written.text == "k\t9223372036854775800\n")
        #expect(
            String(decoding: written.rejects, as: UTF8.self)
                == "line 2: no count: the line has no TAB\tx\nline 3: total of \"k\" is out of 64-bit range\tk\t1\n")
    }

    // MARK: - Sorted input

    @Test func sortedInputIsSummedAsItComes() throws {
        #expect(try merge("\t1\na\t1\na\t2\na\0\t3\nb\t4\n", .sorted).text == "\t1\na\t3\na\0\t3\nb\t4\n")
    }

    @Test func aKeyOutOfOrderIsMalformed() throws {
        #expect(problem("b\t1\na\t1\n", .sorted) == #"line 2: key "a" is not in order (--sorted)"#)
        #expect(problem("ab\t1\na\t1\n", .sorted) == #"line 2: key "a" is not in order (--sorted)"#)
        let written = try merge("b\t1\na\t1\nb\t1\nc\t1\n", .sorted, rejecting: true)
        #expect(written.text == "b\t2\nc\t1\n")
        #expect(written.rejects == Array("line 2: key \"a\" is not in order (--sorted)\ta\t1\n".utf8))
    }

    @Test func behindABarrierTheOrderBeginsAnew() throws {
        let input = open + "b\t1\n" + commit + "a\t1\nb\t1\n" + close
        #expect(try merge(input, .sorted).text == input)
    }

    // MARK: - Barriers

    @Test func anEpochHasItsOwnTotals() throws {
        let input = open + "b\t1\na\t1\n" + commit + "b\t1\n" + close
        #expect(try merge(input).text == open + "a\t1\nb\t1\n" + commit + "b\t1\n" + close)
        #expect(try merge(input, .totals(top: 1)).text == open + "a\t1\n" + commit + "b\t1\n" + close)
    }

    @Test func updatesAreTheNewTotalsOfTheKeysThatCame() throws {
        let input = open + "b\t1\na\t1\n" + commit + "b\t1\nc\t0\n" + commit + commit + "a\t5\na\t-5\n" + close
        let output = open + "a\t1\nb\t1\n" + commit + "b\t2\nc\t0\n" + commit + commit + "a\t1\n" + close
        #expect(try merge(input, .updates(every: nil)).text == output)
    }

    @Test func restoredLinesAreTotalsOfWhichTheLastCounts() throws {
        let input = open + restore + "a\t1\nb\t7\na\t5\n" + restored + "a\t1\nc\t1\n" + commit + "b\t1\n" + close
        let output = open + restore + restored + "a\t6\nc\t1\n" + commit + "b\t8\n" + close
        #expect(try merge(input, .updates(every: nil)).text == output)
        #expect(try merge(input, .updates(every: .lines(2))).text == output)
        let none = open + restore + restored + "a\t1\n" + close
        #expect(try merge(none, .updates(every: nil)).text == none)
    }

    @Test func whatIsRestoredReplacesWhatWasHeld() throws {
        let input = open + "a\t1\nb\t2\n" + commit + restore + "b\t9\nc\t4\n" + restored + "a\t1\nb\t1\n" + close
        let output = open + "a\t1\nb\t2\n" + commit + restore + restored + "a\t1\nb\t10\n" + close
        #expect(try merge(input, .updates(every: nil)).text == output)
    }

    @Test func theSumOfStateMayPass64BitsAndThatOfInputMayNot() throws {
        let most = "k\t9223372036854775807\n"
        let state = open + restore + most + most + "j\t1\n" + most + restored
        #expect(try merge(state, .updates(every: nil)).text == open + restore + restored)
        #expect(
            try merge(state + "k\t-7\nj\t1\n" + close, .updates(every: nil)).text
                == open + restore + restored + "j\t2\nk\t9223372036854775800\n" + close)
        let problem = #"total of "k" is out of 64-bit range"#
        #expect(self.problem(state + "k\t1\n", .updates(every: nil)) == "line 8: \(problem)")
        #expect(self.problem(open + most + "j\t1\n" + most + commit, .updates(every: nil)) == "line 4: \(problem)")
    }

    // MARK: - Intervals

    @Test func updatesEveryNLines() throws {
        #expect(
            try merge("b\t1\na\t1\nb\t1\nc\t1\nc\t1\n", .updates(every: .lines(2))).text
                == "a\t1\nb\t1\nb\t2\nc\t1\nc\t2\n")
    }

    @Test func updatesComeSoLongAfterTheFirstLineThatIsOwed() throws {
        final class Lines { var text = "" }
        let lines = Lines()
        var output = Output(lines: OutputBuffer { lines.text += String(decoding: $0, as: UTF8.self) })
        func written(_ output: inout Output) -> String {
            output.flush()
            defer { lines.text = "" }
            return lines.text
        }
        func moment(_ time: Int64) -> Moment { Moment(unixMilliseconds: 0, monotonicMilliseconds: time) }
        let (a, b) = (Array("a\t1\n".utf8), Array("b\t1\n".utf8))
        var filter = MergeCounts(.updates(every: .milliseconds(100)))
        var patience = filter.patience(at: moment(1000))
        #expect(patience == nil)
        try filter.consume(a.span, firstLine: 1, now: moment(1000), into: &output)
        try filter.consume(b.span, firstLine: 2, now: moment(1060), into: &output)
        patience = filter.patience(at: moment(1060))
        #expect(patience == 40)
        filter.wake(now: moment(1099), into: &output)
        #expect(written(&output) == "")
        filter.wake(now: moment(1100), into: &output)
        #expect(written(&output) == "a\t1\nb\t1\n")
        patience = filter.patience(at: moment(1100))
        #expect(patience == nil)
        // Input that never lets up does not put it off.
        try filter.consume(a.span, firstLine: 3, now: moment(2000), into: &output)
        try filter.consume(b.span, firstLine: 4, now: moment(2150), into: &output)
        #expect(written(&output) == "a\t2\n")
        patience = filter.patience(at: moment(2150))
        #expect(patience == 100)
        _ = try filter.finish(now: moment(2160), into: &output)
        #expect(written(&output) == "b\t2\n")
    }

    // MARK: - All together

    @Test func asTheModelWhateverTheReads() throws {
        try withEverySeed(300) { random in
            let mode = Self.allModes.randomElement(using: &random)!
            let pieces = pieces(mode, &random)
            let model = MergeCountsModel(mode, pieces)
            let input = Array(pieces.map(\.text).joined().utf8)
            let reads = (0..<Int.random(in: 1...4, using: &random)).map { _ in Int.random(in: 1...90, using: &random) }
            let written = try run(MergeCounts(mode), input, reads: reads, rejecting: true)
            try #require(written.text == model.output)
            // Lines of the first epoch whose sum overflows are only rejected at its end.
            let rejects = Set(String(decoding: written.rejects, as: UTF8.self).split(separator: "\n").map(String.init))
            try #require(rejects.count == model.rejected.count)
            for (number, line) in model.rejected {
                try #require(rejects.contains { $0.hasPrefix("line \(number): ") && $0.hasSuffix("\t\(line)") })
            }
            let problem = Result { try run(MergeCounts(mode), input, reads: reads) }
            switch problem {
            case .success(let whole): try #require(model.rejected.isEmpty && whole.text == model.output)
            case .failure(let error):
                let number = try #require(error as? MalformedLine<Problem>).number
                if case .updates = mode {
                    try #require(model.rejected[number] != nil)
                } else {
                    try #require(number == model.rejected.keys.min())
                }
            }
        }
    }

    @Test func aRestartFromItsOwnUpdatesEndsWithTheSameTotals() throws {
        try withEverySeed(50) { random in
            let epochs = (0..<6).map { _ in
                (0..<Int.random(in: 0...40, using: &random)).map { _ in
                    "key \(Int.random(in: 0..<25, using: &random))\t\(Int.random(in: -9...9, using: &random))\n"
                }.joined()
            }
            let mode = MergeCounts.Mode.updates(every: nil)
            func stream(_ epochs: ArraySlice<String>) -> String { epochs.map { $0 + commit }.joined() + close }
            func data(_ text: String) -> String {
                text.split(separator: "\n").filter { !$0.hasPrefix("\u{1E}") }.map { $0 + "\n" }.joined()
            }
            let cut = Int.random(in: 0...6, using: &random)
            let before = data(try merge(open + stream(epochs[..<cut]), mode).text)
            let after = data(try merge(open + restore + before + restored + stream(epochs[cut...]), mode).text)
            // The last value of each key, as a compacted topic keeps it.
            var last: [Substring: Substring] = [:]
            for line in (before + after).split(separator: "\n") {
                let fields = line.split(separator: "\t")
                last[fields[0]] = fields[1]
            }
            let whole = last.sorted { $0.key < $1.key }.map { "\($0.key)\t\($0.value)\n" }.joined()
            let expected = try merge(epochs.joined()).text
            try #require(whole == expected)
        }
    }

    @Test func theTableGrowsWhileChangesAreOwed() throws {
        var random = SeededGenerator(seed: 1)
        let pieces = (0..<20_000).map { _ in Piece.line("\(Int.random(in: 0..<9000, using: &random))\t1") }
        let input = Array(pieces.map(\.text).joined().utf8)
        for every in [700, 5000] {
            let mode = MergeCounts.Mode.updates(every: .lines(every))
            let written = try run(MergeCounts(mode), input)
            #expect(written.text == MergeCountsModel(mode, pieces).output)
        }
    }

    /// A stream with keys of all kinds, a few wrong lines, counts that overflow and, in half of them, barriers.
    func pieces(_ mode: MergeCounts.Mode, _ random: inout SeededGenerator) -> [Piece] {
        let stems = ["", "a", "ab", "2026-11-22T10:00:00Z\tword", "2026-11-22T10:00:00Z", "a\0", "seventeen bytes: "]
        let keys = (0..<Int.random(in: 1...60, using: &random)).map { _ in
            stems.randomElement(using: &random)! + String(repeating: "x", count: Int.random(in: 0...20, using: &random))
        }
        let rareness = Int.random(in: 3...200, using: &random)
        var isUpdates = false
        if case .updates = mode { isUpdates = true }
        let hasBarriers = Bool.random(using: &random)
        var pieces: [Piece] = hasBarriers ? [.barrier(.open)] : []
        for _ in 0..<Int.random(in: 1...8, using: &random) {
            var lines = (0..<Int.random(in: 0...100, using: &random)).map { _ in
                let key = keys.randomElement(using: &random)!
                switch Int.random(in: 0..<rareness, using: &random) {
                case 0: return (key, "12x")
                case 1: return (key, String(Int64.max / 2))
                default: return (key, String(Int.random(in: -3...99, using: &random)))
                }
            }
            if mode == .sorted, Int.random(in: 0..<4, using: &random) > 0 {
                lines.sort { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) }
            }
            let isState = hasBarriers && isUpdates && Int.random(in: 0..<3, using: &random) == 0
            if isState { pieces.append(.barrier(.restore)) }
            pieces += lines.map { .line("\($0.0)\t\($0.1)") }
            if hasBarriers { pieces.append(.barrier(isState ? .restored : .commit)) }
        }
        return pieces
    }
}
