import Bytes
import Filters
import TestSupport

/// Runs cms-topk in memory.
func topK(
    _ input: String, reads: [Int] = [1 << 16], rejecting: Bool = false,
    _ change: (inout TopKSettings) -> Void = { _ in }
) throws -> Written {
    try topK(Array(input.utf8), reads: reads, rejecting: rejecting, change)
}

func topK(
    _ input: [UInt8], reads: [Int] = [1 << 16], rejecting: Bool = false,
    _ change: (inout TopKSettings) -> Void = { _ in }
) throws -> Written {
    var settings = TopKSettings()
    change(&settings)
    return try run(try TopK(settings), input, reads: reads, rejecting: rejecting)
}

extension Written {
    /// A fact of the summary.
    func fact(_ name: String) -> Summary.Value? { summary.facts.first { $0.name == name }?.value }
    var answer: Summary.Value? { fact("answer") }
}

/// What summing by key makes of count lines, by the plainest means: the merge that partials are for.
func summed(_ inputs: [[UInt8]]) -> [UInt8] {
    var sums: [[UInt8]: Int64] = [:]
    for line in Array(inputs.joined()).split(separator: 0x0A, omittingEmptySubsequences: true) {
        let tab = line.lastIndex(of: 0x09)!
        sums[Array(line[..<tab]), default: 0] += Int64(String(decoding: line[(tab + 1)...], as: UTF8.self))!
    }
    return sums.flatMap { $0 + [0x09] + Array(String($1).utf8) + [0x0A] }
}

/// Like words: few keys are frequent, most are rare.
func skewedKey(_ generator: inout SeededGenerator, bits: UInt64 = 16) -> [UInt8] {
    let range = UInt64(1) << UInt64.random(in: 0...bits, using: &generator)
    let number = UInt64.random(in: 0..<range, using: &generator)
    return Array(String(number).utf8) + (number % 16 == 3 ? Array(" with a tail that makes it long".utf8) : [])
}

func lines(_ keys: [[UInt8]]) -> [UInt8] { keys.flatMap { $0 + [0x0A] } }
