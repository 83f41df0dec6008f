import Glibc
import TestSupport
import Testing

extension Topic {
    /// Sets `name=value` of the topic.
    fileprivate func set(_ settings: String...) throws {
        try python(
            """
            import sys
            from confluent_kafka.admin import *
            client = AdminClient({'bootstrap.servers': sys.argv[1]})
            entries = [ConfigEntry(*setting.split('=', 1), incremental_operation=AlterConfigOpType.SET)
                       for setting in sys.argv[3].split()]
            resource = ConfigResource(ResourceType.TOPIC, sys.argv[2], incremental_configs=entries)
            for future in client.incremental_alter_configs([resource]).values(): future.result()
            """, settings.joined(separator: " "))
    }
}

extension ClusterTests {
    /// Topics that do not take all. Brokers hold whole batches against what a topic takes.
    @Suite struct RefusalTests {
        /// One a kilobyte; some of a hundred, where asked for.
        private static func lines(_ count: Int, long: Set<Int> = []) -> [String] {
            (1...count).map { "\($0)\t" + String(repeating: "x", count: long.contains($0) ? 100_000 : 1000) }
        }

        /// The numbers in front of the lines of a reject file, and of the lines themselves.
        private static func rejected(_ file: String) throws -> [(said: Int?, true: Int?)] {
            String(decoding: try contents(of: file), as: UTF8.self).split(separator: "\n").map { line in
                let parts = line.split(separator: "\t")
                return (Int(parts[0].dropFirst(5).prefix { $0.isNumber }), parts.count > 1 ? Int(parts[1]) : nil)
            }
        }

        static let ways = [[], ["--pack", "32K"], ["-k", "1"], ["-k", "1", "--pack", "32K"], ["--header", "a=b"]]

        @Test(arguments: ways, [[], ["-X", "batch.size=1000000"]])
        func everyLineThatFitsIsDeliveredInOrder(_ way: [String], _ more: [String]) throws {
            let topic = try Topic()
            try topic.set("max.message.bytes=65536")
            let lines = Self.lines(5000)
            let ended = try topic.out(way + more, input: .text(lines.joined(separator: "\n")))
            #expect(ended.ending == .status(0), "\(ended.errorText)")
            expectSame(
                Array(try topic.lines().joined(separator: "\n").utf8), Array(lines.joined(separator: "\n").utf8),
                "lines")
        }

        @Test(arguments: ways) func onlyALineThatIsTooLargeAloneIsPutAside(_ way: [String]) throws {
            let (topic, folder) = (try Topic(partitions: 3), try TemporaryFolder())
            try topic.set("max.message.bytes=65536")
            let long: Set = [1, 1000, 1001, 5000]
            let lines = Self.lines(5000, long: long)
            let ended = try topic.out(
                way + ["--reject", folder.file("aside"), "--summary"], input: .text(lines.joined(separator: "\n")))
            #expect(ended.ending == .status(0), "\(ended.errorText)")
            #expect(ended.fact("delivered") == 4996)
            let aside = try Self.rejected(folder.file("aside"))
            #expect(aside.allSatisfy { $0.said == $0.true })
            #expect(Set(aside.compactMap(\.said)) == long && aside.count == 4)
            let back = try topic.lines(["--with", "partition"]).compactMap { line -> [Int]? in
                let parts = line.split(separator: "\t").prefix(2).compactMap { Int($0) }
                return parts.count == 2 ? parts : nil
            }
            #expect(back.map { $0[1] }.sorted() == (1...5000).filter { !long.contains($0) })
            for partition in 0..<3 {
                let numbers = back.filter { $0[0] == partition }.map { $0[1] }
                #expect(numbers == numbers.sorted())
            }
        }

        @Test(arguments: ways) func theLineThatIsTooLargeIsNamed(_ way: [String]) throws {
            let topic = try Topic()
            try topic.set("max.message.bytes=65536")
            let ended = try topic.out(way, input: .text(Self.lines(100, long: [70]).joined(separator: "\n")))
            #expect(ended.ending == .status(65))
            #expect(ended.errorText.hasPrefix("kcat-out: line 70: not delivered: Broker: Message size too large"))
            #expect(try topic.lines().count >= 69)
        }

