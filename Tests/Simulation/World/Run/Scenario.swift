import Delivery

/// Kinds of trouble. Each seed leaves some of them out, so that the others come in all combinations.
struct Kinds: OptionSet, Hashable {
    let rawValue: Int

    static let wideDelays = Kinds(rawValue: 1 << 0)
    static let lostReplies = Kinds(rawValue: 1 << 1)
    static let lateMarkers = Kinds(rawValue: 1 << 2)
    static let lateWatermarks = Kinds(rawValue: 1 << 3)
    static let passingErrors = Kinds(rawValue: 1 << 4)
    static let slowReaders = Kinds(rawValue: 1 << 5)
    static let endlessCalls = Kinds(rawValue: 1 << 6)
    static let kills = Kinds(rawValue: 1 << 7)
    static let freezes = Kinds(rawValue: 1 << 8)
    static let brokers = Kinds(rawValue: 1 << 9)
    static let elections = Kinds(rawValue: 1 << 10)
    static let coordinators = Kinds(rawValue: 1 << 11)
    static let replicas = Kinds(rawValue: 1 << 12)
    static let growth = Kinds(rawValue: 1 << 13)
    static let deletion = Kinds(rawValue: 1 << 14)
    static let compaction = Kinds(rawValue: 1 << 15)
    static let unclean = Kinds(rawValue: 1 << 16)
    static let anew = Kinds(rawValue: 1 << 17)
    /// Long lines to brokers that take few bytes a second.
    static let quotas = Kinds(rawValue: 1 << 18)
    static let lossyFilters = Kinds(rawValue: 1 << 19)

    static let names = [
        "wideDelays", "lostReplies", "lateMarkers", "lateWatermarks", "passingErrors", "slowReaders", "endlessCalls",
        "kills",
        "freezes", "brokers", "elections", "coordinators", "replicas", "growth", "deletion", "compaction", "unclean",
        "anew",
        "quotas", "lossyFilters",
    ]

    /// Those that are no faults in the list, but a way of the world.
    static let manners: [Kinds] = [
        .wideDelays, .lostReplies, .lateMarkers, .lateWatermarks, .passingErrors, .slowReaders, .endlessCalls,
    ]
}

/// One thing that goes wrong, at its time.
struct Fault: Equatable {
    enum What: Equatable {
        /// A program, by its stage, its replica, and its place in the pipeline.
        case kill(stage: Int, replica: Int, place: Int)
        /// The same, before the so many-th thing that it does.
        case killAt(stage: Int, replica: Int, place: Int, deed: Int)
        case freeze(stage: Int, replica: Int, place: Int, milliseconds: Int64)
        /// TERM to kcat-in, and the stage stays away for a while.
        case away(stage: Int, replica: Int, milliseconds: Int64)
        case broker(Int, isFrozen: Bool, isClean: Bool, milliseconds: Int64)
        case elect(topic: Int, partition: Int, isUnclean: Bool)
        case moveGroups
        case moveTransactions
        case grow
        case delete(partition: Int, share: Int)
        case compact
        /// A filter loses a part of its input with a barrier in it.
        case lose(stage: Int, replica: Int)
        case makeAnew
    }

    var at: Int64
    var what: What
}

/// All that a seed draws before its world begins.
struct Scenario {
    /// How a chain is read: which promise is tried.
    enum Mode: String, CaseIterable {
        /// Stages between topics, each with a group, barriers and transactions.
        case exactlyOnce
        /// A group that prints.
        case group
        /// A group whose sink says which epochs are done.
        case acks
        /// A reader by itself.
        case alone
    }

    enum End: String, CaseIterable { case endOfStream, untilEnd, term }

    let seed: UInt64
    var mode: Mode
    var end: End
    var brokers: Int
    var replication: Int
    /// Of the topics, the first being that which is fed.
    var partitions: [Int]
    var stages: [FilterKind]
    var replicas: [Int]
    var isStatic: Bool
    var lineCount: Int
    var words: Int
    var text: [[Int32]] = []
    var isFedByTransactions: Bool
    var pace: Int
    var epochMilliseconds: Int64
    var pipeCapacity: Int
    var outputLimit: Int
    var skipsGaps: Bool
    var kinds: Kinds
    var faults: [Fault] = []
    var sabotage: Sabotage = []

    /// Milliseconds in which faults come.
    static let troubled: Int64 = 30_000

