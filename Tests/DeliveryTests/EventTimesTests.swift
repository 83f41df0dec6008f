import Bytes
import Delivery
import TestSupport
import Testing

private func record(_ partition: Int32, of count: Int32, _ mark: WatermarkRecord.Mark) -> WatermarkRecord {
    WatermarkRecord(topic: [0x74], count: count, marks: [partition: mark])
}

@Suite struct EventTimesTests {
    /// A reader of the first topic, of these partitions.
    static func made(_ numbers: [Int32] = [0, 1], disorder: Int64 = 0) -> EventTimes {
        var times = EventTimes(.lines(disorder: disorder), idle: 1000)
        for number in numbers { times.add(number, nil) }
        return times
    }

    /// A reader of a later topic.
    static func heard(_ stored: [PartitionTimes?]) -> EventTimes {
        var times = EventTimes(.records, idle: 1000)
        for (number, stored) in stored.enumerated() { times.add(Int32(number), stored) }
        return times
    }

    @Test func itIsTheLeastOfTheHighestTimesLessTheDisorder() {
        var times = Self.made(disorder: 5)
        times.see(0, 100)
        _ = times.advance(at: 0)
        #expect(times.mark == .unknown)
        times.see(1, 200)
        times.see(1, 150)
        _ = times.advance(at: 0)
        #expect(times.mark == .time(95))
        #expect(times.times(of: 1) == PartitionTimes(watermark: 195, done: 95))
    }

    @Test func anIdlePartitionIsLeftOutAndCountsAgainFromItsNextLine() {
        var times = Self.made()
        times.see(0, 100)
        times.noteEnd(1, at: 500)
        // It is said of it again and again.
        times.noteEnd(1, at: 900)
        _ = times.advance(at: 1499)
        #expect(times.mark == .unknown)
        #expect(times.nextWake() == 1500)
        _ = times.advance(at: 1500)
        #expect(times.mark == .time(100))
        #expect(times.times(of: 1)?.isIdle == true)
        // It comes back with old lines, which are late: the stream's does not go back, but it holds it.
        times.see(1, 40)
        times.see(0, 300)
        _ = times.advance(at: 1600)
        #expect(times.mark == .time(100))
        #expect(times.times(of: 1) == PartitionTimes(watermark: 40, done: 100))
    }

    @Test func whereAllAreIdleItStandsStill() {
        var times = Self.made()
        times.see(0, 100)
        times.see(1, 90)
        _ = times.advance(at: 0)
        for number: Int32 in [0, 1] { times.noteEnd(number, at: 0) }
        _ = times.advance(at: 5000)
        #expect(times.mark == .time(90))
    }

    @Test func theEndOfTheStreamIsPastAllTimes() {
        var times = Self.made()
        times.see(0, 100)
        times.finish(1)
        _ = times.advance(at: 0)
        #expect(times.mark == .time(100))
        times.finish(0)
        _ = times.advance(at: 0)
        #expect(times.mark == .end)
    }

    @Test func itIsNotKnownUntilAllOfTheInputWereHeardOf() {
        var times = Self.heard([nil])
        times.take(0, record(0, of: 3, .time(10)))
        times.take(0, record(2, of: 3, .time(30)))
        _ = times.advance(at: 0)
        #expect(times.mark == .unknown)
        times.take(0, record(1, of: 3, .time(20)))
        _ = times.advance(at: 0)
        #expect(times.mark == .time(10))
    }

    @Test func aRecordThatIsDoubledOrOutOfDateMovesNothing() {
        var times = Self.heard([nil])
        for mark in [20, 10, 20, 5] { times.take(0, record(0, of: 1, .time(Int64(mark)))) }
        _ = times.advance(at: 0)
        #expect(times.mark == .time(20))
        let hasMoved = times.hasMoved(0)
        #expect(hasMoved)
        times.noteBarrier()
        times.take(0, record(0, of: 1, .time(20)))
        let movesAgain = times.advance(at: 0)
        #expect(!movesAgain)
    }

    @Test func whatIsIdleUpstreamIsLeftOut() {
        var times = Self.heard([nil])
        times.take(0, record(0, of: 2, .idle))
        times.take(0, record(1, of: 2, .time(50)))
        _ = times.advance(at: 0)
        #expect(times.mark == .time(50))
        // It comes back with old lines: what was said is not taken back, and it holds the others.
        times.take(0, record(0, of: 2, .time(7)))
        times.take(0, record(1, of: 2, .time(60)))
        _ = times.advance(at: 0)
        #expect(times.mark == .time(50))
        for partition: Int32 in [0, 1] { times.take(0, record(partition, of: 2, .idle)) }
        _ = times.advance(at: 0)
        #expect(times.mark == .time(50))
    }

