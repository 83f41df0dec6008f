import Sketches
import TestSupport
import Testing

@Suite struct CountMinSketchTests {
    @Test func itIsTheTextbookSketchBitForBit() throws {
        try withEverySeed(20) { generator in
            let geometry = SketchGeometry(
                rows: .random(in: 1...6, using: &generator), width: 1 << Int.random(in: 0...10, using: &generator))
            let seed = generator.next()
            var sketch = CountMinSketch(geometry, seed: seed)
            var reference = ReferenceSketch(geometry, seed: seed)
            for _ in 0..<500 {
                let key = skewedKey(&generator)
                let count = Int64.random(in: 0...1000, using: &generator)
                try sketch.add(count, hash: key.withUnsafeBytes { CountMinSketch.hash($0, seed: seed) })
                reference.add(key, count)
            }
            for row in 0..<geometry.rows {
                for column in 0..<geometry.width { #expect(sketch[row, column] == reference.cells[row][column]) }
            }
            let key = skewedKey(&generator)
            let hash = key.withUnsafeBytes { CountMinSketch.hash($0, seed: seed) }
            #expect(sketch.estimate(hash: hash) == reference.estimate(key))
        }
    }

    /// Partials are read by other machines and other versions: these numbers must stay.
    @Test func theCellsOfAKeyAreFixed() {
        let reference = ReferenceSketch(SketchGeometry(rows: 4, width: 1 << 20), seed: 0)
        #expect(reference.columns(Array("the".utf8)) == [723_402, 931_740, 299_814, 842_399])
        #expect(reference.columns([]) == [828_653, 377_085, 567_538, 96_490])
        #expect(reference.columns([UInt8](repeating: 0x61, count: 300)) == [98_374, 544_946, 205_061, 844_754])
    }

    @Test func theSketchOfTwoStreamsIsTheSumOfTheirSketches() throws {
        let geometry = SketchGeometry(rows: 3, width: 64)
        var whole = CountMinSketch(geometry, seed: 1)
        var left = CountMinSketch(geometry, seed: 1)
        var right = CountMinSketch(geometry, seed: 1)
        var generator = SeededGenerator(seed: 0)
        for _ in 0..<1000 {
            let (hash, count) = (generator.next(), Int64(generator.next() % 100))
            try whole.add(count, hash: hash)
            if generator.next() % 2 == 0 { try left.add(count, hash: hash) } else { try right.add(count, hash: hash) }
        }
        try left.add(right)
        for row in 0..<3 { for column in 0..<64 { #expect(left[row, column] == whole[row, column]) } }
    }

    @Test func aCellNeverWraps() throws {
        var sketch = CountMinSketch(SketchGeometry(rows: 2, width: 4), seed: 0)
        try sketch.add(.max, hash: 7)
        #expect(throws: CountOverflow()) { try sketch.add(1, hash: 7) }
        var cell = CountMinSketch(SketchGeometry(rows: 2, width: 4), seed: 0)
        try cell.add(.max, row: 1, column: 3)
        #expect(throws: CountOverflow()) { try cell.add(1, row: 1, column: 3) }
        #expect(cell[1, 3] == .max)
        var other = CountMinSketch(SketchGeometry(rows: 2, width: 4), seed: 0)
        try other.add(1, row: 1, column: 3)
        #expect(throws: CountOverflow()) { try other.add(cell) }
    }

    @Test func theShapeFollowsTheErrorsAskedFor() {
        let asked = SketchGeometry(bytes: 0, epsilon: 0.001, delta: 0.01)
        #expect(asked == SketchGeometry(rows: 5, width: 4096))
        #expect(asked!.epsilon <= 0.001 && asked!.delta <= 0.01)
        #expect(SketchGeometry(bytes: 8 << 20) == SketchGeometry(rows: 4, width: 1 << 18))
        #expect(SketchGeometry(bytes: 8 << 20, delta: 0.3) == SketchGeometry(rows: 2, width: 1 << 19))
        #expect(SketchGeometry(bytes: 0, epsilon: 0.5) == SketchGeometry(rows: 4, width: 8))
        #expect(SketchGeometry(bytes: 0, epsilon: 1e-300) == nil)
        #expect(SketchGeometry(bytes: 0, epsilon: 0.1, delta: 1e-300) == nil)
        #expect(SketchGeometry(bytes: 31) == nil)
        #expect(SketchGeometry(bytes: 32) == SketchGeometry(rows: 4, width: 1))
    }
}
