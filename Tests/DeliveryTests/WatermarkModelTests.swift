import Delivery
import TestSupport
import Testing

/// Two stages that are joined by a topic, and whose members come, go, move and crash: each window's list, of each partition, comes
/// once and is right. The second stage keeps windows until the stream's watermark has passed them, as `cms-topk --window-field`
/// does, and its state is its own input.
private struct Model {
    enum Fault: CaseIterable {
        /// *Done* is the stream's, the least of the partitions', and not each partition's own.
        case doneOfStream
        /// What is idle is not said downstream.
        case idleNotPassedOn
        /// A member keeps its clock when partitions move.
        case keepsClock
    }

    enum Record {
        case line(window: Int64, key: Int)
        case mark(WatermarkRecord)
    }

    /// A window of a partition.
    struct List: Hashable {
        let window: Int64
        let partition: Int
    }

    /// A member of the first stage.
    struct Source {
        var numbers: [Int]
        var times: EventTimes
        var owed: OwedWatermarks
        let generation: Int32
    }

    /// A member of the second.
    struct Sink {
        var numbers: [Int]
        var times: EventTimes
        var clock: Int64
        var state: [List: [Int: Int]] = [:]
    }

    static let size: Int64 = 10
    let fault: Fault?
    var generator: SeededGenerator
    var now: Int64 = 0
    var generations: Int32 = 0

    var input: [[(time: Int64, key: Int)]]
    /// How many input partitions there are by now: one may be added.
    var inputCount: Int
    var position: [Int]
    var inputTimes: [PartitionTimes?]
    /// Never idle.
    let alive: Int

    var log: [[Record]]
    var offset: [Int]
    var logTimes: [PartitionTimes?]

    var sources: [Source] = []
    var sinks: [Sink] = []
    var out: [List: [Int: Int]] = [:]
    var trouble: String?
    var (sourcesMayCrash, sinksMayCrash) = (true, true)
    var late = 0

    init(_ generator: SeededGenerator, _ fault: Fault?) {
        var generator = generator
        let partitions = Int.random(in: 1...4, using: &generator)
        let inputs = Int.random(in: 1...4, using: &generator)
        input = (0..<inputs).map { _ in Self.lines(&generator) }
        alive = Int.random(in: 0..<inputs, using: &generator)
        inputCount = inputs
        position = Array(repeating: 0, count: inputs)
        inputTimes = Array(repeating: nil, count: inputs)
        log = Array(repeating: [], count: partitions)
        offset = Array(repeating: 0, count: partitions)
        logTimes = Array(repeating: nil, count: partitions)
        (self.generator, self.fault) = (generator, fault)
        dealSources()
        dealSinks()
    }

    /// In the order of time, perhaps none.
    private static func lines(_ generator: inout SeededGenerator) -> [(time: Int64, key: Int)] {
        var time = Int64.random(in: 0...40, using: &generator)
        let count = Bool.random(using: &generator) ? Int.random(in: 0...60, using: &generator) : 0
        return (0..<count).map { _ in
            time += Int64.random(in: 0...6, using: &generator)
            return (time, Int.random(in: 0..<8, using: &generator))
        }
    }

    mutating func chance(_ part: Int) -> Bool { Int.random(in: 0..<part, using: &generator) == 0 }

    private mutating func some(_ most: Int) -> Int {
        most == .max ? most : Int.random(in: 0...most, using: &generator)
    }

    private mutating func deal(_ count: Int) -> [[Int]] {
        var hands: [[Int]] = [[], [], []]
        for number in 0..<count { hands[Int.random(in: 0..<3, using: &generator)].append(number) }
        return hands.filter { !$0.isEmpty }
    }

    mutating func dealSources() {
        sources = deal(inputCount).map { numbers in
            generations += 1
            var times = EventTimes(.lines(disorder: 0), idle: 5)
            for number in numbers { times.add(Int32(number), inputTimes[number]) }
            return Source(
                numbers: numbers, times: times,
                owed: OwedWatermarks(every: [0, 7].randomElement(using: &generator) ?? 0),
                generation: generations)
        }
    }

    mutating func dealSinks() {
        let before = sinks
        sinks = deal(log.count).map { numbers in
            var sink = Sink(numbers: numbers, times: EventTimes(.records, idle: 5), clock: .max)
            for number in numbers { sink.times.add(Int32(number), logTimes[number]) }
            let leastDone = numbers.map { logTimes[$0]?.done ?? .min }.min() ?? .min
            for number in numbers {
                let done = fault == .doneOfStream ? leastDone : logTimes[number]?.done ?? .min
                for case .line(let window, let key) in log[number][..<offset[number]] where window + Self.size > done {
                    sink.state[List(window: window, partition: number), default: [:]][key, default: 0] += 1
                }
            }
            sink.clock = leastDone
            if fault == .keepsClock {
                let kept = before.filter { !Set($0.numbers).isDisjoint(with: numbers) }.map(\.clock).max()
                sink.clock = max(sink.clock, kept ?? .min)
            }
            return sink
        }
    }

