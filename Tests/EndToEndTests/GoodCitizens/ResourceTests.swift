import TestSupport
import Testing

/// What a tool needs: time to start, memory, libraries.
@Suite(.serialized) struct ResourceTests {
    @Test(arguments: FilterCase.all)
    func startToExitTakesTenMilliseconds(_ filter: FilterCase) throws {
        // The best of many: other tests run at the same time, and the tool is not slower for it. bin/bench takes the median.
        var (best, runs) = (Double.infinity, 0)
        while best >= 0.010, runs < 250 {
            best = min(best, try filter.run(input: .nothing).seconds)
            runs += 1
        }
        #expect(best < 0.010, "of \(runs) runs")
    }

    @Test(arguments: FilterCase.all.filter { $0.name != "merge-counts" })
    func memoryDoesNotGrowWithTheInput(_ filter: FilterCase) throws {
        let line = filter.input("the quick brown fox jumps over the lazy dog")
        let small = try peakMegabytes("yes '\(line)' | head -c 4M | head -n -1 | \(filter.shell())")
        let large = try peakMegabytes("yes '\(line)' | head -c 200M | head -n -1 | \(filter.shell())")
        #expect(large < small + 4)
    }

    @Test func distinctKeysDoNotGrowTheSketchPastItsMemory() throws {
        let peak = try peakMegabytes("seq 3000000 | cms-topk --memory 8M")
        #expect(peak < 8 + 16)
    }

    /// Of numbers, which take the most where a whole line is parsed; the array is asked for, or not.
    @Test(arguments: ["a", "--strict a", "m", "--strict m", "--strict --reject /dev/null n"])
    func aLongLineOfJSONTakesItsBytesAndThoseThatComeOut(_ arguments: String) throws {
        let line = #"printf '{"m":['; yes '1,2,3,' | head -c 32M | tr -d '\n'; printf '4],"a":5,"n":01}\n'"#
        let good = arguments.hasSuffix("n") ? line : line.replacing(#","n":01"#, with: "")
        let peak = try peakMegabytes("{ \(good); } | from-json \(arguments)")
        #expect(peak < 16 + (arguments.hasSuffix("m") ? 2 : 1) * 32)
    }

    @Test(arguments: FilterCase.all)
    func nothingOfSwiftIsLinkedAtRunTimeAndNoFoundationAtAll(_ filter: FilterCase) throws {
        let libraries = try bash("ldd \(filter.path)")
        #expect(libraries.ending == .status(0))
        #expect(!libraries.outputText.contains("swift"), "built without bin/build?")
        #expect(try bash("grep -a -c -E 'FoundationEssentials|libFoundation' \(filter.path)").outputText == "0\n")
    }

    /// The peak resident set of the last command of a pipeline, measured by time(1), which forks while it is small: a
    /// process that is started straight from here would begin with the peak of the tests.
    private func peakMegabytes(_ pipeline: String) throws -> Double {
        let parts = pipeline.split(separator: "|")
        let feed = parts.dropLast().joined(separator: "|")
        let folder = try TemporaryFolder()
        let ended = try bash(
            "\(feed) | command time --format %M --output \(folder.file("peak")) \(parts.last ?? "") >/dev/null")
        #expect(ended.ending == .status(0))
        let text =
            String(decoding: try contents(of: folder.file("peak")), as: UTF8.self).split(separator: "\n").last ?? ""
        return Double(text).map { $0 / 1024 } ?? .infinity
    }
}
