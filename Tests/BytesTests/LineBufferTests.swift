import Bytes
import TestSupport
import Testing

@Suite struct LineBufferTests {
    static let session = String(repeating: "0123456789abcdef", count: 2)
    static func barrier(_ kind: String, _ epoch: Int = 0, session: String = session) -> String {
        "\u{1E}barrier\t\(session)\t\(epoch)\t\(kind)\t17\tpay\tload\n"
    }

    static let texts = [
        "", "\n", "\n\n", "a", "a\n", "a\nb", "\na\n\n\nbc\n", "no end at all, and longer than the buffer is",
        "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten", "\0\n\0\0\n", "a\r\nb\r\n",
        barrier("open"), barrier("open") + barrier("close"),
        barrier("open") + "x\n" + barrier("commit", 1) + "y\nz\n" + barrier("close", 2),
        barrier("open") + barrier("commit", 1, session: String(repeating: "f", count: 32)) + "x\n"
            + barrier("close", 2),
        barrier("open") + "x" + barrier("commit", 1) + barrier("close", 2),
        barrier("commit") + barrier("open") + "x\n" + barrier("close"), "x\n" + barrier("open") + barrier("close"),
        barrier("open") + barrier("close").dropLast(),
    ]

    @Test(arguments: texts)
    func everyCutGivesTheSameLines(_ text: String) {
        let input = Array(text.utf8)
        let expected = referenceLines(input)
        for size in 1...max(1, input.count) {
            for capacity in [1, 2, 3, 16, 64, 1024] {
                #expect(bufferedLines(input, capacity: capacity, reads: [size]) == expected)
            }
        }
        for cut in 1..<max(2, input.count) { #expect(bufferedLines(input, reads: [cut, .max]) == expected) }
    }

    @Test(arguments: texts)
    func theLimitHoldsExactlyWhereverReadsAreCut(_ text: String) {
        let input = Array(text.utf8)
        for maxLine in 1...80 {
            let expected = referenceLines(input, maxLine: maxLine)
            for size in [1, 2, 7, 64, 1000] {
                #expect(bufferedLines(input, maxLine: maxLine, capacity: 16, reads: [size]) == expected)
            }
        }
    }

    @Test func randomTextInRandomReads() throws {
        try withEverySeed(300) { random in
            let words = Self.texts + ["a", "bb", "\n", "\u{1E}", "\t", String(repeating: "long", count: 40)]
            var text = Bool.random(using: &random) ? Self.barrier("open") : ""
            for _ in 0..<Int.random(in: 0...12, using: &random) { text += words.randomElement(using: &random) ?? "" }
            let input = Array(text.utf8)
            let reads = (0..<5).map { _ in Int.random(in: 1...100, using: &random) }
            let maxLine = Bool.random(using: &random) ? 100 : 1000
            let found = bufferedLines(input, maxLine: maxLine, capacity: 32, reads: reads)
            try #require(found == referenceLines(input, maxLine: maxLine))
        }
    }

    @Test func aBarrierHoldsWhatItSays() throws {
        guard case .barrier(_, let barrier, _)? = bufferedLines(Array(Self.barrier("open", 12).utf8), reads: [9]).first
        else { throw Missing() }
        #expect(barrier.session == Array(Self.session.utf8))
        #expect(barrier.epoch == 12)
        #expect(barrier.kind == .open)
        #expect(barrier.watermark == .time(17))
        #expect(barrier.payload == Array("pay\tload".utf8))
    }

    struct Missing: Error {}

    @Test(arguments: [
        "barrier\t\(session)\t0\topen\t\t", "\u{1E}barriers\t\(session)\t0\topen\t\t",
        "\u{1E}barrier\t\(session)\t0\topen\t",
        "\u{1E}barrier\t\(session)0\t0\topen\t\t", "\u{1E}barrier\t\(session.uppercased())\t0\topen\t\t",
        "\u{1E}barrier\t\(session)\t-1\topen\t\t", "\u{1E}barrier\t\(session)\t\topen\t\t",
        "\u{1E}barrier\t\(session)\t0\tcommit\t\t", "\u{1E}barrier\t\(session)\t0\tOPEN\t\t",
        "\u{1E}barrier\t\(session)\t0\topen\tnow\t", "\u{1E}barrier\t\(session)\t99999999999999999999\topen\t\t",
    ])
    func whatDoesNotOpenAStreamIsData(_ line: String) {
        #expect(bufferedLines(Array(line.utf8), reads: [8]) == [.line(number: 1, Array(line.utf8))])
    }

    /// Each doubling copies what is there once, and each read scans only what it brought.
    @Test func aLongLineInSmallReadsTakesTimeInProportion() {
        let input = [UInt8](repeating: 0x78, count: 8_000_000) + [0x0A]
        #expect(bufferedLines(input, reads: [512]).count == 1)
    }
}
