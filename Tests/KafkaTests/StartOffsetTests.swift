import Kafka
import Testing

@Suite struct StartOffsetTests {
    @Test func wordsNumbersAndTimesAreRead() {
        for (text, start) in [
            ("beginning", .beginning), ("end", .end), ("stored", .stored), ("0", .offset(0)), ("17", .offset(17)),
            ("-5", .fromEnd(5)), ("-0", .fromEnd(0)), ("@0", .time(0)), ("@1700000000000", .time(1_700_000_000_000)),
        ] as [(String, StartOffset)] {
            #expect(StartOffset(text) == start, "\(text)")
        }
        for text in ["", "-", "@", "+1", "1.5", "@-1", "--1", "End", "99999999999999999999", "1 "] {
            #expect(StartOffset(text) == nil, "\(text)")
        }
    }

    @Test func anOffsetIsHeldWithinWhatIsThere() {
        let there: Range<Int64> = 100..<200
        for (start, offset) in [
            (.beginning, 100), (.stored, 100), (.end, 200), (.offset(150), 150), (.offset(5), 100), (.offset(500), 200),
            (.fromEnd(0), 200), (.fromEnd(1), 199), (.fromEnd(100), 100), (.fromEnd(.max), 100),
        ] as [(StartOffset, Int64)] {
            #expect(start.offset(in: there, byTime: nil) == offset, "\(start)")
        }
        #expect(StartOffset.time(1).offset(in: there, byTime: 120) == 120)
        #expect(StartOffset.time(1).offset(in: there, byTime: -1) == 200)
        #expect(StartOffset.beginning.offset(in: 0..<0, byTime: nil) == 0)
    }
}