    @Test func partitionsThatAreAddedToTheInputHoldItUntilTheyAreHeardOf() {
        var times = Self.heard([nil])
        times.take(0, record(0, of: 1, .time(10)))
        _ = times.advance(at: 0)
        times.take(0, record(0, of: 2, .time(20)))
        _ = times.advance(at: 0)
        #expect(times.mark == .time(10))
        times.take(0, record(1, of: 2, .time(30)))
        _ = times.advance(at: 0)
        #expect(times.mark == .time(20))
    }

    @Test func aPartitionThatIsAheadMovesToAMemberThatIsBehind() {
        let ahead = PartitionTimes(watermark: 500, done: 400)
        var times = Self.heard([ahead, PartitionTimes(watermark: 100, done: 90)])
        #expect(times.done(0) == .time(400))
        #expect(times.done(1) == .time(90))
        _ = times.advance(at: 0)
        // Its own goes on where it was; what was done for it is not done again.
        #expect(times.mark == .time(100))
        #expect(times.times(of: 0) == ahead)
        #expect(times.times(of: 1) == PartitionTimes(watermark: 100, done: 100))
        times.take(0, record(0, of: 1, .time(450)))
        _ = times.advance(at: 0)
        #expect(times.times(of: 0)?.watermark == 500)
    }

    /// Whoever is idle upstream says so once; who gets the partition after that must not wait for it.
    @Test func whatIsSilentIsKnownToTheNextOwner() {
        var first = Self.heard([nil])
        first.take(0, record(0, of: 3, .idle))
        first.take(0, record(1, of: 3, .time(50)))
        first.take(0, record(2, of: 3, .time(.max)))
        _ = first.advance(at: 0)
        #expect(first.mark == .time(50))
        #expect(first.times(of: 0)?.silent == ["t:i-e"])
        var next = Self.heard([first.times(of: 0)])
        _ = next.advance(at: 0)
        #expect(next.mark == .time(50))
        next.take(0, record(1, of: 3, .time(60)))
        _ = next.advance(at: 0)
        #expect(next.mark == .time(60))
        // It is idle, not at its end: so the stream is not, either.
        next.take(0, record(1, of: 3, .time(.max)))
        _ = next.advance(at: 0)
        #expect(next.mark == .time(60))
        next.take(0, record(0, of: 3, .time(.max)))
        _ = next.advance(at: 0)
        #expect(next.mark == .end)
    }

    @Test func timesSurviveAnOffset() {
        var ends = EndsOfStream()
        ends.add(isOK: true, writer: [0x77])
        for times in [
            nil, PartitionTimes(), PartitionTimes(watermark: 1, silent: ["a:i-e", "b:ii"]),
            PartitionTimes(watermark: -5, done: .max),
            PartitionTimes(watermark: 7, isIdle: true),
        ] {
            for ends in [EndsOfStream(), ends] {
                let stored = StoredOffset(next: 5, ends: ends, times: times)
                #expect(Array(stored.metadata.utf8).withUnsafeBytes { StoredOffset(next: 5, metadata: $0) } == stored)
                let member = GroupMember(group: [0x67], generation: 1, member: [0x6D], instance: nil)
                let position = Position(partition: 3, next: 5, ends: ends, times: times)
                for count in [nil, 4] as [Int32?] {
                    let offsets = EpochOffsets(
                        member: member, topic: [0x74], partitionCount: count, positions: [position])
                    #expect(EpochOffsets(payload: offsets.payload) == offsets)
                }
            }
        }
        for text in ["time", "time 1 2", "time x 2 busy", "time 1 2 lazy"] {
            #expect(Array(text.utf8).withUnsafeBytes { StoredOffset(next: 5, metadata: $0) } == StoredOffset(next: 5))
        }
    }
}

@Suite struct OwedWatermarksTests {
    static func offsets(_ times: [Int64?], generation: Int32 = 1) -> EpochOffsets {
        EpochOffsets(
            member: GroupMember(group: [0x67], generation: generation, member: [0x6D], instance: nil), topic: [0x74],
            partitionCount: 4,
            positions: times.enumerated().map { number, time in
                Position(partition: Int32(number), next: 10, times: PartitionTimes(watermark: time))
            })
    }

    private static func record(_ marks: Int64...) -> WatermarkRecord {
        let marks = marks.enumerated().map { (Int32($0), WatermarkRecord.Mark.time($1)) }
        return WatermarkRecord(topic: [0x74], count: 4, marks: Dictionary(uniqueKeysWithValues: marks))
    }

    @Test func itIsWrittenWhereSomethingHasMoved() {
        var owed = OwedWatermarks(every: 0)
        #expect(owed.take(Self.offsets([5, nil]), to: 2, at: 0).record == Self.record(5))
        #expect(owed.take(Self.offsets([5, nil]), to: 2, at: 1).record == nil)
        #expect(owed.take(Self.offsets([5, 6]), to: 2, at: 2).record == Self.record(5, 6))
    }

    @Test func itIsWrittenSoOftenAtMostButTheEndAtOnce() {
        var owed = OwedWatermarks(every: 1000)
        #expect(owed.take(Self.offsets([5]), to: 2, at: 0).record == Self.record(5))
        #expect(owed.take(Self.offsets([6]), to: 2, at: 999).record == nil)
        #expect(owed.take(Self.offsets([.max]), to: 2, at: 999).record == Self.record(.max))
    }

