import Glibc
import TestSupport
import Testing

extension ClusterTests.AddedPartitionsTests {
    /// A writer that is there when its topic grows from one partition to four.
    private func grow(_ arguments: [String], lines: (Int) -> String) throws -> (Ended, [String]) {
        let topic = try Topic()
        let (out, feed) = try topic.startFedOut(arguments + Self.curious)
        try write(Array((lines(0) + "\n").utf8), to: feed)
        #expect(try eventually { try topic.lines().count == 1 })
        try topic.grow(to: 4)
        // It looks every half second, when lines come.
        for number in 1...400 where out.isRunning {
            try? write(Array((lines(number) + "\n").utf8), to: feed)
            usleep(10_000)
        }
        close(feed)
        return (try out.wait(), try topic.lines(["--with", "partition"]))
    }

    @Test(arguments: [[], ["--pack", "1K"], ["--header", "a=b"]])
    func aWriterUsesThemForLinesWithoutAKey(_ way: [String]) throws {
        let (ended, lines) = try grow(way + ["--on-new-partitions", "end"]) { "\($0)" }
        #expect(ended.ending == .status(0) && ended.errorText == "", "\(ended.errorText)")
        #expect(lines.count == 401)
        #expect(Set(lines.map { $0.prefix(1) }).count > 1)
    }

    @Test(arguments: [[], ["--pack", "1K"], ["--header", "a=b"]])
    func aWriterSaysFromWhichLineOnKeysMove(_ way: [String]) throws {
        let (ended, lines) = try grow(way + ["-k", "1"]) { "k\($0 % 50)\t\($0)" }
        #expect(ended.ending == .status(0))
        #expect(ended.errorText.hasPrefix("kcat-out: topic \"test-"), "\(ended.errorText)")
        let words = ended.errorText.split(separator: " ")
        let place = try #require(words.firstIndex(of: "line"))
        let first = try #require(Int(words[place + 1]))
        #expect(words[(place - 5)..<place].joined(separator: " ") == "partitions now, not 1: from")
        // Before it all went to the one; from it on a key goes to one partition.
        var places: [Substring: Set<Substring>] = [:]
        for line in lines {
            let parts = line.split(separator: "\t")
            if try #require(Int(parts[2])) < first - 1 {
                #expect(parts[0] == "0")
            } else {
                places[parts[1], default: []].insert(parts[0])
            }
        }
        #expect(lines.count == 401)
        #expect(places.values.allSatisfy { $0.count == 1 } && Set(places.values).count > 1)
    }

    @Test func aWriterEndsWhereItsKeysWouldMove() throws {
        let (ended, lines) = try grow(["-k", "1", "--on-new-partitions", "end"]) { "k\($0 % 50)\t\($0)" }
        #expect(ended.ending == .status(78))
        #expect(
            ended.errorText.hasSuffix("has 4 partitions now, not 1: keys would go to others\n"), "\(ended.errorText)")
        #expect(lines.allSatisfy { $0.hasPrefix("0\t") } && !lines.isEmpty && lines.count < 401)
    }
}
