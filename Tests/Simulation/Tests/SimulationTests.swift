import Simulation
import TestSupport
import Testing

@Suite struct SimulationTests {
    /// Thousands of clusters, a few seconds. Longer: `simulate --seeds 0..1000000`.
    @Test func whateverHappensToAClusterTheAnswerIsThatOfTheOnePipe() {
        for seed in 0..<Seeds.quick {
            guard let words = Simulator.run(seed).words else { continue }
            let finding = Simulator.shrink(seed)
            Issue.record("seed \(seed): \(words)\n\(finding?.description ?? "")")
            return
        }
    }

    @Test func aSeedReplaysStepForStep() {
        for seed in 0..<UInt64(20) {
            #expect(Simulator.trace(seed).trace == Simulator.trace(seed).trace, "seed \(seed)")
        }
    }

    /// A fault in the decisions that no seed shows would be a hole in the world.
    @Test(arguments: Seeds.faultsShown) func aDeliberateFaultIsFound(_ name: String) {
        let found = (0..<Seeds.most).first { Simulator.run($0, deliberately: name).words != nil }
        #expect(found != nil, "\(name) shows in none of \(Seeds.most) seeds")
    }

    /// Seeds that once failed, each with what was wrong then.
    @Test(arguments: Seeds.once) func aSeedThatOnceFailedGoesThrough(_ seed: UInt64) {
        #expect(Simulator.run(seed).words == nil, "seed \(seed)")
    }
}

enum Seeds {
    static let quick: UInt64 = 2000
    static let most: UInt64 = 10_000
    static let once: [UInt64] = [
        // The end of a stream in a partition whose lines were all written: its offset was never committed.
        138,
        // TERM while the pipe was full: the stream was not closed, and kcat-out ended with 75.
        610, 1692,
        // TERM while the end of the group was being looked for: the stream was closed twice, and kcat-out ended with 65.
        436, 1936,
        // A reader that was stopped between two looks for its topic: it gave up for the time that it had not seen.
        6553,
        // TERM in the middle of a rebalance, and of a line: its rest was written, and its next owner printed it again.
        24684, 169_940,
    ]
    /// All, or those that one of the first few hundred seeds shows.
    static let faultsShown =
        isThorough
        ? Simulator.deliberateFaults
        : [
            "commitsWhatWasRead", "readsBeforeRestored", "endsAtFirstStop", "anyBarrier", "commitsCutInput",
            "commitsUnflushed", "commitsNoOffsets", "noPatience",
        ]
}
