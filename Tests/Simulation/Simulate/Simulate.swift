import Simulation

/// `simulate --seed N [--trace]` runs one world, `simulate --seeds FROM..TO` many; what is wrong is printed with its seed.
/// `--sabotage all` says for each deliberate fault which seed is the first that shows it.
@main
enum Simulate {
    static let usage =
        "usage: simulate --seed N [--trace] | --seeds FROM..TO [--most FINDINGS]   [--sabotage FAULT|all]\n"

    static func main() {
        var arguments = CommandLine.arguments.dropFirst()
        var (seed, range, isTraced, sabotage, most) = (UInt64?.none, Range<UInt64>?.none, false, String?.none, 5)
        while let argument = arguments.popFirst() {
            switch argument {
            case "--trace": isTraced = true
            case "--seed": seed = arguments.popFirst().flatMap { UInt64($0) }
            case "--sabotage": sabotage = arguments.popFirst()
            case "--most": most = arguments.popFirst().flatMap { Int($0) } ?? 5
            case "--seeds":
                let ends = arguments.popFirst()?.split(separator: ".").compactMap { UInt64($0) } ?? []
                if ends.count == 2, ends[0] < ends[1] { range = ends[0]..<ends[1] }
            default: return print(usage + "faults: \(Simulator.deliberateFaults.joined(separator: " "))")
            }
        }
        if let seed {
            one(seed, isTraced, sabotage)
        } else if let range, sabotage == "all" {
            for fault in Simulator.deliberateFaults {
                let first = range.first { Simulator.run($0, deliberately: fault).words != nil }
                let words = first.flatMap { Simulator.run($0, deliberately: fault).words } ?? "not found"
                print("\(fault): \(first.map { "seed \($0)" } ?? "") \(words)")
            }
        } else if let range {
            many(range, sabotage, most)
        } else {
            print(usage)
        }
    }

    private static func one(_ seed: UInt64, _ isTraced: Bool, _ sabotage: String?) {
        let finding = Simulator.shrink(seed, deliberately: sabotage) ?? Simulator.trace(seed, deliberately: sabotage)
        print(finding)
        if isTraced { for line in finding.trace { print(line) } }
    }

    private static func many(_ seeds: Range<UInt64>, _ sabotage: String?, _ most: Int) {
        var (events, findings) = (0, 0)
        for seed in seeds {
            let result = Simulator.run(seed, deliberately: sabotage)
            events += result.events
            guard let words = result.words else { continue }
            findings += 1
            print("seed \(seed): \(words)")
            if findings == most { return print("\(seed - seeds.lowerBound + 1) seeds, \(findings) findings") }
        }
        print("\(seeds.count) seeds, \(findings) findings, \(events / seeds.count) events a seed")
    }
}
