import TestSupport
import Testing

/// Malformed lines: the first one ends the tool, or all are put aside; none is lost.
@Suite struct MalformedLineTests {
    @Test(arguments: FilterCase.all)
    func theFirstOneEndsTheToolWithItsNumber(_ filter: FilterCase) throws {
        let good = try Self.good(filter)
        let ended = try filter.run(
            filter.malformed.arguments, input: .text("\(good)\n\(filter.malformed.line)\n\(good)\n"))
        #expect(ended.ending == .status(65))
        #expect(ended.errorText.hasPrefix("\(filter.name): line 2: \(filter.malformed.reason)"))
        #expect(ended.errorText.split(separator: "\n").count == 1)
    }

    @Test(arguments: FilterCase.all)
    func withRejectNothingIsLost(_ filter: FilterCase) throws {
        let (good, bad) = (try Self.good(filter), filter.malformed.line)
        let folder = try TemporaryFolder()
        let lines = (1...1000).map { $0 % 3 == 0 ? bad : good }
        let ended = try filter.run(
            filter.malformed.arguments + ["--summary", "--reject", folder.file("rejects")],
            input: .text(lines.joined(separator: "\n") + "\n"))
        #expect(ended.ending == .status(0))
        #expect(ended.errorText.contains("\"read\":1000,"))
        #expect(ended.errorText.contains("\"rejected\":333,"))

        let rejects = String(decoding: try contents(of: folder.file("rejects")), as: UTF8.self).split(separator: "\n")
        #expect(rejects.count == 333)
        for (index, line) in rejects.enumerated() {
            #expect(line.hasPrefix("line \(3 * index + 3): \(filter.malformed.reason)"))
            #expect(line.hasSuffix("\t\(bad)"))
        }

        // What is accepted is put out as if the rest had not been there.
        let alone = try filter.run(
            filter.malformed.arguments, input: .text(lines.filter { $0 == good }.joined(separator: "\n") + "\n"))
        #expect(ended.output == alone.output)
        #expect(!ended.output.isEmpty)
    }

    /// A line that the tool does take with the arguments under which the other is malformed.
    private static func good(_ filter: FilterCase) throws -> String {
        switch filter.name {
        case "tokenize": "one\ttwo\tthree"
        case "cms-topk", "merge-counts", "to-json": "word\t12"
        default: filter.input("word")
        }
    }

    @Test(arguments: [
        (["9223372036854775807"], "9223372036854775807"),
        (["-9223372036854775808"], "-9223372036854775808"),
        (["9223372036854775807", "-9223372036854775808"], "-1"),
        (["9223372036854775806", "1"], "9223372036854775807"),
        (["-9223372036854775807", "-1"], "-9223372036854775808"),
    ])
    func sumsReachTheEdgesOf64Bits(_ counts: [String], _ sum: String) throws {
        let ended = try FilterCase.named("merge-counts").run(input: .text(counts.map { "key\t\($0)\n" }.joined()))
        #expect(ended.ending == .status(0))
        #expect(ended.outputText == "key\t\(sum)\n")
    }

    @Test(arguments: ["merge-counts", "cms-topk"])
    func aSumPastTheEdgeIsAnErrorAndNeverWraps(_ name: String) throws {
        let arguments = name == "cms-topk" ? ["--counts"] : []
        let input = "key\t9223372036854775807\nkey\t1\n"
        let ended = try FilterCase.named(name).run(arguments, input: .text(input))
        #expect(ended.ending == .status(65))
        #expect(ended.errorText.hasPrefix("\(name): line 2: "))
        #expect(ended.outputText == "")
    }

    @Test(
        arguments: ["merge-counts", "cms-topk"],
        ["9223372036854775808", "99999999999999999999", "+1", "", "-", "0x1", "1 "])
    func aCountPast64BitsIsMalformed(_ name: String, _ count: String) throws {
        let arguments = name == "cms-topk" ? ["--counts"] : []
        let ended = try FilterCase.named(name).run(arguments, input: .text("key\t\(count)\n"))
        #expect(ended.ending == .status(65))
        #expect(ended.errorText.hasPrefix("\(name): line 1: "))
    }
}