    /// An epoch of the first stage.
    mutating func readSource(_ place: Int, _ most: Int) {
        var (source, lines, next) = (sources[place], [(Int, Record)](), position)
        for number in source.numbers {
            let count = min(some(most), input[number].count - next[number])
            for (time, key) in input[number][next[number]..<next[number] + count] {
                source.times.see(Int32(number), time)
                lines.append((key % log.count, .line(window: time / Self.size * Self.size, key: key)))
            }
            next[number] += count
            if next[number] == input[number].count, number != alive { source.times.noteEnd(Int32(number), at: now) }
        }
        // Killed before its commit: nothing of it is there.
        if sourcesMayCrash, chance(12) { return dealSources() }
        let hasMoved = source.times.advance(at: now)
        let isRead = next != position
        let positions =
            hasMoved || isRead
            ? source.numbers.map {
                Position(partition: Int32($0), next: Int64(next[$0]), times: source.times.times(of: Int32($0)))
            } : []
        source.times.noteBarrier()
        let member = GroupMember(group: [0x67], generation: source.generation, member: [0x6D], instance: nil)
        let offsets = EpochOffsets(
            member: member, topic: [0x74], partitionCount: Int32(inputCount), positions: positions)
        let (records, _) = source.owed.take(offsets, at: now)
        for (partition, line) in lines { log[partition].append(line) }
        for record in records where fault != .idleNotPassedOn || record.mark != .idle {
            for partition in log.indices {
                log[partition].append(.mark(record))
                if chance(20) { log[partition].append(.mark(record)) }
            }
        }
        position = next
        for number in source.numbers { inputTimes[number] = source.times.times(of: Int32(number)) }
        sources[place] = source
    }

    /// An epoch of the second.
    mutating func readLog(_ place: Int, _ most: Int) {
        var (sink, next, put) = (sinks[place], offset, [List: [Int: Int]]())
        for number in sink.numbers {
            let end = next[number] + min(some(most), log[number].count - next[number])
            for record in log[number][next[number]..<end] {
                switch record {
                case .mark(let mark): sink.times.take(Int32(number), mark)
                case .line(let window, let key):
                    if window + Self.size <= sink.clock {
                        late += 1
                    } else {
                        sink.state[List(window: window, partition: number), default: [:]][key, default: 0] += 1
                    }
                }
            }
            next[number] = end
        }
        _ = sink.times.advance(at: now)
        sink.times.noteBarrier()
        if case .time(let time) = sink.times.mark { sink.clock = max(sink.clock, time) }
        for (list, counts) in sink.state where list.window + Self.size <= sink.clock {
            put[list] = counts
            sink.state[list] = nil
        }
        if sinksMayCrash, chance(12) { return dealSinks() }
        for (list, counts) in put {
            if out[list] != nil { trouble = trouble ?? "\(list) comes twice" }
            out[list] = counts
        }
        offset = next
        for number in sink.numbers { logTimes[number] = sink.times.times(of: Int32(number)) }
        sinks[place] = sink
    }

    /// All but one partition fall idle in the end: that one says what must be out.
    ///
    /// What is wrong with the run; nil: nothing.
    mutating func run() -> String? {
        for _ in 0..<Int.random(in: 50...400, using: &generator) {
            now += Int64.random(in: 0...3, using: &generator)
            switch Int.random(in: 0..<40, using: &generator) {
            case 0...2: dealSources()
            case 3...5: dealSinks()
            case 6 where inputCount < 5 && chance(4):
                // A partition is added, in which nothing ever is.
                input.append([])
                position.append(0)
                inputTimes.append(nil)
                inputCount += 1
                dealSources()
            case 7...24: readSource(Int.random(in: 0..<sources.count, using: &generator), 8)
            default: readLog(Int.random(in: 0..<sinks.count, using: &generator), 12)
            }
        }
        // Time passes, and nothing more happens than that all is read; in the end without a crash.
        let last = input[alive].last?.time ?? 0
        for round in 0..<60 {
            now += 10
            // Who reads first says for the last time what is idle; those who hear of it go on to move.
            (sourcesMayCrash, sinksMayCrash) = (round < 20, round < 50)
            input[alive].append((last + 20 + Int64(round), 0))
            for place in sources.indices where place < sources.count { readSource(place, .max) }
            for place in sinks.indices where place < sinks.count { readLog(place, .max) }
        }
        return trouble ?? verdict(last)
    }

    /// - Parameter last: up to then all but one of the partitions had become idle.
    private func verdict(_ last: Int64) -> String? {
        if late > 0 { return "\(late) lines are late" }
        let isRead =
            zip(position, input).allSatisfy { $0 == $1.count } && zip(offset, log).allSatisfy { $0 == $1.count }
        guard isRead else { return "not all was read" }
        var truth: [List: [Int: Int]] = [:]
        for lines in input {
            for (time, key) in lines {
                let list = List(window: time / Self.size * Self.size, partition: key % log.count)
                truth[list, default: [:]][key, default: 0] += 1
            }
        }
        for (list, counts) in out where truth[list] != counts {
            return "\(list) is \(counts), not \(truth[list] ?? [:])"
        }
        for list in truth.keys where list.window + Self.size <= last + 50 && out[list] == nil {
            return "\(list) does not come"
        }
        return nil
    }
}

@Suite struct WatermarkModelTests {
    @Test func eachListComesOnceAndIsRight() {
        for seed in 0..<UInt64(4000) {
            var model = Model(SeededGenerator(seed: seed), nil)
            if let trouble = model.run() { Issue.record("seed \(seed): \(trouble)") }
        }
    }

    /// A model in which nothing can fail shows nothing.
    @Test(arguments: Model.Fault.allCases) private func eachDeliberateFaultIsFound(_ fault: Model.Fault) throws {
        var found = 0
        for seed in 0..<UInt64(400) {
            var model = Model(SeededGenerator(seed: seed), fault)
            if model.run() != nil { found += 1 }
        }
        #expect(found > 4, "\(fault): \(found)")
    }
}