        @Test(arguments: ways) func aTransactionIsNotBegunWithALineThatIsTooLarge(_ way: [String]) throws {
            let (topic, folder) = (try Topic(), try TemporaryFolder())
            try topic.set("max.message.bytes=65536")
            let text = Self.lines(2000, long: [1000]).joined(separator: "\n")
            let way = way + ["--transactional-id", topic.name]
            let start = monotonicSeconds()
            let refused = try topic.out(way, input: .text(text))
            #expect(refused.ending == .status(65))
            #expect(
                refused.errorText == "kcat-out: line 1000: cannot be delivered: Broker: Message size too large\n")
            #expect(monotonicSeconds() - start < 15)
            #expect(try topic.lines() == [])
            let ended = try topic.out(way + ["--reject", folder.file("aside")], input: .text(text))
            #expect(ended.ending == .status(0), "\(ended.errorText)")
            #expect(try Self.rejected(folder.file("aside")).map(\.said) == [1000])
            #expect(try topic.lines().count == 1999)
        }

        @Test func exactlyOncePutsTheLineAsideAndGoesOn() throws {
            let (from, to, folder) = (try Topic(), try Topic(), try TemporaryFolder())
            try to.set("max.message.bytes=65536")
            try from.fill(Self.lines(2000, long: [700, 1400]).joined(separator: "\n"))
            let stage = try Stage(
                Stage.Plan(
                    from: from, to: to, filter: ["/bin/cat"], reader: ["--until-end", "--epoch", "100ms"],
                    writer: ["--reject", folder.file("aside")]))
            let outcome = try stage.wait()
            #expect(outcome.isGood, "\(outcome)")
            #expect(try Self.rejected(folder.file("aside")).map(\.true) == [700, 1400])
            #expect(try to.lines().count == 1998)
        }

        /// Where the topic's limit falls under an open transaction, it comes to nothing, at once, and can be tried again.
        @Test func aTransactionThatALowerLimitMeetsCanBeTriedAgain() throws {
            let topic = try Topic()
            let (out, feed) = try topic.startFedOut(["--transactional-id", topic.name])
            try write(Array("a line\n".utf8), to: feed)
            #expect(eventually { unreadBytes(in: feed) == 0 })
            try topic.set("max.message.bytes=500")
            let start = monotonicSeconds()
            try write(Array((Self.lines(1)[0] + "\n").utf8), to: feed)
            close(feed)
            let ended = try out.wait()
            #expect(ended.ending == .status(75))
            #expect(
                ended.errorText.hasPrefix(
                    "kcat-out: line 2: the broker refuses the batch that begins here: Broker: Message size too large"),
                "\(ended.errorText)")
            #expect(monotonicSeconds() - start < 15)
            #expect(try topic.lines() == [])
        }

        @Test(arguments: [[], ["--transactional-id", "times"]]) func timesAreRefusedLineByLine(_ way: [String]) throws {
            let (topic, folder) = (try Topic(), try TemporaryFolder())
            let now = time(nil) * 1000
            let lines = (1...2000).map { "\($0)\t\($0 % 300 == 7 ? now * 1000 : now)" }
            let ended = try topic.out(
                way + ["--timestamp-field", "2", "--reject", folder.file("aside")],
                input: .text(lines.joined(separator: "\n")))
            #expect(ended.ending == .status(0), "\(ended.errorText)")
            #expect(
                try Self.rejected(folder.file("aside")).map(\.said) == Array(stride(from: 7, through: 2000, by: 300)))
            #expect(try topic.lines().count == 1993)
        }

        /// What is known of a line's size before it enters a transaction is what the broker counts.
        @Test func theLimitIsKeptToTheByte() throws {
            let topic = try Topic()
            for (limit, status) in [(1070, Ending.status(0)), (1069, .status(65))] {
                try topic.set("max.message.bytes=\(limit)")
                let line = String(repeating: "x", count: 1000)
                #expect(try topic.out(input: .text(line)).ending == status)
                #expect(try topic.out(["--transactional-id", topic.name], input: .text(line)).ending == status)
            }
            #expect(try topic.lines().count == 2)
        }

        /// More of them: bin/broker --kafka DIR run Tests/Kafka/refusals --seeds A..B
        @Test func whateverChangesMeanwhileEachLineIsDeliveredOrPutAside() throws {
            let ended = try run(
                ["\(Repository.root)/Tests/Kafka/refusals", "--seeds", "0..12"],
                environment: Repository.environment.merging([
                    "KAFKA_BROKERS": environmentVariable("BROKER_FOR_TESTS") ?? ""
                ]) { $1 }, deadline: 300)
            #expect(ended.ending == .status(0), "\(ended.outputText)")
        }
    }
}
