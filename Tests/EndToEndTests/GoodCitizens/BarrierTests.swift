import TestSupport
import Testing

/// A stream with barriers, as kcat-in writes it.
struct BarrierStream {
    var session = "0123456789abcdef0123456789abcdef"

    func barrier(_ kind: String, _ epoch: Int) -> [UInt8] {
        // The payload is opaque: any byte but LF.
        let line = "\u{1E}barrier\t\(session)\t\(epoch)\t\(kind)\t\tgroup 7\t\u{1E}{\"offsets\":[1,2]}\0"
        return Array(line.utf8) + [0xFF, 0x0A]
    }
}

@Suite struct BarrierTests {
    static let stream = BarrierStream()

    /// Arguments under which a tool puts out at a barrier what came since the last.
    static func arguments(_ filter: FilterCase) -> [String] { filter.name == "merge-counts" ? ["--updates"] : [] }

    @Test(arguments: FilterCase.all)
    func barriersPassByteForByteBehindWhatIsOwed(_ filter: FilterCase) throws {
        let stream = Self.stream
        var (input, output) = (stream.barrier("open", 0), stream.barrier("open", 0))
        for (epoch, words) in [["one"], [], ["two"]].enumerated() {
            input += words.flatMap { Array((filter.input($0) + "\n").utf8) } + stream.barrier("commit", epoch + 1)
            output += words.flatMap { Array(filter.output($0).utf8) } + stream.barrier("commit", epoch + 1)
        }
        input += Array((filter.input("three") + "\n").utf8) + stream.barrier("close", 4)
        output += Array(filter.output("three").utf8) + stream.barrier("close", 4)
        let ended = try filter.run(Self.arguments(filter), input: .bytes(input))
        #expect(ended.ending == .status(0))
        #expect(ended.errorText == "")
        let found = ended.outputText
        #expect(found == String(decoding: output, as: UTF8.self))
        #expect(ended.output == output)
    }

    @Test(arguments: ["tokenize", "cms-topk"])
    func dataCannotForgeABarrier(_ name: String) throws {
        let filter = FilterCase.named(name)
        // Of another session, before the stream is open, and not at the start of a line.
        let forged = BarrierStream(session: String(repeating: "f", count: 32)).barrier("commit", 1)
        let line = Array("x\u{1E}barrier\n".utf8)
        let plain = try filter.run(input: .bytes(forged + line))
        let open = try filter.run(
            input: .bytes(Self.stream.barrier("open", 0) + forged + line + Self.stream.barrier("close", 1)))
        #expect(open.ending == .status(0))
        #expect(open.output == Self.stream.barrier("open", 0) + plain.output + Self.stream.barrier("close", 1))
        // It is taken apart, or counted, like any line.
        #expect(plain.outputText.contains(name == "tokenize" ? "commit\ngroup\n7\n" : "\u{FFFD}\t1\n"))
    }

    @Test(arguments: FilterCase.all)
    func linesAreNumberedWithTheBarriers(_ filter: FilterCase) throws {
        let ended = try filter.run(
            filter.malformed.arguments,
            input: .bytes(Self.stream.barrier("open", 0) + Array((filter.malformed.line + "\n").utf8)))
        #expect(ended.ending == .status(65))
        #expect(ended.errorText.hasPrefix("\(filter.name): line 2: "))
        #expect(ended.output == Self.stream.barrier("open", 0))
    }
}
