import Bytes
import Delivery
import Testing

/// A reader whose stream carries watermarks, and its barriers.
@Suite struct WatermarkSessionTests {
    private static let range = LogRange(low: 0, high: 100, start: 0)
    private static let member = GroupMember(group: [0x67], generation: 1, member: [0x6D], instance: nil)

    private static func reader(
        _ stored: [Int32: StoredOffset] = [:], _ change: (inout ReaderPlan) -> Void = { _ in }
    ) -> Reader {
        var reader = Reader {
            $0.hasGroup = true
            $0.epochMilliseconds = 100
            $0.eventTime = .lines(disorder: 0)
            change(&$0)
        }
        reader.handle(.start)
        reader.answerAll(partitions: 2, range: range)
        reader.handle(.assigned([0, 1], member))
        reader.answerAll(partitions: 2, range: range, stored: stored)
        return reader
    }

    /// Kind, watermark, and how far the positions are.
    private static func barriers(_ reader: Reader) -> [String] {
        reader.output.split(separator: 0x0A).compactMap { line in
            guard let barrier = Array(line).withUnsafeBytes({ Barrier($0) }) else { return nil }
            let text =
                switch barrier.watermark {
                case nil: "none"
                case .unknown: "-"
                case .end: "end"
                case .time(let time): "\(time)"
                }
            let positions = EpochOffsets(payload: barrier.payload)?.positions ?? []
            return (["\(barrier.kind) \(text)"] + positions.map { "\($0.partition):\($0.next)" }).joined(separator: " ")
        }
    }

    @Test func barriersSayHowFarTheStreamHasCome() {
        var reader = Self.reader()
        reader.read(0, 0, "x")
        reader.session.see(0, 50)
        reader.passes(100)
        reader.read(1, 0, "x")
        reader.session.see(1, 70)
        reader.passes(100)
        // All positions are there where the stream has moved: it was done for all of them.
        #expect(Self.barriers(reader) == ["open -", "commit - 0:1", "commit 50 0:1 1:1"])
    }

    @Test func whatIsIdleMovesTheStreamThoughNothingIsRead() {
        var reader = Self.reader()
        reader.read(0, 0, "x")
        reader.session.see(0, 50)
        reader.handle(.endOfPartition(0, 1))
        reader.handle(.endOfPartition(1, 0))
        reader.passes(100)
        reader.read(0, 1, "y")
        reader.session.see(0, 60)
        reader.passes(950)
        #expect(Self.barriers(reader).last == "commit 60 0:2 1:0")
    }

    @Test func anEpochInWhichOnlyTimeMovedIsWaitedForToo() {
        var reader = Self.reader()
        reader.read(0, 0, "x")
        reader.session.see(0, 50)
        reader.handle(.endOfPartition(1, 0))
        reader.passes(1000)
        reader.acceptAll()
        reader.acceptAll()
        #expect(Self.barriers(reader).last == "commit 50 0:1 1:0")
        // The offset of partition 1 is the one before; its times are not.
        reader.passes(100)
        let times = PartitionTimes(watermark: 50, done: 50)
        reader.answerAll(range: Self.range, stored: [0: StoredOffset(next: 1, times: times), 1: StoredOffset(next: 0)])
        #expect(reader.session.ledger?.isSettled == false)
        reader.passes(100)
        reader.answerAll(
            range: Self.range,
            stored: [
                0: StoredOffset(next: 1, times: times),
                1: StoredOffset(next: 0, times: PartitionTimes(done: 50, isIdle: true)),
            ])
        #expect(reader.session.ledger?.isSettled == true)
    }

    @Test func stateComesPartitionByPartitionAndEachIsDoneAsFarAsItIs() {
        let stored: [Int32: StoredOffset] = [
            0: StoredOffset(next: 7, times: PartitionTimes(watermark: 90, done: 80)),
            1: StoredOffset(next: 9, times: PartitionTimes(watermark: 95)),
        ]
        var reader = Self.reader(stored) {
            $0.restores = true
            $0.restoresInput = true
        }
        #expect(Self.barriers(reader) == ["open -", "restore 80"])
        reader.handle(.restored)
        #expect(Self.barriers(reader) == ["open -", "restore 80", "restore -"])
        let mayRead = reader.session.mayRead
        #expect(!mayRead)
        reader.handle(.restored)
        #expect(
            reader.actions.compactMap {
                if case .beginRestore(let numbers, let limits) = $0 { (numbers, limits) } else { nil }
            }
            .map { "\($0.0) \($0.1)" } == ["[0] [0: 7]", "[1] [1: 9]"])
        reader.passes(100)
        // What filters hold is put out by what was known before, and so are all partitions done.
        #expect(Self.barriers(reader).suffix(2) == ["restored -", "commit 90 0:7 1:9"])
    }

    /// The next `restore` would pass for a part of one that came to nothing, and no epoch may end with half of the state.
    @Test func aRestoreThatIsBrokenOffIsEnded() {
        let times = PartitionTimes(watermark: 90, done: 80)
        var reader = Self.reader([0: StoredOffset(next: 7, times: times), 1: StoredOffset(next: 9, times: times)]) {
            $0.restores = true
        }
        reader.handle(.revoked(isLost: false))
        #expect(Self.barriers(reader) == ["open -", "restore 80", "restored -"])
        #expect(reader.actions.contains(.stopRestore))
    }

    @Test func theEndOfTheStreamIsInTheLastEpoch() {
        var reader = Self.reader([:]) { $0.untilEndOfStream = 1 }
        reader.read(0, 0, "x")
        reader.session.see(0, 50)
        for number: Int32 in [0, 1] {
            reader.handle(.endOfStream(number, 5, isOK: true, writer: nil))
        }
        reader.passes(100)
        #expect(Self.barriers(reader).last == "commit end 0:6 1:6")
    }
}
