import Delivery
import Testing

@Suite struct ResendTests {
    /// A message of lines, each of which a broker judges; sizes are bytes of the batch.
    private struct Message {
        var lines: [Int]
    }

    private static func item(_ partition: Int32, _ lines: [Int], bytes: Int = 10) -> Resend<Message>.Item {
        Resend.Item(
            partition: partition, lines: lines.count, bytes: bytes * lines.count, message: Message(lines: lines))
    }

    /// Sends to a broker that takes no batch of more than `limit` bytes, and none with a line of `bad`.
    private static func run(_ resend: inout Resend<Message>, limit: Int, bad: Set<Int>, line: Int = 10) -> Outcome {
        var outcome = Outcome()
        while !resend.isDone {
            let pieces = resend.pieces()
            #expect(!pieces.isEmpty)
            for piece in pieces {
                outcome.batches += 1
                let lines = piece.flatMap(\.message.lines)
                let size = piece.reduce(0) { $0 + $1.bytes }
                let code = size > limit ? ErrorCode.messageTooLarge : ErrorCode.invalidTimestamp
                let isGood = size <= limit && bad.isDisjoint(with: lines)
                if isGood { outcome.delivered[piece.first?.partition ?? -1, default: []] += lines }
                switch resend.note(isGood ? .delivered : .refused(code), of: piece.first?.partition ?? -1) {
                case .goOn: break
                case .name(let item, _): outcome.named += item.message.lines
                case .split(let item):
                    let (lines, middle) = (item.message.lines, item.lines / 2)
                    resend.replace(
                        by: (
                            Self.item(item.partition, Array(lines[..<middle]), bytes: line),
                            Self.item(item.partition, Array(lines[middle...]), bytes: line)
                        ))
                }
            }
        }
        return outcome
    }

    private struct Outcome {
        var delivered: [Int32: [Int]] = [:]
        var named: [Int] = []
        var batches = 0
    }

    @Test func oneBadLineOfManyIsFoundByHalves() {
        var resend = Resend((0..<10_000).map { Self.item(0, [$0]) }, bytesAtOnce: 1 << 20, firstPiece: 5000)
        let outcome = Self.run(&resend, limit: .max, bad: [7777])
        #expect(outcome.named == [7777])
        #expect(outcome.delivered[0] == (0..<10_000).filter { $0 != 7777 })
        #expect(outcome.batches < 60, "\(outcome.batches)")
    }

    @Test func whatIsTooLargeTogetherIsNotTooLargeAlone() {
        var resend = Resend((0..<10_000).map { Self.item(0, [$0]) }, bytesAtOnce: 1 << 20, firstPiece: 5000)
        let outcome = Self.run(&resend, limit: 1000, bad: [])
        #expect(outcome.named == [])
        #expect(outcome.delivered[0] == Array(0..<10_000))
        // At least half of what the topic takes is in each.
        #expect(outcome.batches < 220, "\(outcome.batches)")
        #expect(resend.learnedBytes.map { (500...1000).contains($0) } == true)
    }

    @Test func aPackIsSplitUntilALineIsAlone() {
        var resend = Resend(
            [Self.item(2, Array(1...64)), Self.item(2, Array(65...70))], bytesAtOnce: 1 << 20, firstPiece: 1)
        let outcome = Self.run(&resend, limit: .max, bad: [1, 33, 70])
        #expect(outcome.named == [1, 33, 70])
        #expect(outcome.delivered[2] == (1...70).filter { ![1, 33, 70].contains($0) })
    }

    @Test func nothingOfAPartitionIsUnderWayTwice() {
        var resend = Resend(
            (0..<100).map { Self.item(Int32($0 % 3), [$0]) }, bytesAtOnce: 1 << 20, firstPiece: 8)
        #expect(resend.pieces().map(\.count) == [8, 8, 8])
        #expect(resend.pieces().isEmpty)
        _ = resend.note(.delivered, of: 1)
        let next = resend.pieces()
        #expect(next.count == 1 && next[0].first?.partition == 1 && next[0].count == 16)
    }

    /// Whatever is refused: what is delivered and what is named are all, each partition in order, and only bad ones are named.
    @Test(arguments: 0..<200) func linesAreDeliveredInOrderOrNamed(_ seed: UInt64) {
        var random = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        func draw(_ count: Int) -> Int {
            random ^= random << 13
            random ^= random >> 7
            random ^= random << 17
            return Int(random % UInt64(count))
        }
        var (items, number): ([Resend<Message>.Item], Int) = ([], 0)
        for _ in 0..<draw(300) {
            let count = draw(4) == 0 ? 1 + draw(40) : 1
            items.append(Self.item(Int32(draw(3)), Array(number..<(number + count))))
            number += count
        }
        let bad = Set((0..<number).filter { _ in draw(20) == 0 })
        let limit = 10 + draw(400)
        var resend = Resend(items, bytesAtOnce: 1 << 20, firstPiece: draw(200))
        let outcome = Self.run(&resend, limit: limit, bad: bad)
        #expect(Set(outcome.named) == bad, "seed \(seed)")
        for (partition, lines) in outcome.delivered {
            let all = items.filter { $0.partition == partition }.flatMap(\.message.lines)
            #expect(lines == all.filter { !bad.contains($0) }, "seed \(seed)")
        }
        #expect(outcome.named.count + outcome.delivered.values.joined().count == number, "seed \(seed)")
    }

    @Test func aMessageThatCameBackIsRefusedUnsentDoubtfulOrFailed() {
        #expect(Return(.messageTooLarge, mayBeWritten: false) == .refused)
        #expect(Return(.invalidTimestamp, mayBeWritten: false) == .refused)
        #expect(Return(.invalidRecord, mayBeWritten: false) == .refused)
        // Purged from the queue, in flight.
        #expect(Return(ErrorCode(-152), mayBeWritten: false) == .unsent)
        #expect(Return(ErrorCode(-152), mayBeWritten: true) == .doubtful)
        #expect(Return(ErrorCode(-151), mayBeWritten: false) == .doubtful)
        #expect(Return(.timedOut, mayBeWritten: true) == .failed)
        #expect(Return(ErrorCode(29), mayBeWritten: false) == .failed)
    }
}
