import Glibc
import TestSupport
import Testing

extension ClusterTests {
    /// Partitions that are added while programs run.
    @Suite struct AddedPartitionsTests {
        /// They look at the number of partitions every half second.
        static let curious = ["-X", "topic.metadata.refresh.interval.ms=500"]

        @Test(arguments: [[], ["-g", "g"]])
        func aReaderTakesThemUp(_ group: [String]) throws {
            let (topic, folder) = (try Topic(), try TemporaryFolder())
            let reader = try topic.startIn(group + Self.curious, output: .file(folder.file("lines")))
            try topic.fill("old\n")
            func has(_ line: String) throws -> Bool {
                try String(decoding: contents(of: folder.file("lines")), as: UTF8.self).contains("\(line)\n")
            }
            #expect(try eventually { try has("old") })
            try topic.grow(to: 3)
            for partition in 1...2 { try topic.fill("new \(partition)\n", ["-p", "\(partition)"]) }
            #expect(try eventually(seconds: 30) { try has("new 1") && has("new 2") })
            reader.send(SIGTERM)
            #expect(try reader.wait(deadline: 20).ending == .signal(SIGTERM))
        }

        /// Its end is that of the partitions that there were.
        @Test func aReaderToTheEndOutlivesThem() throws {
            let topic = try Topic(partitions: 2)
            let padding = String(repeating: "x", count: 100)
            for partition in 0...1 {
                try topic.fill((0..<5000).map { "\($0) \(padding)\n" }.joined(), ["-p", "\(partition)"])
            }
            let (reading, writing) = try makePipe()
            let reader = try topic.startIn(
                ["-g", "g", "--until-end"] + quick + Self.curious, output: .descriptor(writing))
            close(writing)
            #expect(isReadable(reading, seconds: 20))
            try topic.grow(to: 4)
            // It is dealt them while its output takes nothing, or is dead by then.
            #expect(try eventually { try isDealt(topic, "g", 4) || !reader.isRunning })
            var (lines, piece) = (0, [UInt8](repeating: 0, count: 1 << 16))
            while case let count = read(reading, &piece, piece.count), count > 0 {
                lines += piece[..<count].count { $0 == 0x0A }
            }
            close(reading)
            let ended = try reader.wait(deadline: 30)
            #expect(ended.ending == .status(0), "\(ended.errorText)")
            // With so short a max.poll.interval.ms the line that was half written may come twice.
            #expect((10_000...10_001).contains(lines), "\(lines)")
        }

        /// Whether the members of a group have so many partitions.
        private func isDealt(_ topic: Topic, _ group: String, _ count: Int) throws -> Bool {
            try run([
                "\(Repository.root)/.venv-broker/bin/python", "-c",
                """
                import sys
                from confluent_kafka.admin import AdminClient
                admin = AdminClient({'bootstrap.servers': sys.argv[1]})
                group = admin.describe_consumer_groups([sys.argv[2]])[sys.argv[2]].result()
                dealt = sum(len(member.assignment.topic_partitions) for member in group.members)
                sys.exit(0 if dealt >= int(sys.argv[3]) else 1)
                """, topic.brokers, group, "\(count)",
            ]).ending == .status(0)
        }

        @Test(arguments: [[], ["-g", "g"]])
        func theEndOfTheStreamIsThatOfAllPartitions(_ group: [String]) throws {
            let topic = try Topic()
            let reader = try topic.startIn(["--until-eof"] + group + Self.curious)
            try topic.fill("old\n")
            try topic.grow(to: 2)
            let out = try topic.out(["-k", "1", "--eof"], input: .text(InTests.numbered(1...1000)))
            #expect(out.ending == .status(0), "\(out.errorText)")
            let ended = try reader.wait(deadline: 40)
            #expect(ended.ending == .status(0), "\(ended.errorText)")
            #expect(ended.outputText.split(separator: "\n").count == 1001)
        }

        @Test(arguments: [[], ["-g", "g"]])
        func aWriterThatBeganBeforeEndsTheStreamInAllOfThem(_ group: [String]) throws {
            let topic = try Topic()
            let (out, feed) = try topic.startFedOut(["--eof"] + Self.curious)
            try write(Array("1\n".utf8), to: feed)
            #expect(try eventually { try topic.lines() == ["1"] })
            try topic.grow(to: 2)
            close(feed)
            let written = try out.wait()
            #expect(written.ending == .status(0), "\(written.errorText)")
            let ended = try topic.in(["--until-eof"] + group, deadline: 20)
            #expect(ended.ending == .status(0), "\(ended.errorText)")
            #expect(ended.outputText == "1\n")
        }

        /// State belongs to its partition's number: a stage that restores cannot go on with others, and says so.
        @Test func aStageWithStateSaysThatItsTopicsDoNotFitAnyMore() throws {
            let (counts, totals) = (try Topic(partitions: 2), try Topic(partitions: 2))
            let stage = try Stage(
                Stage.Plan(
                    from: counts, to: totals, filter: [Repository.tool("merge-counts"), "--updates"],
                    reader: ["--restore", totals.name] + Self.curious, writer: ["-k", "1"]))
            try counts.fill("a\t1\nb\t2\n", ["-k", "1"])
            #expect(try totals.growsBeyond(1))
            try counts.grow(to: 4)
            try counts.fill((0..<100).map { "key \($0)\t1\n" }.joined(), ["-k", "1"])
            let outcome = try stage.wait(deadline: 30)
            #expect(outcome.reader.ending == .status(78), "\(outcome)")
            #expect(outcome.reader.errorText.contains("has 2 partitions and \"\(counts.name)\" 4"), "\(outcome)")
        }
    }
}
