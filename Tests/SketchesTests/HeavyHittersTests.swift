import Sketches
import TestSupport
import Testing

@Suite struct HeavyHittersTests {
    /// The list that sorting all exact counts gives.
    func exactList(_ keys: [[UInt8]], _ top: Int?) -> [Ranked] {
        let sorted = trueCounts(keys).sorted {
            $0.value != $1.value ? $0.value > $1.value : $0.key.lexicographicallyPrecedes($1.key)
        }
        return sorted.prefix(top ?? .max).map { Ranked(key: $0.key, low: $0.value, high: $0.value) }
    }

    // The macro #expect cannot look into what cannot be copied.
    func check(_ memory: Int, atMost limit: Int) { #expect(memory <= limit) }
    func check(_ left: [Ranked], _ right: [Ranked]) { #expect(left == right) }

    @Test func whatFitsIsCountedExactly() throws {
        try withEverySeed(30) { generator in
            let keys = (0..<Int.random(in: 0...3000, using: &generator)).map { _ in skewedKey(&generator) }
            var counter = HeavyHitters(plan(4 << 20))
            try counter.count(keys)
            let top = Bool.random(using: &generator) ? nil : Int.random(in: 1...50, using: &generator)
            let (ranking, entries) = try counter.ranked(top: top)
            #expect(ranking.certainty == .exact)
            #expect(ranking.distinct == Set(keys).count)
            #expect(entries == exactList(keys, top))
        }
    }

    /// Keys of all lengths around the border of a slot, with zeros at the end: no two may be taken for one.
    @Test func likeKeysAreKeptApart() throws {
        var keys: [[UInt8]] = []
        for length in 0...40 {
            for byte: UInt8 in [0, 1, 0x61, 0xFF] {
                let key = [UInt8](repeating: byte, count: length)
                keys += [key, key + [0], key + [0, 0], [0] + key, key + [0x61]]
            }
        }
        var fast = HeavyHitters(plan(1 << 20))
        try fast.count(keys)
        check(try fast.ranked(top: nil).entries, exactList(keys, nil))
        var slow = HeavyHitters(plan(1 << 20))
        try slow.countSlowly(keys)
        check(try slow.ranked(top: nil).entries, exactList(keys, nil))
    }

    @Test func whereTheInputIsCutDoesNotShow() throws {
        try withEverySeed(8) { generator in
            let keys = (0..<20_000).map { _ in skewedKey(&generator) }
            var whole = HeavyHitters(plan(64 << 10))
            try whole.count(keys)
            var pieces = HeavyHitters(plan(64 << 10))
            var rest = keys[...]
            while !rest.isEmpty {
                let piece = Array(rest.prefix(Int.random(in: 1...100, using: &generator)))
                rest = rest.dropFirst(piece.count)
                if Bool.random(using: &generator) { try pieces.count(piece) } else { try pieces.countSlowly(piece) }
            }
            let evictions = (whole.evictions, pieces.evictions)
            #expect(evictions.0 > 0 && evictions.0 == evictions.1)
            let (left, right) = (try whole.ranked(top: nil), try pieces.ranked(top: nil))
            #expect(left.ranking == right.ranking)
            #expect(left.entries == right.entries)
        }
    }

    @Test(arguments: [64 << 10, 128 << 10, 512 << 10])
    func tableAndSketchTogetherAreTheSketchOfTheStream(_ memory: Int) throws {
        try withEverySeed(4) { generator in
            let plan = plan(memory)
            let keys = (0..<60_000).map { _ in skewedKey(&generator) }
            var reference = ReferenceSketch(plan.geometry, seed: 5)
            for key in keys { reference.add(key, 1) }
            var counter = HeavyHitters(plan, seed: 5)
            try counter.count(keys)
            let isExact = counter.isExact
            #expect(!isExact)
            check(counter.memory, atMost: memory)
            let total = counter.total()
            #expect(total == 60_000)
            var folded = Array(
                repeating: Array(repeating: Int64(0), count: plan.geometry.width), count: plan.geometry.rows)
            counter.forEachCell { row, column, count in folded[row][column] += count }
            let (_, entries) = try counter.ranked(top: nil)
            for entry in entries { #expect(entry.high == reference.estimate(entry.key)) }
            // Behind the list, the sketch is that of what was evicted, as it was before.
            var again = Array(
                repeating: Array(repeating: Int64(0), count: plan.geometry.width), count: plan.geometry.rows)
            counter.forEachCell { row, column, count in again[row][column] += count }
            #expect(again == folded)
            var held = HeavyHitters(plan, seed: 5)
            try held.count(keys)
            _ = try held.sortByKey()
            for index in 0..<held.held {
                let (key, count) = held.heldEntry(index)
                for (row, column) in reference.columns(Array(key)).enumerated() { folded[row][column] += count }
            }
            #expect(folded == reference.cells)
        }
    }

    @Test func aCountIsNeverUnderAndSeldomBelowItsLowEnd() throws {
        var missed = 0
        try withEverySeed(10) { generator in
            let keys = (0..<100_000).map { _ in skewedKey(&generator, bits: 20) }
            let counts = trueCounts(keys)
            var counter = HeavyHitters(plan(128 << 10))
            try counter.count(keys)
            let (ranking, entries) = try counter.ranked(top: nil)
            #expect(ranking.certainty == .estimated)
            #expect(ranking.distinct <= counts.count)
            for entry in entries { #expect(entry.high >= counts[entry.key]! && entry.low <= entry.high) }
            if entries.contains(where: { $0.low > counts[$0.key]! }) { missed += 1 }
        }
        // One list in fifty-four may be wrong somewhere.
        #expect(missed <= 1)
    }

    @Test func aCertifiedListIsTheTrueOne() throws {
        var certified = 0
        try withEverySeed(40) { generator in
            let keys = (0..<20_000).map { _ in skewedKey(&generator) }
            let top = Int.random(in: 1...16, using: &generator)
            var counter = HeavyHitters(plan(64 << 10))
            try counter.count(keys)
            let (ranking, entries) = try counter.ranked(top: top)
            guard ranking.certainty == .certified else { return }
            certified += 1
            #expect(Set(entries.map(\.key)) == Set(exactList(keys, top).map(\.key)))
        }
        #expect((5...35).contains(certified))
    }

    @Test func itIsExactIfAndOnlyIfTheKeysFitWhateverTheirOrder() throws {
        // 768 short keys fill three quarters of the 1,024 slots that 64 KiB have room for.
        for (distinct, fits) in [(768, true), (769, false)] {
            try withEverySeed(6) { generator in
                var keys = (0..<distinct).map { Array(String($0).utf8) }
                keys += (0..<2000).map { _ in keys.randomElement(using: &generator)! }
                keys.shuffle(using: &generator)
                var counter = HeavyHitters(plan(64 << 10))
                try counter.count(keys)
                let (isExact, evictions) = (counter.isExact, counter.evictions)
                #expect(isExact == fits)
                #expect((evictions == 0) == fits)
            }
        }
    }

    @Test func longKeysFitOrNotWhateverTheirOrder() throws {
        for count in [1, 20, 200, 500, 700] {
            var answers: Set<Bool> = []
            try withEverySeed(12) { generator in
                // Keys of different lengths; always the same ones.
                var keys = (0..<count).map { number in
                    Array(String(number).utf8) + [UInt8](repeating: 0x2E, count: number * number % 199)
                }
                keys.shuffle(using: &generator)
                var counter = HeavyHitters(plan(64 << 10))
                try counter.count(keys)
                check(counter.memory, atMost: 64 << 10)
                answers.insert(counter.isExact)
            }
            #expect(answers.count == 1)
        }
    }

    @Test func aKeyLargerThanTheMemoryIsStillCounted() throws {
        let giant = [UInt8](repeating: 0x67, count: 200_000)
        var counter = HeavyHitters(plan(64 << 10))
        try counter.count([giant, Array("a".utf8), giant])
        let isExact = counter.isExact
        #expect(!isExact)
        check(counter.memory, atMost: 64 << 10)
        let total = counter.total()
        #expect(total == 3)
        let (_, entries) = try counter.ranked(top: nil)
        #expect(entries.map(\.key) == [Array("a".utf8)])
    }

    /// Where the arena is short, room is made in the arena, also when the keys that are counted least are short.
    @Test func longKeysMakeRoomForLongKeys() throws {
        var counter = HeavyHitters(plan(1 << 20))
        let short = (0..<5000).map { Array("s\($0)".utf8) }
        try counter.count(short)
        // Each twice as often as a short one, and of 112 bytes.
        let long = (0..<20_000).map {
            Array("\($0) ".utf8) + [UInt8](repeating: 0x6C, count: 100 - String($0).utf8.count)
        }
        for key in long { try counter.count([key, key]) }
        let evictions = counter.evictions
        // 20,000 keys of 112 bytes come, and each eviction drops half of the 384 KiB that the arena has.
        #expect((8...12).contains(evictions))
        let entries = try counter.ranked(top: nil).entries
        #expect(entries.count { $0.key.first == UInt8(ascii: "s") } == 5000)
    }

    @Test func mergedCountersAreTheCounterOfTheWhole() throws {
        try withEverySeed(6) { generator in
            let keys = (0..<30_000).map { _ in skewedKey(&generator) }
            var whole = HeavyHitters(plan(128 << 10))
            try whole.count(keys)
            var left = HeavyHitters(plan(128 << 10))
            var right = HeavyHitters(plan(128 << 10))
            for key in keys {
                if Bool.random(using: &generator) { try left.countSlowly([key]) } else { try right.countSlowly([key]) }
            }
            var merged = HeavyHitters(plan(128 << 10))
            try merged.add(left)
            try merged.add(right)
            let totals = (merged.total(), whole.total())
            #expect(totals.0 == totals.1)
            let list = try whole.ranked(top: nil).entries
            let other = Dictionary(uniqueKeysWithValues: try merged.ranked(top: nil).entries.map { ($0.key, $0.high) })
            for entry in list { if let high = other[entry.key] { #expect(high == entry.high) } }
        }
    }

    @Test func aCounterThatWasResetIsLikeNew() throws {
        var generator = SeededGenerator(seed: 3)
        let keys = (0..<20_000).map { _ in skewedKey(&generator) }
        var fresh = HeavyHitters(plan(64 << 10))
        try fresh.count(keys)
        var used = HeavyHitters(plan(64 << 10))
        try used.count(keys.reversed())
        _ = try used.rank(top: 3)
        used.reset()
        let isLikeNew = used.isEmpty && used.isExact && used.held == 0
        #expect(isLikeNew)
        try used.count(keys)
        check(try used.ranked(top: nil).entries, try fresh.ranked(top: nil).entries)
    }

    @Test func aCountNeverWraps() throws {
        var counter = HeavyHitters(plan(64 << 10))
        let key: [UInt8] = [1]
        try key.withUnsafeBytes { key in
            try counter.stage(key, count: .max, line: 4, readable: key.count)
            try counter.stage(key, count: 0, line: 5, readable: key.count)
            try counter.stage(key, count: 1, line: 6, readable: key.count)
            #expect(throws: CountOverflow(line: 6)) { try counter.settle() }
        }
    }

    /// Ten million keys that all differ, and one that comes every thousandth line, in 8 MiB.
    @Test func tenMillionDistinctKeysInEightMebibytes() throws {
        var counter = HeavyHitters(plan(8 << 20))
        var chunk: [UInt8] = []
        for number in 0..<10_000_000 {
            chunk += Array(String(number).utf8) + [0x0A]
            if number % 1000 == 0 { chunk += Array("frequent\n".utf8) }
            if chunk.count > 1 << 20 {
                try chunk.withUnsafeBytes { try counter.count($0) }
                chunk.removeAll(keepingCapacity: true)
                check(counter.memory, atMost: 8 << 20)
            }
        }
        try chunk.withUnsafeBytes { try counter.count($0) }
        let (ranking, entries) = try counter.ranked(top: 1)
        #expect(ranking.certainty == .certified)
        #expect(entries[0].key == Array("frequent".utf8))
        #expect(entries[0].low == 10_000 && entries[0].high < 10_500)
        #expect(ranking.distinct <= 10_000_001)
    }
}
