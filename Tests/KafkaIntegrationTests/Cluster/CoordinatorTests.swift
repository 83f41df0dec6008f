import Glibc
import TestSupport
import Testing

extension ClusterTests {
    /// The broker that leads for a group or for transactions goes away, and others take over.
    @Suite struct CoordinatorTests {
        /// kcat-in and kcat-out, twice: whoever of them has met the outage at a bad moment stays away for ever, or aborts.
        @Test(arguments: [("group", "2.0.2"), ("group", "2.8"), ("group", "newest"), ("transaction", "newest")])
        func stagesGoOnWhenTheirCoordinatorIsKilled(_ kind: String, _ version: String) throws {
            let cluster = try Cluster.shared()
            let library = try Librdkafka(version)
            let to = try Topic(partitions: 2).with(library)
            let plans = try (0..<3).map { _ in
                Stage.Plan(from: try Topic(partitions: 2).with(library), to: to, writer: ["-k", "1"])
            }
            let stages = try plans.map { try Stage($0) }
            let feeds = try plans.map { try Feed($0.from, ["-k", "1"]) }
            defer { for stage in stages { stage.sendAll(SIGKILL) } }
            for (plan, feed) in zip(plans, feeds) {
                try feed.write(100)
                #expect(try eventually(seconds: 30) { try committed(plan) == 100 })
            }
            let name = kind == "group" ? plans[0].group : plans[0].transactionalID
            try cluster.without(try cluster.coordinator(kind, name)) {
                // Longer than the cluster waits for the dead, nine seconds, and than a tool should.
                for _ in 1...15 {
                    for feed in feeds { try feed.write(20) }
                    usleep(1_000_000)
                }
            }
            for (plan, (stage, feed)) in zip(plans, zip(stages, feeds)) {
                // 75 is an answer, too, if all end with it; then the stage is started again.
                let goesOn = try eventually(seconds: 45) {
                    try committed(plan) == feed.lines.count || !stage.isRunning(.writer)
                }
                let there = try committed(plan)
                #expect(goesOn, "\(plan.group) stands still: \(there) of \(feed.lines.count)")
                stage.send(SIGTERM, .reader)
                let outcome = try stage.wait(deadline: 30)
                #expect(outcome.isGood || outcome.isTryAgain, "\(outcome)")
                try feed.end()
                if outcome.isTryAgain { try Stage.supervise(plan.untilEnd) }
            }
            expectSameLines(try to.lines(), feeds.flatMap(\.lines), "\(kind)'s coordinator killed")
        }

        private func committed(_ plan: Stage.Plan) throws -> Int {
            try plan.from.committed(plan.group, partitions: 2).split(separator: " ").reduce(0) {
                $0 + (Int($1.split(separator: ":")[1]) ?? 0)
            }
        }

        /// It does not need to be killed: its partitions are given back, or it says that it could not.
        @Test func aReaderIsStoppedWhileItsCoordinatorIsAway() throws {
            let (cluster, from, to) = (try Cluster.shared(), try Topic(), try Topic())
            let stage = try Stage(Stage.Plan(from: from, to: to))
            try from.fill("a\n")
            #expect(try to.growsBeyond(0))
            try cluster.without(try cluster.coordinator("group", from.name)) {
                stage.send(SIGTERM, .reader)
                let outcome = try stage.wait(deadline: 40)
                #expect(outcome.isGood || outcome.isTryAgain, "\(outcome)")
            }
        }
    }
}
