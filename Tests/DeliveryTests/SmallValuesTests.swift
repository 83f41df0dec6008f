import Delivery
import Testing

@Suite struct SmallValuesTests {
    @Test func marksTellWhichMessagesWereTakenWhole() {
        var marks = AcceptanceMarks()
        marks.add(0, next: 1, lines: 1, end: 10)
        marks.add(1, next: 7, lines: 2, end: 20)
        let none = marks.next(accepted: 9)
        #expect(none == nil)
        let first = marks.next(accepted: 15)
        #expect(first?.next == 1 && first?.lines == 1)
        let second = marks.next(accepted: 15)
        #expect(second == nil)
        #expect(marks.isInMessage(accepted: 15))
        #expect(!marks.isInMessage(accepted: 10))
    }

    @Test func whatIsGivenUpEndsAfterTheMessageThatWasBegun() {
        for (accepted, end, lines) in [(10, 10, 3), (15, 20, 1), (20, 20, 1), (30, 30, 0)] {
            var marks = AcceptanceMarks()
            for (place, lines) in [1, 2, 1].enumerated() {
                marks.add(0, next: Int64(place + 1), lines: lines, end: 10 * (place + 1))
            }
            while marks.next(accepted: accepted) != nil {}
            let given = marks.giveUp(accepted: accepted)
            #expect(given.end == end && given.lines == lines, "\(accepted)")
            #expect(marks.isEmpty)
        }
    }

    /// Partitions go twice while standard output is blocked in the middle of a line: the rest of it is kept both times. Cut off
    /// at the second, the line that came after it would have been joined to its half, and lost.
    @Test func theRestOfAMessageThatWasGivenUpStays() {
        var marks = AcceptanceMarks()
        for place: Int64 in 1...2 { marks.add(0, next: place, lines: 1, end: 10 * Int(place)) }
        let first = marks.giveUp(accepted: 5)
        #expect(first == (10, 1))
        marks.add(1, next: 7, lines: 1, end: 20)
        let second = marks.giveUp(accepted: 5)
        #expect(second == (10, 1))
        let third = marks.giveUp(accepted: 10)
        #expect(third == (10, 0))
    }

    @Test func aGapIsWhatIsGoneAndNothingElse() {
        let range = LogRange(low: 10, high: 20, start: 10)
        for next in Int64(10)...20 { #expect(Gap(0, next: next, in: range) == nil) }
        #expect(Gap(0, next: 4, in: range).map { [$0.count, $0.resumption] } == [6, 10])
        #expect(Gap(0, next: 25, in: range).map { [$0.count, $0.resumption] } == [5, 20])
    }

    @Test func anEpochHoldsWhatItsTimeTakes() {
        var budget = EpochBudget(milliseconds: 2000)
        #expect(budget.bytes == 256 << 10)
        // 100 KB/s.
        budget.note(bytes: 256 << 10, milliseconds: 2621)
        #expect((190_000...210_000).contains(budget.bytes))
        for _ in 0..<10 { budget.note(bytes: budget.bytes, milliseconds: Int64(budget.bytes) / 100) }
        #expect((190_000...210_000).contains(budget.bytes))
        // A fast one grows, at most twofold an epoch, up to 16 MiB.
        for _ in 0..<10 { budget.note(bytes: budget.bytes, milliseconds: 100) }
        #expect(budget.bytes == 16 << 20)
        // A trickle shows nothing about more.
        budget.note(bytes: 1000, milliseconds: 1000)
        #expect(budget.bytes == 16 << 20)
        // Brokers that have slowed down.
        budget.note(bytes: 16 << 20, milliseconds: 300_000)
        #expect(budget.bytes < 2 << 20)
    }
}
