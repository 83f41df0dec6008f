import Bytes
import Filters
import TestSupport
import Testing

@Suite struct TopKPartialsTests {
    /// Cuts keys into shards, by lines or by the key.
    func shards(_ keys: [[UInt8]], _ generator: inout SeededGenerator) -> [[[UInt8]]] {
        let count = Int.random(in: 1...6, using: &generator)
        var shards = Array(repeating: [[UInt8]](), count: count)
        let isByKey = Bool.random(using: &generator)
        for key in keys {
            let hash = key.reduce(7) { $0 &* 31 &+ UInt($1) }
            let shard = isByKey ? hash % UInt(count) : UInt.random(in: 0..<UInt(count), using: &generator)
            shards[Int(shard)].append(key)
        }
        return shards.map { $0.shuffled(using: &generator) }
    }

    /// Sums partials in a random tree.
    func merged(_ partials: [[UInt8]], _ generator: inout SeededGenerator) -> [UInt8] {
        var rest = partials
        while rest.count > 1 {
            rest.shuffle(using: &generator)
            let count = Int.random(in: 2...rest.count, using: &generator)
            rest = [summed(Array(rest[..<count]))] + rest[count...]
        }
        return rest[0]
    }

    /// - Returns: the list of one run, and that of shards that were counted apart and merged.
    func bothWays(
        _ keys: [[UInt8]], _ generator: inout SeededGenerator, memory: Int, top: Int?, mergeMemory: Int? = nil
    ) throws -> (single: Written, merged: Written) {
        let single = try topK(lines(keys)) { ($0.memory, $0.top) = (memory, top) }
        let partials = try shards(keys, &generator).map { shard in
            try topK(lines(shard)) { ($0.memory, $0.emission) = (memory, .partials) }.lines
        }
        let sum = merged(partials, &generator)
        return (single, try topK(sum) { ($0.memory, $0.top, $0.readsCounts) = (memory, top, true) })
    }

    @Test func mergedIsSingleWhereItIsExact() throws {
        try withEverySeed(25) { generator in
            let keys = (0..<4000).map { _ in skewedKey(&generator) }
            let (single, merged) = try bothWays(keys, &generator, memory: 1 << 20, top: nil)
            #expect(single.answer == .text("exact") && merged.answer == .text("exact"))
            #expect(single.lines == merged.lines)
        }
    }

    @Test func mergedIsSingleWhereItIsNot() throws {
        var certified = 0
        try withEverySeed(25) { generator in
            let keys = (0..<20_000).map { _ in skewedKey(&generator) }
            // The four most frequent are twice as frequent as the others: far enough ahead of what the sketch mistakes.
            let (single, merged) = try bothWays(keys, &generator, memory: 64 << 10, top: 4)
            #expect(single.answer != .text("exact") && merged.answer != .text("exact"))
            if single.answer == .text("certified"), merged.answer == .text("certified") {
                certified += 1
                #expect(single.lines == merged.lines)
            }
        }
        #expect(certified > 0)
    }