    @Test func whatIsOwedIsWrittenWithAnEpochInWhichNothingWasRead() {
        var owed = OwedWatermarks(every: 1000)
        _ = owed.take(Self.offsets([5]), to: 2, at: 0)
        _ = owed.take(Self.offsets([6]), to: 2, at: 500)
        let (record, offsets) = owed.take(Self.offsets([]), to: 2, at: 1000)
        #expect(record == Self.record(6))
        // Nothing is committed without offsets; these move nothing.
        #expect(offsets.positions == Self.offsets([6]).positions)
        #expect(owed.take(Self.offsets([]), to: 2, at: 5000).record == nil)
    }

    /// Its partitions may be another's: to commit the last offsets again would take back what that one has committed.
    @Test func nothingIsOwedForAGenerationThatIsOver() {
        var owed = OwedWatermarks(every: 1000)
        _ = owed.take(Self.offsets([5]), to: 2, at: 0)
        _ = owed.take(Self.offsets([6]), to: 2, at: 500)
        let (record, offsets) = owed.take(Self.offsets([], generation: 2), to: 2, at: 5000)
        #expect(record == nil && offsets.positions == [])
    }

    @Test func partitionsThatAreAddedAreToldAll() {
        var owed = OwedWatermarks(every: 1000)
        _ = owed.take(Self.offsets([5, 6]), to: 2, at: 0)
        #expect(owed.take(Self.offsets([5, 6]), to: 2, at: 2000).record == nil)
        #expect(owed.take(Self.offsets([]), to: 3, at: 3000).record == Self.record(5, 6))
        #expect(owed.take(Self.offsets([]), to: 3, at: 5000).record == nil)
    }

    @Test func whatStandsIsToldAgainToWhoeverHasBegunSince() {
        var owed = OwedWatermarks(every: 1000)
        _ = owed.take(Self.offsets([5, .max]), to: 2, at: 0)
        #expect(owed.take(Self.offsets([5, .max]), to: 2, at: 9999).record == nil)
        #expect(owed.take(Self.offsets([]), to: 2, at: 10_000).record == nil)
        #expect(owed.take(Self.offsets([5, .max]), to: 2, at: 10_001).record == Self.record(5, .max))
        #expect(owed.take(Self.offsets([5, .max]), to: 2, at: 20_000).record == nil)
    }

    /// As docs/time.md reckons it, of 200 replicas that read 1,000 partitions: a record of each of them in each `every`, into each
    /// partition of their topic, however often there are barriers; of at most 60 bytes and 20 a partition that it reads.
    @Test(arguments: [Int64(1000), 10_000]) func itCostsARecordAReplica(_ every: Int64) {
        var (records, bytes) = (0, 0)
        for replica in 0..<200 {
            var owed = OwedWatermarks(every: every)
            for epoch in 0..<Int64(600) {
                let positions = (0..<5).map { place in
                    let times = PartitionTimes(watermark: 1_795_341_600_000 + epoch * 100)
                    return Position(partition: Int32(replica * 5 + place), next: epoch, times: times)
                }
                let member = GroupMember(group: [0x67], generation: 1, member: [0x6D], instance: nil)
                let offsets = EpochOffsets(
                    member: member, topic: Array("events".utf8), partitionCount: 1000, positions: positions)
                guard let record = owed.take(offsets, to: 1000, at: epoch * 100).record else { continue }
                records += 1
                let text = [record.value, WatermarkRecord.key(ofWriter: "count-\(replica)"), Array("watermark".utf8)]
                bytes += text.reduce(0) { $0 + $1.count }
            }
        }
        #expect(records == 200 * 60_000 / Int(every))
        #expect(bytes <= records * (60 + 20 * 5))
    }

    @Test func whatIsOverIsNotToldAgain() {
        var owed = OwedWatermarks(every: 1000)
        _ = owed.take(Self.offsets([.max, .max]), to: 2, at: 0)
        #expect(owed.take(Self.offsets([.max, .max]), to: 2, at: 60_000).record == nil)
    }

    @Test func recordsSurviveTheirHeader() {
        let record = WatermarkRecord(
            topic: Array("a.b".utf8), count: 5, marks: [0: .time(-1), 2: .idle, 3: .time(.max), 4: .time(0)])
        #expect(record.value == Array("a.b 5 0:-1 2:idle 3:9223372036854775807 4:0".utf8))
        #expect(WatermarkRecord(value: record.value) == record)
        for text in ["", "t 2", "t 2 ", "t 2 5", "t 2 2:5", "t 2 -1:5", "t 2 1:5:6", "t x 1:5", "t 2 1:y", "t -1 0:5"] {
            #expect(WatermarkRecord(value: Array(text.utf8)) == nil, "\(text)")
        }
    }
}
