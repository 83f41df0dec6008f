/// A seeded generator (SplitMix64: Steele, Lea, Flood, OOPSLA 2014, doi:10.1145/2660193.2660195), so that a failing test
/// can be run again.
public struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Runs `body` with each of `count` seeds; what it throws is reported with the seed that led to it.
public func withEverySeed(_ count: UInt64, _ body: (inout SeededGenerator) throws -> Void) throws {
    for seed in 0..<count {
        var generator = SeededGenerator(seed: seed)
        do { try body(&generator) } catch { throw SeedFailure(seed: seed, underlying: error) }
    }
}

public struct SeedFailure: Error, CustomStringConvertible {
    let seed: UInt64
    let underlying: any Error
    public var description: String { "seed \(seed): \(underlying)" }
}
