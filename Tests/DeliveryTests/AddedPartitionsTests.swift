import Delivery
import Testing

@Suite struct AddedPartitionsTests {
    private static func partitions(ends: Bool, hasKeys: Bool) -> AddedPartitions {
        AddedPartitions(topic: "t", endsWhereKeysMove: ends, hasKeys: hasKeys, interval: 100, at: 1000)
    }

    @Test func theyAreLookedForNowAndThen() {
        var partitions = Self.partitions(ends: false, hasKeys: true)
        let due = [1000, 1099, 1100, 1199, 1500, 1550, 1600].map { partitions.isDue(at: $0) }
        #expect(due == [false, false, true, false, true, false, true])
    }

    @Test func withoutKeysTheyAreUsed() {
        for ends in [false, true] {
            let partitions = Self.partitions(ends: ends, hasKeys: false)
            #expect(partitions.decide(found: 3, known: 2, line: 7) == .use(3, nil))
            #expect(partitions.decide(found: 2, known: 2, line: 7) == .nothing)
            #expect(partitions.decide(found: 1, known: 2, line: 7) == .nothing)
        }
    }

    @Test func thatKeysMoveIsSaidOrAnEnd() {
        #expect(
            Self.partitions(ends: false, hasKeys: true).decide(found: 3, known: 2, line: 7)
                == .use(3, "topic \"t\" has 3 partitions now, not 2: from line 7 on keys go to others than before"))
        #expect(
            Self.partitions(ends: true, hasKeys: true).decide(found: 3, known: 2, line: 7)
                == .end(
                    Ending(
                        .configuration, "line 7: topic \"t\" has 3 partitions now, not 2: keys would go to others")))
    }
}
