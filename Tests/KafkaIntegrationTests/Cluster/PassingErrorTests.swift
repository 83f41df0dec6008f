import Glibc
import TestSupport
import Testing

extension ClusterTests {
    /// An ordinary day of a cluster ends nobody: what passes is waited out.
    @Suite struct PassingErrorTests {
        /// Broker 3 has slept, and learns of the topic a moment after it is asked.
        @Test(arguments: ["kcat-in", "kcat-out"])
        func aTopicThatNotEveryBrokerKnowsYetIsWaitedFor(_ tool: String) throws {
            let cluster = try Cluster.shared()
            for turn in 1...5 {
                let topic = try Topic(missingOn: cluster.address(1))
                let late = try Topic(topic.name, on: cluster.address(3))
                try cluster.order("freeze", "3")
                let made = try topic.out(["--create", "4"], input: .nothing)
                let program =
                    tool == "kcat-in" ? try late.startIn(["--until-end"]) : try late.startOut(input: .text("a\n"))
                try cluster.order("thaw", "3")
                #expect(made.ending == .status(0), "turn \(turn): \(made.errorText)")
                let ended = try program.wait(deadline: 40)
                #expect(ended.ending == .status(0), "turn \(turn): \(ended.errorText)")
            }
        }

        /// The topic is asked for at all brokers, one of which has slept.
        @Test func aTopicIsMadeWhileABrokerSleeps() throws {
            let cluster = try Cluster.shared()
            for turn in 1...5 {
                let topic = try Topic(missingOn: nil)
                try cluster.order("freeze", "\(turn % 3 + 1)")
                let made = try topic.startOut(["--create", "4"], input: .text("a\n"))
                usleep(500_000)
                try cluster.order("thaw", "\(turn % 3 + 1)")
                let ended = try made.wait(deadline: 40)
                #expect(ended.ending == .status(0), "turn \(turn): \(ended.errorText)")
            }
        }

        /// Each broker in turn is restarted, while readers and writers begin and end.
        @Test func whoBeginsDuringARollingRestartEndsWell() throws {
            let (cluster, topic) = (try Cluster.shared(), try Topic(partitions: 6))
            try topic.fill(InTests.numbered(1...600), ["-k", "1"])
            let folder = try TemporaryFolder()
            // Each writes its statuses until there is the file `end`.
            let loops = try ["kcat-in -t $T --until-end", "kcat-in -t $T --until-end -g $$", "echo | kcat-out -t $T"]
                .enumerated().map { place, command in
                    try Program(
                        [
                            "/bin/bash", "-c",
                            """
                            set -o pipefail
                            until [ -e end ]; do { \(command); } > /dev/null 2>> errors; echo $?; done > statuses-\(place)
                            """,
                        ], environment: topic.environment, folder: folder.path)
                }
            for broker in 1...3 { try cluster.without(broker, by: "term") {} }
            try write([], to: folder.file("end"))
            var statuses: [Substring] = []
            for (place, loop) in loops.enumerated() {
                #expect(try loop.wait(deadline: 60).ending == .status(0))
                let text = String(decoding: try contents(of: folder.file("statuses-\(place)")), as: UTF8.self)
                statuses += text.split(separator: "\n")
            }
            let bad = statuses.filter { $0 != "0" }
            #expect(statuses.count > 20)
            let errors = String(decoding: try contents(of: folder.file("errors")), as: UTF8.self)
            #expect(bad.isEmpty, "\(bad.count) of \(statuses.count): \(bad)\n\(errors.suffix(2000))")
        }

        /// A member deals anew while leaders move.
        @Test func aGroupThatDealsAnewDuringARollingRestartGoesOn() throws {
            let (cluster, topic) = (try Cluster.shared(), try Topic(partitions: 6))
            let folder = try TemporaryFolder()
            let feed = try Feed(topic, ["-k", "1"])
            let first = try topic.startIn(["-g", "g"] + quick, output: .file(folder.file("0")))
            var (seen, count) = ([first], 1)
            for broker in 1...3 {
                try cluster.without(broker, by: "term") {
                    for _ in 1...2 {
                        let other = try topic.startIn(["-g", "g"] + quick, output: .file(folder.file("\(count)")))
                        count += 1
                        try feed.write(200)
                        usleep(2_000_000)
                        other.send(SIGTERM)
                        seen.append(other)
                    }
                }
            }
            try feed.end()
            func lines() throws -> Set<String> {
                Set(
                    try (0..<count).flatMap {
                        String(decoding: try contents(of: folder.file("\($0)")), as: UTF8.self).split(separator: "\n")
                    }.map(String.init))
            }
            #expect(try eventually(seconds: 60) { try lines() == Set(feed.lines) })
            first.send(SIGTERM)
            for program in seen {
                let ended = try program.wait(deadline: 20)
                #expect(ended.ending == .signal(SIGTERM), "\(ended.ending) \(ended.errorText)")
            }
        }

        /// One line on standard error after ten seconds, and one when it is over.
        @Test func whoWaitsSaysSo() throws {
            let (cluster, topic, folder) = (try Cluster.shared(), try Topic(), try TemporaryFolder())
            let (reading, writing) = try makePipe()
            let reader = try Program(
                [Repository.tool("kcat-in"), "-t", topic.name], output: .descriptor(writing),
                errors: .file(folder.file("reader")), environment: topic.environment)
            close(writing)
            let (input, feed) = try makePipe()
            let writer = try Program(
                [Repository.tool("kcat-out"), "-t", topic.name], input: .descriptor(input),
                errors: .file(folder.file("writer")), environment: topic.environment)
            close(input)
            try write(Array("a\n".utf8), to: feed)
            #expect(readLine(from: reading, seconds: 20) == "a\n")
            func said(_ tool: String) throws -> Int {
                try contents(of: folder.file(tool)).count { $0 == 0x0A }
            }
            for broker in 1...3 { try cluster.order("freeze", "\(broker)") }
            defer { for broker in 1...3 { try? cluster.order("thaw", "\(broker)") } }
            try write(Array("b\n".utf8), to: feed)
            #expect(try eventually(seconds: 20) { try said("reader") == 1 && said("writer") == 1 })
            for broker in 1...3 { try cluster.order("thaw", "\(broker)") }
            #expect(readLine(from: reading, seconds: 60) == "b\n")
            #expect(try eventually(seconds: 20) { try said("reader") == 2 && said("writer") == 2 })
            close(feed)
            #expect(try writer.wait().ending == .status(0))
            reader.send(SIGTERM)
            #expect(try reader.wait().ending == .signal(SIGTERM))
            close(reading)
            for tool in ["reader", "writer"] {
                let text = String(decoding: try contents(of: folder.file(tool)), as: UTF8.self)
                #expect(text.split(separator: "\n").count == 2, "\(tool): \(text)")
            }
        }

        @Test(arguments: ["kcat-in", "kcat-out"])
        func patienceBoundsTheWaiting(_ tool: String) throws {
            let away = try Topic(missingOn: "127.0.0.1:\(try freePort())")
            let missing = try Topic(missingOn: nil)
            for topic in [away, missing] {
                let ended =
                    tool == "kcat-in"
                    ? try topic.in(["--patience", "2s"], deadline: 30)
                    : try topic.out(["--patience", "2s"], input: .text("a\n"), deadline: 30)
                #expect(ended.ending == .status(69), "\(ended.errorText)")
                #expect((1.5...8).contains(ended.seconds), "\(ended.seconds) s")
            }
        }
    }
}
