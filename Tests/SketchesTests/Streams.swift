import Sketches
import TestSupport

/// Keys with counts, as a stream of single additions.
typealias Stream = [(key: [UInt8], count: Int64)]

/// Skewed like words: the keys of 2ⁿ ranks are about as frequent together as those of 2ⁿ⁺¹.
func skewedKey(_ generator: inout SeededGenerator, bits: Int = 16) -> [UInt8] {
    let range = UInt64(1) << UInt64.random(in: 0...UInt64(bits), using: &generator)
    return key(UInt64.random(in: 0..<range, using: &generator))
}

/// A key for a number; every eighth one is too long for a slot, and one in 4,096 fills pages.
func key(_ number: UInt64) -> [UInt8] {
    let digits = Array(String(number).utf8)
    if number % 4096 == 4095 { return digits + [UInt8](repeating: 0, count: 5000) }
    return number % 8 == 7 ? digits + Array(" is the number of this long key".utf8) : digits
}

func lines(_ keys: [[UInt8]]) -> [UInt8] { Array(keys.joined(separator: [0x0A])) + (keys.isEmpty ? [] : [0x0A]) }

func trueCounts(_ keys: [[UInt8]]) -> [[UInt8]: Int64] {
    keys.reduce(into: [:]) { $0[$1, default: 0] += 1 }
}

func plan(_ memory: Int) -> MemoryPlan {
    MemoryPlan(total: memory, geometry: SketchGeometry(bytes: memory / 8)!)!
}

/// The textbook count-min sketch, without thought for speed.
struct ReferenceSketch {
    let geometry: SketchGeometry
    let seed: UInt64
    var cells: [[Int64]]
    let factors: [(UInt64, UInt64)]

    init(_ geometry: SketchGeometry, seed: UInt64) {
        self.geometry = geometry
        self.seed = seed
        cells = Array(repeating: Array(repeating: 0, count: geometry.width), count: geometry.rows)
        var numbers = SeededGenerator(seed: 0)
        factors = (0..<geometry.rows).map { _ in
            let a = numbers.next() | 1
            return (a, numbers.next())
        }
    }

    func columns(_ key: [UInt8]) -> [Int] {
        let hash = key.withUnsafeBytes { CountMinSketch.hash($0, seed: seed) }
        let bits = geometry.width.trailingZeroBitCount
        return factors.map { a, b in bits == 0 ? 0 : Int((a &* hash &+ b) >> UInt64(64 - bits)) }
    }

    mutating func add(_ key: [UInt8], _ count: Int64) {
        for (row, column) in columns(key).enumerated() { cells[row][column] += count }
    }

    func estimate(_ key: [UInt8]) -> Int64 {
        columns(key).enumerated().map { row, column in cells[row][column] }.min()!
    }
}

struct Ranked: Equatable {
    let key: [UInt8]
    let low: Int64
    let high: Int64
}

extension HeavyHitters {
    /// The list, copied out.
    mutating func ranked(top: Int?) throws -> (ranking: Ranking, entries: [Ranked]) {
        let ranking = try rank(top: top)
        var entries: [Ranked] = []
        for index in 0..<ranking.count {
            let entry = entry(index, of: ranking)
            entries.append(Ranked(key: Array(entry.key), low: entry.low, high: entry.high))
        }
        return (ranking, entries)
    }

    mutating func count(_ keys: [[UInt8]]) throws { try lines(keys).withUnsafeBytes { try count($0) } }

    /// One by one, each settled at once.
    mutating func countSlowly(_ keys: [[UInt8]]) throws {
        for key in keys {
            try key.withUnsafeBytes { try stage($0, count: 1, line: 1, readable: $0.count) }
            try settle()
        }
    }
}
