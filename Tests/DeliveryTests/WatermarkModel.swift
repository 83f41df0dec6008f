import Delivery
import TestSupport

/// Two or three stages that are joined by topics, and whose members come, go, move and crash. The last stage keeps windows until
/// the stream's watermark has passed them, as `cms-topk --window-field` does, and its state is its own input. Each window's list,
/// of each partition, is to come once and to be right. Only lines of a partition that has been idle may be late.
struct WatermarkModel {
    enum Fault: CaseIterable {
        /// *Done* is the stream's, the least of the partitions', and not each partition's own.
        case doneOfStream
        /// What is idle is not said downstream.
        case idleNotPassedOn
        /// A member keeps its clock when partitions move.
        case keepsClock
        /// A writer keeps what it owed of partitions that another member has by now.
        case keepsOwed
        /// Partitions that are added to a topic are not told what the others were.
        case addedNotTold
    }

    struct Line {
        let time: Int64
        let key: Int
        var mayBeLate = false

        var window: Int64 { time / size * size }
    }

    enum Record {
        case line(Line)
        case mark(WatermarkRecord)
    }

    /// A window of a partition.
    struct List: Hashable {
        let window: Int64
        let partition: Int
    }

    /// How often a key is there; those of lines that may be late stand apart.
    struct Counts: Equatable {
        var punctual: [Int: Int] = [:]
        var others = 0

        mutating func add(_ line: Line) {
            if line.mayBeLate { others += 1 } else { punctual[line.key, default: 0] += 1 }
        }
    }

    struct Topic {
        var log: [[Record]]
        /// What the stage that reads it has committed.
        var offset: [Int]
        var times: [PartitionTimes?]

        init(_ log: [[Record]]) {
            self.log = log
            offset = log.map { _ in 0 }
            times = log.map { _ in nil }
        }

        mutating func addPartition() {
            log.append([])
            offset.append(0)
            times.append(nil)
        }
    }

    struct Member {
        var numbers: [Int]
        var times: EventTimes
        /// Its writer's, but for the last stage.
        var owed: OwedWatermarks
        let generation: Int32
        /// The last stage's.
        var clock: Int64
        var state: [List: Counts] = [:]
    }

    static let size: Int64 = 10
    let fault: Fault?
    var generator: SeededGenerator
    var now: Int64 = 0
    var generations: Int32 = 0

    /// The input, and what each stage but the last writes.
    var topics: [Topic]
    /// Each reads the topic of the same number.
    var stages: [[Member]]
    /// The partition of the input to which lines come to the end, in the order of time.
    let alive: Int
    let aliveMayBeIdle: Bool

    var out: [List: Counts] = [:]
    var late = 0
    var mayCrash: [Bool]
    var trouble: String?

    init(_ generator: SeededGenerator, _ fault: Fault?) {
        var generator = generator
        let inputs = Int.random(in: 1...4, using: &generator)
        topics = [Topic((0..<inputs).map { _ in Self.lines(&generator) })]
        alive = Int.random(in: 0..<inputs, using: &generator)
        aliveMayBeIdle = Bool.random(using: &generator)
        for _ in 0..<Int.random(in: 1...2, using: &generator) {
            topics.append(Topic(Array(repeating: [], count: Int.random(in: 1...4, using: &generator))))
        }
        stages = topics.map { _ in [] }
        mayCrash = topics.map { _ in true }
        (self.generator, self.fault) = (generator, fault)
        for stage in stages.indices { deal(stage) }
    }

    /// In the order of time, perhaps none.
    private static func lines(_ generator: inout SeededGenerator) -> [Record] {
        var time = Int64.random(in: 0...40, using: &generator)
        let count = Bool.random(using: &generator) ? Int.random(in: 0...60, using: &generator) : 0
        return (0..<count).map { _ in
            time += Int64.random(in: 0...6, using: &generator)
            return .line(Line(time: time, key: Int.random(in: 0..<8, using: &generator)))
        }
    }

    private mutating func chance(_ part: Int) -> Bool { Int.random(in: 0..<part, using: &generator) == 0 }

    private mutating func some(_ most: Int) -> Int {
        most == .max ? most : Int.random(in: 0...most, using: &generator)
    }

    private func mayBeIdle(_ number: Int) -> Bool { number != alive || aliveMayBeIdle }

    private func isLast(_ stage: Int) -> Bool { stage == stages.count - 1 }

    // MARK: What happens

