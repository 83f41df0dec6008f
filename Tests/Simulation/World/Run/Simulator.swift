import Delivery

/// Runs worlds by their seeds.
public enum Simulator {
    public struct Finding: CustomStringConvertible {
        public let seed: UInt64
        public let words: String
        /// The scenario with as few faults as still show it, and what happens in it, step for step.
        public let scenario: String
        public let trace: [String]

        public var description: String { "seed \(seed): \(words)\n\(scenario)" }
    }

    /// Faults that are put into the decisions on purpose: each must show in some seed.
    public static let deliberateFaults = sabotage.map(\.name)

    private static let sabotage: [(name: String, fault: Sabotage)] = [
        ("commitsWhatWasRead", .commitsWhatWasRead), ("keepsPlaceAfterMove", .keepsPlaceAfterMove),
        ("keepsUnwrittenLines", .keepsUnwrittenLines), ("readsBeforeRestored", .readsBeforeRestored),
        ("ignoresGaps", .ignoresGaps), ("revokesEarly", .revokesEarly), ("endsAtFirstStop", .endsAtFirstStop),
        ("noBytesInEpochs", .noBytesInEpochs), ("anyBarrier", .anyBarrier), ("commitsCutInput", .commitsCutInput),
        ("noWatch", .noWatch), ("noPatience", .noPatience), ("commitsUnflushed", .commitsUnflushed),
        ("commitsNoOffsets", .commitsNoOffsets),
    ]

    private static func scenario(_ seed: UInt64, _ fault: String?) -> Scenario {
        var scenario = Scenario(seed: seed)
        if let fault {
            guard let found = sabotage.first(where: { $0.name == fault }) else {
                fatalError("no fault is called \(fault)")
            }
            scenario.sabotage = found.fault
        }
        return scenario
    }

    /// How many things happen in a run, and what was wrong in it.
    public static func run(_ seed: UInt64, deliberately fault: String? = nil) -> (events: Int, words: String?) {
        let scenario = scenario(seed, fault)
        let world = World(scenario, isTraced: false)
        let words = world.run()
        return (world.eventCount, words)
    }

    /// Whether a run is the same each time.
    public static func trace(_ seed: UInt64, deliberately fault: String? = nil) -> Finding {
        finding(scenario(seed, fault))
    }

    private static func finding(_ scenario: Scenario) -> Finding {
        let world = World(scenario, isTraced: true)
        let words = world.run() ?? "nothing wrong"
        return Finding(seed: scenario.seed, words: words, scenario: scenario.description, trace: world.trace)
    }

    /// Leaves out one fault, and one manner of the world, after the other, as long as something is still wrong.
    public static func shrink(_ seed: UInt64, deliberately fault: String? = nil) -> Finding? {
        var scenario = scenario(seed, fault)
        // What is wrong stays the same but for its numbers.
        func kind(_ scenario: Scenario) -> String? {
            World(scenario, isTraced: false).run().map { String($0.filter { !$0.isNumber }.prefix(20)) }
        }
        guard let wrong = kind(scenario) else { return nil }
        func fails(_ scenario: Scenario) -> Bool { kind(scenario) == wrong }
        var hasShrunk = true
        while hasShrunk {
            hasShrunk = false
            for smaller in smaller(than: scenario) where fails(smaller) {
                scenario = smaller
                hasShrunk = true
                break
            }
        }
        return finding(scenario)
    }

    private static func smaller(than scenario: Scenario) -> [Scenario] {
        var smaller: [Scenario] = []
        for place in scenario.faults.indices {
            var less = scenario
            less.faults.remove(at: place)
            smaller.append(less)
        }
        for kind in Kinds.manners where scenario.kinds.contains(kind) {
            var less = scenario
            less.kinds.remove(kind)
            smaller.append(less)
        }
        for place in scenario.replicas.indices where scenario.replicas[place] > 1 {
            var less = scenario
            less.replicas[place] -= 1
            smaller.append(less)
        }
        if scenario.isFedByTransactions {
            var less = scenario
            less.isFedByTransactions = false
            smaller.append(less)
        }
        return smaller
    }
}