    @Test func mergedEstimatesAreThoseOfASingleRun() throws {
        try withEverySeed(15) { generator in
            let keys = (0..<20_000).map { _ in skewedKey(&generator) }
            let (single, merged) = try bothWays(keys, &generator, memory: 64 << 10, top: nil)
            func counts(_ lines: [UInt8]) -> [[UInt8]: [UInt8]] {
                let pairs = lines.split(separator: 0x0A).map { line in
                    let tab = line.lastIndex(of: 0x09)!
                    return (Array(line[..<tab]), Array(line[(tab + 1)...]))
                }
                return Dictionary(uniqueKeysWithValues: pairs)
            }
            let (left, right) = (counts(single.lines), counts(merged.lines))
            let common = left.keys.filter { right[$0] != nil }
            #expect(common.count > 100)
            for key in common { #expect(left[key] == right[key]) }
        }
    }

    @Test func partialsThatFitDoNotDependOnTheOrderOfTheInput() throws {
        var generator = SeededGenerator(seed: 1)
        let keys = (0..<2000).map { _ in skewedKey(&generator) }
        let first = try topK(lines(keys)) { $0.emission = .partials }
        let second = try topK(lines(keys.shuffled(using: &generator))) { $0.emission = .partials }
        #expect(first.lines == second.lines)
    }

    @Test func partialsAreInTheOrderOfTheirBytes() throws {
        let odd = ["!", "#", "#cms-topk:", "#cms-topk:9", "#cms-topl", "~"]
        let keys = (0..<5000).map { Array(String($0).utf8) } + odd.map { Array($0.utf8) }
        let written = try topK(lines(keys)) { ($0.memory, $0.emission) = (64 << 10, .partials) }
        let partials = written.lines.split(separator: 0x0A).map { $0[..<$0.lastIndex(of: 0x09)!] }
        #expect(partials.count > 1000)
        for (left, right) in zip(partials, partials.dropFirst()) { #expect(left.lexicographicallyPrecedes(right)) }
    }

    // MARK: - Keys that look like ours

    static let hostile = [
        "#cms-topk:", "#cms-topk:=", "#cms-topk:=a", "#cms-topk:=#cms-topk:=", "#cms-topk:1", "#cms-topk:2:",
        "#cms-topk",
        "#cms-topk:1:4x256:0000000000000000:0:000", "#cms-topk:1:4x256:8c6a1c5d7e1c2c0f:0:000", "#cms-topk:\u{FF}",
        "#cms-topk:1:4x256:8c6a1c5d7e1c2c0f:0:000\t#cms-topk:", "#CMS-TOPK:1", "a#cms-topk:1", "",
    ]

    @Test func dataThatLooksLikeAReservedKeyIsCountedAsTheDataThatItIs() throws {
        // The keys of real cells as well.
        let real = try topK(lines((0..<5000).map { Array(String($0).utf8) })) {
            ($0.memory, $0.emission) = (64 << 10, .partials)
        }
        let cells = real.lines.split(separator: 0x0A).filter { $0.starts(with: "#cms-topk:1:".utf8) }
            .prefix(20).map { Array($0[..<$0.lastIndex(of: 0x09)!]) }
        #expect(cells.count == 20)
        let keys = Self.hostile.map { Array($0.utf8) } + cells
        let input = lines(keys + keys)
        let single = try topK(input) { ($0.memory, $0.top) = (64 << 10, nil) }
        #expect(single.answer == .text("exact"))
        let partials = try topK(input) { ($0.memory, $0.emission) = (64 << 10, .partials) }
        let read = try topK(summed([partials.lines])) { ($0.memory, $0.top, $0.readsCounts) = (64 << 10, nil, true) }
        #expect(read.lines == single.lines)
        #expect(read.answer == .text("exact"))
        // And once more: what was read is written as it was.
        let again = try topK(partials.lines) {
            ($0.memory, $0.emission, $0.readsCounts) = (64 << 10, .partials, true)
        }
        #expect(again.lines == partials.lines)
    }

    @Test func onlyKeysThatBeginWithTheReservedWordAreTouched() throws {
        let written = try topK("#cms-topk\n#cms-topk:x\na#cms-topk:x\n") { $0.emission = .partials }
        #expect(written.text == "#cms-topk\t1\n#cms-topk:=#cms-topk:x\t1\na#cms-topk:x\t1\n")
    }

    // MARK: - Partials of others

    /// A partial with cells, of these settings.
    func partial(_ change: (inout TopKSettings) -> Void = { _ in }) throws -> [UInt8] {
        let written = try topK(lines((0..<5000).map { Array(String($0).utf8) })) { settings in
            (settings.memory, settings.emission) = (64 << 10, .partials)
            change(&settings)
        }
        return written.lines.split(separator: 0x0A).first { $0.starts(with: "#cms-topk:".utf8) }! + [0x0A]
    }

    func refusal(_ input: [UInt8]) -> String? {
        #expect(throws: MalformedLine<TopK.Problem>.self) {
            try topK(Array("a\t1\n".utf8) + input) { ($0.memory, $0.readsCounts) = (64 << 10, true) }
        }?.description
    }

    @Test func partialsOfOthersAreRefused() throws {
        #expect(try refusal(partial { $0.seed = 1 }) == "line 2: partials of another seed: give the same --seed")
        let geometry = "but this one is 4x256: give the same --memory, --epsilon and --delta"
        #expect(try refusal(partial { $0.memory = 128 << 10 }) == "line 2: partials of a 4x512 sketch, \(geometry)")
        #expect(try refusal(partial { $0.epsilon = 0.1 }) == "line 2: partials of a 4x32 sketch, \(geometry)")
        #expect(try refusal(partial { $0.delta = 0.1 }) == "line 2: partials of a 3x256 sketch, \(geometry)")
        let later = String(decoding: try partial(), as: UTF8.self).replacing("#cms-topk:1:", with: "#cms-topk:2:")
        #expect(refusal(Array(later.utf8)) == "line 2: partials of version 2, of which this program knows only 1")
    }

    @Test func aReservedKeyThatIsNotUnderstoodIsRefused() throws {
        let good = String(decoding: try partial(), as: UTF8.self)
        let key = String(good.split(separator: "\t")[0])
        var bad = ["#cms-topk:", "#cms-topk:x", "#cms-topk:1", "#cms-topk:1:", key + "0", String(key.dropLast())]
        bad += [key.dropLast(3) + "256", key.dropLast(1) + "x", key.dropLast(5) + "4:000", key.dropLast(4) + "0000"]
        bad += [key + "\ta"]
        for text in bad {
            let message = refusal(Array("\(text)\t1\n".utf8))
            #expect(message?.hasPrefix("line 2: a key that begins with #cms-topk: is neither") == true, "\(text)")
        }
    }

    @Test func partialsOfOthersCanBePutAside() throws {
        let other = try partial { $0.seed = 1 }
        let written = try topK(Array("a\t1\n".utf8) + other, rejecting: true) {
            ($0.memory, $0.readsCounts) = (64 << 10, true)
        }
        #expect(written.text == "a\t1\n")
        #expect(written.rejects.starts(with: "line 2: partials of another seed".utf8))
    }

    @Test func aCellNeverWraps() throws {
        let cell = String(decoding: try partial(), as: UTF8.self).split(separator: "\t")[0]
        #expect(
            refusal(Array("\(cell)\t9223372036854775807\n\(cell)\t1\n".utf8))
                == "line 3: the sum of counts passes 64 bits")
    }
}