    /// Bytes of a line for one of its own.
    var weight: Int { kinds.contains(.quotas) ? 32 << 10 : 1 }

    var endsStream: Bool { end == .endOfStream }
    /// Whether the first topic's lines are words, which the same partition must get.
    var isKeyed: Bool { stages.first == .count || stages.first == .total }

    init(seed: UInt64) {
        self.seed = seed
        var random = Random(seed: seed)
        mode = random.pick([.exactlyOnce, .exactlyOnce, .exactlyOnce, .exactlyOnce, .group, .group, .acks, .alone])
        end = random.pick([.endOfStream, .endOfStream, .untilEnd, .term])
        brokers = random.pick([1, 3, 3, 5])
        replication = random.pick([1, 3])
        let chains: [[FilterKind]] = [
            [.same], [.same], [.split], [.total], [.count], [.same, .same], [.split, .count], [.split, .total],
            [.split, .count, .total],
        ]
        stages = mode == .exactlyOnce ? random.pick(chains) : []
        if mode == .alone, end == .term { end = .untilEnd }
        // A chain's later stages would end before their input has come.
        if stages.count > 1, end == .untilEnd { end = .endOfStream }
        partitions = []
        for _ in 0...max(1, stages.count) { partitions.append(random.from(1...4)) }
        // The state of a partition is in the same partition of the totals.
        for (place, kind) in stages.enumerated() where kind == .total { partitions[place + 1] = partitions[place] }
        replicas = stages.map { _ in random.pick([1, 1, 2, 2, 3]) }
        if mode != .exactlyOnce { replicas = [mode == .alone ? 1 : random.pick([1, 2, 2, 3])] }
        isStatic = random.once(in: 2)
        lineCount = random.from(3...40)
        words = random.from(2...9)
        isFedByTransactions = random.once(in: 2)
        pace = random.pick([1000, 100_000, 1_000_000, 3_000_000])
        epochMilliseconds = random.pick([50, 200, 1000, 1000])
        pipeCapacity = random.pick([64, 300, 4096])
        outputLimit = random.pick([30, 200, 1000])
        skipsGaps = random.once(in: 2)
        // Swarm testing (Groce et al., ISSTA 2012, doi:10.1145/2338965.2336763): half of the kinds, whichever.
        let chosen = random.next() & random.next() | (random.once(in: 2) ? random.next() : 0)
        kinds = Kinds(rawValue: Int(chosen >> 32) & (1 << Kinds.names.count - 1))
        if random.once(in: 10) { kinds = [] }
        if !random.once(in: 10) { kinds.remove(.quotas) }
        restrict()
        if kinds.contains(.quotas) { (pipeCapacity, outputLimit, pace) = (1 << 20, 1 << 20, 1000) }
        for _ in 0..<lineCount {
            var line: [Int32] = []
            for _ in 0..<random.from(0...4) { line.append(Int32(random.below(words))) }
            text.append(line)
        }
        drawFaults(&random)
        if mode == .group, seed % 4 == 3 { drawSleepers() }
        if mode == .group, seed % 8 == 5 { drawBlocked() }
    }

    /// Leaves out what this chain does not promise to bear.
    private mutating func restrict() {
        let isCounted = stages.contains(.count) || stages.contains(.total)
        if isKeyed || isCounted { kinds.subtract([.growth, .deletion, .unclean, .anew]) }
        if stages.last != .total { kinds.remove(.compaction) }
        // By what was deleted, a reader by itself cannot know what it has missed; and what is lost was never told.
        if mode == .alone { kinds.subtract([.growth]) }
        if end == .untilEnd { kinds.subtract([.growth]) }
        if brokers == 1 || replication == 1 { kinds.subtract([.elections, .unclean]) }
        if kinds.contains(.unclean) || kinds.contains(.anew) { kinds.remove(.growth) }
        kinds.subtract([.unclean, .anew])
        // What waits for a slow broker cannot wait for a frozen one as well.
        if mode != .exactlyOnce || stages != [.same] { kinds.remove(.quotas) }
        if kinds.contains(.quotas) { kinds.subtract([.brokers, .freezes, .wideDelays, .coordinators]) }
        if mode != .exactlyOnce { kinds.remove(.lossyFilters) }
    }

