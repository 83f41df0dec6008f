import Sketches
import TestSupport
import Testing

@Suite struct RunningSumTests {
    func ranked(_ sum: inout RunningSum, _ top: Int) -> [Ranked] {
        var list: [Ranked] = []
        sum.rank(top: top) { key, count in list.append(Ranked(key: Array(key), low: count, high: count)) }
        return list
    }

    func ranked(_ counts: [[UInt8]: Int64], _ top: Int) -> [Ranked] {
        let sorted = counts.sorted {
            $0.value != $1.value ? $0.value > $1.value : $0.key.lexicographicallyPrecedes($1.key)
        }
        return sorted.prefix(top).map { Ranked(key: $0.key, low: $0.value, high: $0.value) }
    }

    /// Counters slide through the sum, as panes do through a window.
    func slide(
        _ random: inout SeededGenerator, panes: Int, overlap: Int, top: Int,
        _ key: (inout SeededGenerator, Int) -> [UInt8]
    ) throws {
        var sum = RunningSum(seed: 0)
        var keys: [[[UInt8]]] = []
        var number = 0
        for pane in 0..<panes {
            var counter = HeavyHitters(plan(8 << 20))
            keys.append(
                (0..<Int.random(in: 0...200, using: &random)).map { _ in
                    number += 1
                    return key(&random, number)
                })
            try counter.count(keys[pane])
            let isAdded = sum.add(counter, sign: 1, limit: .max)
            try #require(isAdded)
            if pane >= overlap {
                var old = HeavyHitters(plan(8 << 20))
                try old.count(keys[pane - overlap])
                let isTaken = sum.add(old, sign: -1, limit: .max)
                try #require(isTaken)
            }
            if Int.random(in: 0..<9, using: &random) == 0 {
                let late = key(&random, number)
                keys[pane].append(late)
                let isAdded = late.withUnsafeBytes { sum.add($0, count: 1, limit: .max) }
                #expect(isAdded)
            }
            let counts = trueCounts(Array(keys[max(0, pane - overlap + 1)...pane].joined()))
            let (live, total) = (sum.live, sum.total)
            try #require(live == counts.count)
            try #require(total == counts.values.reduce(0, +))
            let list = ranked(&sum, top)
            try #require(list == ranked(counts, top))
        }
    }

    @Test func theLargestKeysAreThoseOfACountOfAll() throws {
        try withEverySeed(20) { random in
            let top = [1, 5, 10, 100, Int.max][Int.random(in: 0..<5, using: &random)]
            try slide(&random, panes: 60, overlap: .random(in: 1...30, using: &random), top: top) { random, _ in
                skewedKey(&random, bits: 12)
            }
        }
    }

    /// The first keys of each ranking are the first to go.
    @Test func alsoWhereEveryKeyIsNew() throws {
        try withEverySeed(6) { random in
            try slide(&random, panes: 60, overlap: .random(in: 1...30, using: &random), top: 5) { _, number in
                key(UInt64(1_000_000 + number))
            }
        }
    }

    @Test func whatDoesNotFitIsRefused() throws {
        var sum = RunningSum(seed: 0)
        var counter = HeavyHitters(plan(8 << 20))
        try counter.count((0..<10_000).map { key(UInt64($0)) })
        let fits = sum.add(counter, sign: 1, limit: 1 << 18)
        #expect(!fits)
        sum.reset()
        let (live, memory) = (sum.live, sum.memory)
        #expect(live == 0)
        #expect(memory < 1 << 18)
    }

    @Test func aCountPast64BitsIsRefused() {
        var sum = RunningSum(seed: 0)
        var outcomes: [Bool] = []
        for count in [Int64.max, 1] {
            outcomes.append([UInt8(0x61)].withUnsafeBytes { sum.add($0, count: count, limit: .max) })
        }
        #expect(outcomes == [true, false])
    }
}
