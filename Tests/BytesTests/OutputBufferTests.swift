import Bytes
import TestSupport
import Testing

final class Pieces {
    var pieces: [[UInt8]] = []
    var bytes: [UInt8] { pieces.flatMap { $0 } }
    func take(_ bytes: UnsafeRawBufferPointer) { pieces.append(Array(bytes)) }
}

@Suite struct OutputBufferTests {
    @Test func whatIsAppendedComesOutInOrderWhateverTheCapacity() throws {
        try withEverySeed(200) { random in
            let drained = Pieces()
            var expected: [UInt8] = []
            var buffer = OutputBuffer(capacity: Int.random(in: 1...100, using: &random), drain: drained.take)
            for _ in 0..<Int.random(in: 0...40, using: &random) {
                switch Int.random(in: 0...6, using: &random) {
                case 0:
                    buffer.append(0x41)
                    expected.append(0x41)
                case 1:
                    let bytes = (0..<Int.random(in: 0...150, using: &random)).map { UInt8(truncatingIfNeeded: $0) }
                    bytes.withUnsafeBytes { buffer.append($0) }
                    expected += bytes
                case 2:
                    buffer.append("static" as StaticString)
                    expected += Array("static".utf8)
                case 3:
                    let number = Int64.random(in: .min ... .max, using: &random)
                    buffer.append(decimal: number)
                    expected += Array(String(number).utf8)
                case 4:
                    let count = Int.random(in: 0...120, using: &random)
                    let target = buffer.reserve(count + 5)
                    for at in 0..<count { target[at] = 0x42 }
                    buffer.commit(count)
                    expected += [UInt8](repeating: 0x42, count: count)
                case 5: buffer.flush()
                default:
                    buffer.append(String("größer"))
                    expected += Array("größer".utf8)
                }
            }
            buffer.flush()
            try #require(drained.bytes == expected)
            let isEmpty = buffer.isEmpty  // the macro cannot look into a type without copies
            try #require(isEmpty)
            try #require(!drained.pieces.contains { $0.isEmpty })
        }
    }

    @Test func smallPiecesAreCollected() {
        let drained = Pieces()
        var buffer = OutputBuffer(capacity: 1000, drain: drained.take)
        for _ in 0..<1000 { buffer.append(0x41) }
        #expect(drained.pieces.isEmpty)
        buffer.append(0x41)
        #expect(drained.pieces.map(\.count) == [1000])
    }
}

@Suite struct OutputTests {
    struct TooShort: LineProblem {
        var description: String { "too short" }
    }

    @Test func withoutAPlaceForThemTheFirstMalformedLineIsThrown() {
        var output = Output(lines: OutputBuffer { _ in })
        var thrown: MalformedLine<TooShort>?
        do throws(MalformedLine<TooShort>) {
            try output.reject(UnsafeRawBufferPointer(start: nil, count: 0), number: 7, TooShort())
        } catch {
            thrown = error
        }
        #expect(thrown == MalformedLine(number: 7, problem: TooShort()))
        #expect(thrown?.description == "line 7: too short")
        let count = output.rejectedLines
        #expect(count == 0)
    }

    @Test func rejectedAndLateLinesAreKeptAndCounted() throws {
        let (lines, rejects, late) = (Pieces(), Pieces(), Pieces())
        var output = Output(
            lines: OutputBuffer(drain: lines.take), rejects: OutputBuffer(drain: rejects.take),
            late: OutputBuffer(drain: late.take))
        var wasPending = [output.isPending]
        try Array("a\tb".utf8).withUnsafeBytes { try output.reject($0, number: 3, TooShort()) }
        Array("late".utf8).withUnsafeBytes { output.setAside(late: $0) }
        wasPending.append(output.isPending)
        output.flush()
        wasPending.append(output.isPending)
        #expect(wasPending == [false, true, false])
        #expect(rejects.bytes == Array("line 3: too short\ta\tb\n".utf8))
        #expect(late.bytes == Array("late\n".utf8))
        let counts = [output.rejectedLines, output.lateLines]
        #expect(counts == [1, 1])
        #expect(lines.pieces.isEmpty)
    }
}
