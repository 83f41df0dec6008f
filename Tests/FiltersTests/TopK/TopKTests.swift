import Bytes
import Filters
import TestSupport
import Testing

@Suite struct TopKTests {
    @Test func theMostFrequentLinesFirstAndEqualOnesByTheirBytes() throws {
        #expect(try topK("b\na\nc\nb\na\nB\n").text == "a\t2\nb\t2\nB\t1\nc\t1\n")
    }

    @Test func aListHasTenLinesUnlessToldOtherwise() throws {
        let input = (10...40).map { "\($0)\n" }.joined()
        #expect(try topK(input).lines.count { $0 == 0x0A } == 10)
        #expect(try topK(input) { $0.top = 3 }.text == "10\t1\n11\t1\n12\t1\n")
        #expect(try topK(input) { $0.top = nil }.lines.count { $0 == 0x0A } == 31)
        #expect(try topK(input) { $0.top = 100 }.lines.count { $0 == 0x0A } == 31)
    }

    @Test func keysAreBytes() throws {
        #expect(try topK("\n\n\t\n").text == "\t2\n\t\t1\n")
        let input: [UInt8] = [0, 0x0A, 0, 0, 0x0A, 0xFF, 0x0D, 0x0A, 0xFF, 0x0A, 0x0A]
        #expect(
            try topK(input).lines == [
                9, 0x31, 10, 0, 9, 0x31, 10, 0, 0, 9, 0x31, 10, 0xFF, 9, 0x31, 10, 0xFF, 0x0D, 9, 0x31, 10,
            ])
    }

    @Test func noInputNoOutput() throws {
        #expect(try topK("").text == "")
        #expect(try topK("").answer == .text("exact"))
        #expect(try topK("") { $0.emission = .partials }.text == "")
    }

    @Test func aLastLineNeedsNoLineEnd() throws {
        #expect(try topK("a\nb\na").text == "a\t2\nb\t1\n")
    }

    @Test func countLinesAreAddedUp() throws {
        let input = "a\t1\nb\t5\na\t10\n\t3\na\tb\t4\nz\t0\n"
        #expect(try topK(input) { $0.readsCounts = true }.text == "a\t11\nb\t5\na\tb\t4\n\t3\nz\t0\n")
    }

    @Test func boundsShowBothEnds() throws {
        #expect(try topK("a\na\nb\n") { $0.showsBounds = true }.text == "a\t2\t2\nb\t1\t1\n")
    }

    @Test(arguments: [
        ("a\n", "line 1: no count: the line has no TAB"),
        ("a\t1\nb\tx\n", "line 2: count is not a number: \"x\""),
        ("a\t-1\n", "line 1: count is negative: -1"),
        ("a\t9223372036854775808\n", "line 1: count is out of 64-bit range: \"9223372036854775808\""),
        ("a\t9223372036854775807\nb\t1\na\t1\nb\t1\n", "line 3: the sum of counts passes 64 bits"),
        ("a\t9223372036854775807\na\t1\nb\n", "line 2: the sum of counts passes 64 bits"),
    ])
    func whatIsNoCountLineEndsTheRun(_ input: String, _ message: String) throws {
        for reads in [[1 << 16], [1], [9, 2]] {
            let error = #expect(throws: MalformedLine<TopK.Problem>.self) {
                try topK(input, reads: reads) { $0.readsCounts = true }
            }
            #expect(error?.description == message)
        }
    }

    @Test func malformedLinesCanBePutAside() throws {
        let written = try topK("a\t1\nb\nc\t-2\na\t2\n", rejecting: true) { $0.readsCounts = true }
        #expect(written.text == "a\t3\n")
        #expect(
            String(decoding: written.rejects, as: UTF8.self)
                == "line 2: no count: the line has no TAB\tb\nline 3: count is negative: -2\tc\t-2\n")
    }

    @Test func countsReachTheEdgeOf64Bits() throws {
        let input = "a\t9223372036854775806\na\t1\nb\t9223372036854775807\n"
        let written = try topK(input) { $0.readsCounts = true }
        #expect(written.text == "a\t9223372036854775807\nb\t9223372036854775807\n")
        #expect(written.fact("counted") == .null)
    }

    /// Each counts as it should, but the sketch that takes them in cannot hold them all.
    @Test func anOverflowOfACellIsAnErrorAsWell() throws {
        let input = (0..<5000).map { "\($0)\t4611686018427387904\n" }.joined()
        #expect(throws: MalformedLine<TopK.Problem>.self) {
            try topK(input) { ($0.readsCounts, $0.memory) = (true, 64 << 10) }
        }
    }

    @Test func whereTheInputIsCutDoesNotShow() throws {
        try withEverySeed(6) { generator in
            let input = lines((0..<6000).map { _ in skewedKey(&generator) })
            for emission in TopKSettings.Emission.allCases {
                let whole = try topK(input) { ($0.memory, $0.top, $0.emission) = (64 << 10, nil, emission) }
                let reads = (0..<50).map { _ in Int.random(in: 1...200, using: &generator) }
                let cut = try topK(input, reads: reads) { ($0.memory, $0.top, $0.emission) = (64 << 10, nil, emission) }
                #expect(whole == cut)
                let counts = try topK(whole.lines, reads: reads) { settings in
                    (settings.memory, settings.top, settings.readsCounts) = (64 << 10, nil, emission == .partials)
                }
                #expect(!counts.lines.isEmpty)
            }
        }
    }

    @Test func theSummarySaysWhatTheAnswerIsWorth() throws {
        let exact = try topK("a\na\nb\n")
        #expect(exact.answer == .text("exact"))
        #expect(exact.fact("distinct") == .integer(2))
        #expect(exact.fact("counted") == .integer(3))
        #expect(exact.fact("error_bound") == .integer(0))
        let distinct = (0..<20_000).map { "\($0)\n" }.joined()
        let estimated = try topK(distinct) { $0.memory = 64 << 10 }
        #expect(estimated.answer == .text("estimated"))
        let certified = try topK(distinct + String(repeating: "the\n", count: 2000)) {
            ($0.memory, $0.top) = (64 << 10, 1)
        }
        #expect(certified.answer == .text("certified"))
        #expect(certified.text.hasPrefix("the\t"))
    }

    @Test func memoryThatCannotBeSharedOutIsRefused() throws {
        func problem(_ change: (inout TopKSettings) -> Void) -> String? {
            #expect(throws: TopKSettings.Problem.self) { try topK("", change) }?.description
        }
        #expect(problem { $0.memory = 1000 } == "too little memory: give --memory 64K or more")
        #expect(problem { $0.epsilon = 0.000001 } == "too little memory: give --memory 256M or more")
        #expect(
            problem { $0.delta = 1e-20 } == "no sketch has errors so small: give a larger --epsilon or --delta")
        let shape = try WindowShape(size: 3_600_000, hop: 1000)
        #expect(
            problem { $0.windows = .processingTime(shape) }
                == "too little memory for 3601 windows at once: give --memory 230464K or more")
    }
}
