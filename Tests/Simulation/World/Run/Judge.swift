import Delivery

/// Looks on, and says what must not be: at each step, and at the end.
final class Judge {
    unowned(unsafe) let world: World
    private(set) var failure: String?
    /// Lines that an operator has deleted, or a cluster has lost, by what they were.
    private(set) var gone: [Line] = []
    /// Those of them that a group had still to read: of these somebody must speak.
    private(set) var owedWords: [Line] = []
    private(set) var hasSaidGap = false
    private var hasDeleted = false
    private var hasBrokenFilter = false

    init(_ world: World) { self.world = world }

    func fail(_ words: String) {
        if failure == nil {
            failure = words
            world.note("WRONG: \(words)")
        }
    }

    // MARK: At each step

    /// A group's offset moves.
    func noteCommitted(_ group: Group, _ partition: Int32, from old: Int64?, to new: Int64) {
        world.note("group \(group.name): partition \(partition) committed to \(new)")
        world.lastProgress = world.now
        if let old, new < old { fail("group \(group.name), partition \(partition): committed \(new) after \(old)") }
        if new > group.topic.partitions[Int(partition)].high {
            fail("group \(group.name), partition \(partition): committed \(new), past the end")
        }
    }

    /// A reader commits by itself: only what its output has taken.
    func check(commit positions: [(partition: Int32, offset: StoredOffset)], by program: Program) {
        guard let reader = program as? ReaderProgram, let group = reader.consumer.group else { return }
        for position in positions {
            let place = Int(position.partition)
            let log = group.topic.partitions[place]
            let accepted = reader.accepted.indices.contains(place) ? reader.accepted[place] : -1
            let first = max(accepted, group.offset(of: position.partition)?.next ?? 0, Int64(log.start))
            guard first < position.offset.next else { continue }
            for offset in Int(first)..<min(Int(position.offset.next), log.log.count) {
                if case .line = log.log[offset].body, log.log[offset].state == .visible {
                    return fail(
                        "\(program.name) commits \(position.offset.next) of partition \(place), and has not printed \(offset)"
                    )
                }
            }
        }
    }

    func noteDeleted(_ partition: Partition, before end: Int) {
        hasDeleted = true
        for offset in partition.start..<end {
            guard case .line(let line) = partition.log[offset].body, partition.log[offset].state != .aborted else {
                continue
            }
            gone.append(line)
            for group in world.cluster.groups where group.topic === partition.topic {
                if let committed = group.offset(of: partition.number)?.next, committed <= offset {
                    owedWords.append(line)
                }
            }
        }
    }

    /// What was acknowledged is gone with its leader.
    func noteLost(_ partition: Partition, from: Int, to: Int) {
        world.note("\(partition.topic.name)[\(partition.number)] has lost what was acknowledged, from \(from) to \(to)")
    }

    /// A filter is broken: whoever notices may say so.
    func allowMalformed() { hasBrokenFilter = true }

    func noteSaidGap() { hasSaidGap = true }

    /// A program may end with this.
    func check(_ program: Program) {
        guard let exit = program.exit, case .status(let status) = exit else { return }
        switch (program, status) {
        case (_, 0), (is ReaderProgram, 75), (is WriterProgram, 75): return
        case (let reader as ReaderProgram, 69) where reader.hasSaidGap && hasDeleted: return
        case (is WriterProgram, 65) where hasBrokenFilter: return
        default: fail("\(program.name) ends with \(status)")
        }
    }

    // MARK: At the end

    /// What the one pipe prints, as counts by key.
    private func expected(_ scenario: Scenario) -> [Int] {
        var counts = Array(repeating: 0, count: max(scenario.words, scenario.lineCount))
        if scenario.stages.contains(.split) || scenario.isKeyed {
            for line in scenario.text { for word in line { counts[Int(word)] += 1 } }
        } else {
            for line in 0..<scenario.lineCount { counts[line] += 1 }
        }
        return counts
    }

    /// The last topic's lines as counts by key: of totals the last, of all else the sum.
    func counts(of topic: Topic, areTotals: Bool, size: Int) -> [Int] {
        var counts = Array(repeating: 0, count: size)
        for partition in topic.partitions {
            for offset in partition.start..<max(partition.start, min(partition.high, partition.log.count)) {
                guard partition.log[offset].state == .visible, case .line(let line) = partition.log[offset].body else {
                    continue
                }
                if areTotals {
                    counts[Int(line.key)] = Int(line.count)
                } else {
                    counts[Int(line.key)] += Int(line.count)
                }
            }
        }
        return counts
    }

    var isComplete: Bool {
        let scenario = world.scenario
        let expected = expected(scenario)
        guard scenario.mode == .exactlyOnce else { return missing(expected, world.collected(expected.count)).isEmpty }
        let found = counts(
            of: world.topics[scenario.stages.count], areTotals: scenario.stages.last == .total, size: expected.count)
        return missing(expected, found).isEmpty
    }

    /// What is missing, less what is gone and not to be had.
    private func missing(_ expected: [Int], _ found: [Int]) -> [Int] {
        var allowed = Array(repeating: 0, count: expected.count)
        for line in gone {
            if world.scenario.stages.contains(.split) {
                for word in world.scenario.text[Int(line.key)] { allowed[Int(word)] += 1 }
            } else {
                allowed[Int(line.key)] += 1
            }
        }
        return expected.indices.filter { found[$0] + allowed[$0] < expected[$0] }
    }

    func judgeEnd() {
        let scenario = world.scenario
        let expected = expected(scenario)
        let found: [Int]
        if scenario.mode == .exactlyOnce {
            found = counts(
                of: world.topics[scenario.stages.count], areTotals: scenario.stages.last == .total, size: expected.count
            )
        } else {
            found = world.collected(expected.count)
        }
        let missing = missing(expected, found)
        if !missing.isEmpty { return fail("lost: \(describe(missing, expected, found))") }
        let isStrict =
            scenario.mode == .exactlyOnce || scenario.mode == .alone || scenario.mode == .group && world.isCalm
        let more = expected.indices.filter { found[$0] > expected[$0] }
        if isStrict, !more.isEmpty { return fail("doubled: \(describe(more, expected, found))") }
        let less = expected.indices.contains { found[$0] < expected[$0] }
        // Who is asked to end may not have come to the gap.
        if less, !hasSaidGap, scenario.mode != .alone, scenario.end != .term, isOwed(expected, found) {
            fail("nobody has spoken of what is gone")
        }
    }

    /// Whether some of what is missing was still to be read when it went.
    private func isOwed(_ expected: [Int], _ found: [Int]) -> Bool {
        // Of a line's words it cannot be told which line they were of.
        guard !world.scenario.stages.contains(.split) else { return owedWords.count == gone.count }
        return owedWords.contains { found[Int($0.key)] < expected[Int($0.key)] }
    }

    private func describe(_ keys: [Int], _ expected: [Int], _ found: [Int]) -> String {
        keys.prefix(6).map { "\($0) \(found[$0]) times instead of \(expected[$0])" }.joined(separator: ", ")
    }
}