    /// The group deals its partitions anew.
    /// - Parameter isCrash: all of the stage begins anew, its writers too.
    mutating func deal(_ stage: Int, isCrash: Bool = false) {
        let (before, topic) = (stages[stage], topics[stage])
        var hands: [[Int]] = [[], [], []]
        for number in topic.log.indices { hands[Int.random(in: 0..<3, using: &generator)].append(number) }
        stages[stage] = hands.filter { !$0.isEmpty }.enumerated().map { place, numbers in
            generations += 1
            var times = EventTimes(stage == 0 ? .lines(disorder: 0) : .records, idle: 5)
            for number in numbers { times.add(Int32(number), topic.times[number]) }
            var owed = OwedWatermarks(every: [0, 7].randomElement(using: &generator) ?? 0, repeatEvery: 50)
            if !isCrash, before.indices.contains(place) { owed = before[place].owed }
            var member = Member(
                numbers: numbers, times: times, owed: owed, generation: fault == .keepsOwed ? 1 : generations,
                clock: .max)
            if isLast(stage) { restore(&member, topic, before) }
            return member
        }
    }

    private func restore(_ member: inout Member, _ topic: Topic, _ before: [Member]) {
        let leastDone = member.numbers.map { topic.times[$0]?.done ?? .min }.min() ?? .min
        for number in member.numbers {
            let done = fault == .doneOfStream ? leastDone : topic.times[number]?.done ?? .min
            for case .line(let line) in topic.log[number][..<topic.offset[number]]
            where line.window + Self.size > done {
                member.state[List(window: line.window, partition: number), default: Counts()].add(line)
            }
        }
        member.clock = leastDone
        if fault == .keepsClock {
            let kept = before.filter { !Set($0.numbers).isDisjoint(with: member.numbers) }.map(\.clock).max()
            member.clock = max(member.clock, kept ?? .min)
        }
    }

    /// Lines come to a partition of the input: to one that may have been idle also old ones.
    private mutating func append(_ number: Int) {
        let (highest, mayBeLate) = (highestTime(number), mayBeIdle(number))
        for _ in 0..<Int.random(in: 1...5, using: &generator) {
            let key = Int.random(in: 0..<8, using: &generator)
            let time = mayBeLate ? Int64.random(in: 0...highest + 30, using: &generator) : highest
            topics[0].log[number].append(.line(Line(time: time, key: key, mayBeLate: mayBeLate)))
        }
    }

    /// Of a partition of the input; 0 if it has no line.
    private func highestTime(_ number: Int) -> Int64 {
        topics[0].log[number].reduce(0) { highest, record in
            if case .line(let line) = record { max(highest, line.time) } else { highest }
        }
    }

    /// An epoch of a member.
    mutating func read(_ stage: Int, _ place: Int, _ most: Int) {
        var (member, next) = (stages[stage][place], topics[stage].offset)
        var (lines, lateLines): ([Line], [Line]) = ([], [])
        for number in member.numbers {
            let log = topics[stage].log[number]
            let end = next[number] + min(some(most), log.count - next[number])
            for record in log[next[number]..<end] {
                switch record {
                case .mark(let mark): member.times.take(Int32(number), mark)
                case .line(let line):
                    if stage == 0 { member.times.see(Int32(number), line.time) }
                    if !isLast(stage) {
                        lines.append(line)
                    } else if line.window + Self.size <= member.clock {
                        lateLines.append(line)
                    } else {
                        member.state[List(window: line.window, partition: number), default: Counts()].add(line)
                    }
                }
            }
            if stage == 0, end == log.count, mayBeIdle(number) { member.times.noteEnd(Int32(number), at: now) }
            next[number] = end
        }
        // Killed before its commit: nothing of it is there.
        if mayCrash[stage], chance(12) { return deal(stage, isCrash: true) }
        let hasMoved = member.times.advance(at: now)
        if isLast(stage) {
            member.times.noteBarrier()
            if case .time(let time) = member.times.mark { member.clock = max(member.clock, time) }
            put(&member)
            late += lateLines.count
            if let line = lateLines.first(where: { !$0.mayBeLate }) { trouble = trouble ?? "\(line) is late" }
        } else {
            let isRead = next != topics[stage].offset
            write(stage, &member, hasMoved || isRead ? next : nil, lines)
        }
        topics[stage].offset = next
        for number in member.numbers { topics[stage].times[number] = member.times.times(of: Int32(number)) }
        stages[stage][place] = member
    }