    /// Chance seldom has it: members of a group that sleep in turn, lose their partitions, and get them back when another has
    /// got on with them.
    private mutating func drawSleepers() {
        kinds.insert(.freezes)
        replicas = [2]
        for turn in 0..<3 {
            let what = Fault.What.freeze(stage: 0, replica: turn % 2, place: 0, milliseconds: 12_000)
            faults.append(Fault(at: 1000 + 14_000 * Int64(turn), what: what))
        }
        faults.sort { $0.at < $1.at }
    }

    /// A member whose output takes nothing, while the group deals anew.
    private mutating func drawBlocked() {
        kinds = [.replicas]
        (replicas, pipeCapacity, pace) = ([2], 64, 1000)
        faults = [
            Fault(at: 2500, what: .freeze(stage: 0, replica: 0, place: 1, milliseconds: 40_000)),
            Fault(at: 4000, what: .away(stage: 0, replica: 1, milliseconds: 1000)),
        ]
    }

    private mutating func drawFaults(_ random: inout Random) {
        var makers: [(inout Random) -> Fault.What] = []
        let (stageCount, replicas, partitions, brokers, mode) = (
            max(1, stages.count), replicas, partitions, brokers, mode
        )
        func someone(_ random: inout Random) -> (Int, Int, Int) {
            let stage = random.below(stageCount)
            return (stage, random.below(replicas[stage]), mode == .exactlyOnce ? random.below(3) : 0)
        }
        if kinds.contains(.kills) {
            makers.append {
                let (stage, replica, place) = someone(&$0)
                return .kill(stage: stage, replica: replica, place: place)
            }
            makers.append {
                let (stage, replica, place) = someone(&$0)
                return .killAt(stage: stage, replica: replica, place: place, deed: $0.from(1...60))
            }
        }
        if kinds.contains(.freezes) {
            makers.append {
                let (stage, replica, place) = someone(&$0)
                return .freeze(
                    stage: stage, replica: replica, place: place,
                    milliseconds: Int64($0.pick([500, 4000, 11_000, 25_000, 65_000])))
            }
        }
        if kinds.contains(.replicas), mode != .alone {
            makers.append {
                let (stage, replica, _) = someone(&$0)
                return .away(stage: stage, replica: replica, milliseconds: Int64($0.from(100...20_000)))
            }
        }
        if kinds.contains(.brokers) {
            makers.append {
                let isFrozen = $0.once(in: 3)
                return .broker(
                    $0.below(brokers), isFrozen: isFrozen, isClean: !isFrozen && $0.once(in: 2),
                    milliseconds: Int64($0.from(500...20_000)))
            }
        }
        if kinds.contains(.elections) {
            makers.append {
                let topic = $0.below(partitions.count)
                return .elect(topic: topic, partition: $0.below(partitions[topic]), isUnclean: false)
            }
        }
        if kinds.contains(.coordinators) { makers.append { $0.once(in: 2) ? .moveGroups : .moveTransactions } }
        if kinds.contains(.growth) { makers.append { _ in .grow } }
        if kinds.contains(.deletion) {
            makers.append { .delete(partition: $0.below(partitions[0]), share: $0.from(1...100)) }
        }
        if kinds.contains(.compaction) { makers.append { _ in .compact } }
        if kinds.contains(.lossyFilters) {
            makers.append {
                let (stage, replica, _) = someone(&$0)
                return .lose(stage: stage, replica: replica)
            }
        }
        guard !makers.isEmpty else { return }
        for _ in 0..<random.from(1...8) {
            let at = Int64(random.from(0...Int(random.pick([2000, 8000, Self.troubled]))))
            faults.append(Fault(at: at, what: makers[random.below(makers.count)](&random)))
        }
        faults.sort { $0.at < $1.at }
    }
}

extension Scenario: CustomStringConvertible {
    var description: String {
        var lines = [
            "seed \(seed): \(mode), ends by \(end), \(brokers) brokers, replication \(replication), partitions \(partitions)",
            "stages \(stages), replicas \(replicas)\(isStatic ? " (static)" : ""), \(lineCount) lines, epochs of "
                + "\(epochMilliseconds) ms, pipes of \(pipeCapacity) bytes, \(isFedByTransactions ? "transactions" : "lines") fed"
                + (skipsGaps ? ", --on-gap skip" : ""),
            "kinds: "
                + Kinds.names.indices.filter { kinds.contains(Kinds(rawValue: 1 << $0)) }.map { Kinds.names[$0] }
                .joined(separator: " "),
        ]
        lines += faults.map { "at \($0.at) ms: \($0.what)" }
        return lines.joined(separator: "\n")
    }
}