    /// The lists of the windows that are over.
    private mutating func put(_ member: inout Member) {
        for (list, counts) in member.state where list.window + Self.size <= member.clock {
            member.state[list] = nil
            if let before = out[list] {
                if !counts.punctual.isEmpty { trouble = trouble ?? "\(list) comes twice" }
                out[list] = Counts(punctual: before.punctual, others: before.others + counts.others)
            } else {
                out[list] = counts
            }
        }
    }

    /// - Parameter next: how far the member has read; nil: nothing has moved.
    private mutating func write(_ stage: Int, _ member: inout Member, _ next: [Int]?, _ lines: [Line]) {
        let positions =
            next.map { next in
                member.numbers.map {
                    Position(partition: Int32($0), next: Int64(next[$0]), times: member.times.times(of: Int32($0)))
                }
            } ?? []
        member.times.noteBarrier()
        let identity = GroupMember(group: [0x67], generation: member.generation, member: [0x6D], instance: nil)
        let offsets = EpochOffsets(
            member: identity, topic: [0x74], partitionCount: Int32(topics[stage].log.count), positions: positions)
        let count = topics[stage + 1].log.count
        let (record, _) = member.owed.take(offsets, to: fault == .addedNotTold ? 1 : Int32(count), at: now)
        for line in lines { topics[stage + 1].log[line.key % count].append(.line(line)) }
        guard var record else { return }
        if fault == .idleNotPassedOn { record.marks = record.marks.filter { $0.value != .idle } }
        for partition in 0..<count {
            topics[stage + 1].log[partition].append(.mark(record))
            if chance(20) { topics[stage + 1].log[partition].append(.mark(record)) }
        }
    }

    // MARK: A run

    /// All but one partition of the input fall idle in the end: that one says what must be out.
    ///
    /// What is wrong with the run; nil: nothing.
    mutating func run() -> String? {
        for _ in 0..<Int.random(in: 50...400, using: &generator) {
            now += Int64.random(in: 0...3, using: &generator)
            let stage = Int.random(in: stages.indices, using: &generator)
            switch Int.random(in: 0..<40, using: &generator) {
            case 0...5: deal(stage)
            case 6 where topics[stage].log.count < 5 && chance(4):
                topics[stage].addPartition()
                deal(stage)
            case 7: append(Int.random(in: topics[0].log.indices, using: &generator))
            default: read(stage, Int.random(in: stages[stage].indices, using: &generator), 10)
            }
        }
        // Time passes, and nothing more happens than that all is read; in the end without a crash.
        let last = highestTime(alive)
        let isCalm = chance(2)
        for round in 0..<30 * (stages.count + 1) {
            now += 10
            // Who reads first says for the last time what is idle; those who hear of it go on to move.
            mayCrash = stages.indices.map { !isCalm && round < 20 + 30 * $0 }
            topics[0].log[alive].append(.line(Line(time: last + 20 + Int64(round), key: 0, mayBeLate: aliveMayBeIdle)))
            for stage in stages.indices {
                for place in stages[stage].indices where place < stages[stage].count { read(stage, place, .max) }
            }
        }
        return trouble ?? verdict(last)
    }

    /// - Parameter last: up to then all but one of the partitions had become idle.
    private func verdict(_ last: Int64) -> String? {
        for topic in topics where !zip(topic.offset, topic.log).allSatisfy({ $0 == $1.count }) {
            return "not all was read"
        }
        var truth: [List: Counts] = [:]
        for (partition, log) in topics[topics.count - 1].log.enumerated() {
            for case .line(let line) in log {
                truth[List(window: line.window, partition: partition), default: Counts()].add(line)
            }
        }
        for (list, counts) in out where truth[list]?.punctual != counts.punctual {
            return "\(list) is \(counts), not \(truth[list].map { "\($0)" } ?? "there")"
        }
        for (list, counts) in truth where out[list] == nil {
            if list.window + Self.size <= last + 50, !counts.punctual.isEmpty { return "\(list) does not come" }
        }
        func countOthers(_ lists: some Sequence<Counts>) -> Int { lists.reduce(0) { $0 + $1.others } }
        let (others, told) = (countOthers(truth.values), countOthers(out.values))
        let open = countOthers(stages[stages.count - 1].flatMap(\.state.values))
        // One that comes late into a window that is over for its partition, but not yet for the stage, is gone after a restore.
        guard told + late + open <= others else {
            return "\(others) lines that may be late, \(told) told, \(late) late"
        }
        return nil
    }
}
