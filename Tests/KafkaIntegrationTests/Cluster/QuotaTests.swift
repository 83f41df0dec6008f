import Glibc
import TestSupport
import Testing

extension ClusterTests {
    /// A broker that takes only so many bytes a second of a client: slower than lines come, for hours.
    @Suite struct QuotaTests {
        @Test(arguments: [2_000_000, 100_000])
        func exactlyOnceCommitsAllTheTime(_ bytesPerSecond: Int) throws {
            let (cluster, from, to) = (try Cluster.shared(), try Topic(), try Topic())
            let client = "\(to.name)-slow"
            try cluster.order(
                "tool", "kafka.admin.ConfigCommand", "--alter", "--entity-type", "clients", "--entity-name", client,
                "--add-config", "producer_byte_rate=\(bytesPerSecond)")
            // More than goes through in the time of this test.
            let padding = String(repeating: "x", count: 1000)
            let line = { (number: Int) in "\(number) \(padding)" }
            let count = bytesPerSecond * 90 / 1000
            try from.fill((0..<count).map { line($0) + "\n" }.joined())
            let stage = try Stage(
                Stage.Plan(
                    from: from, to: to, reader: ["--epoch", "1s", "-X", "max.poll.interval.ms=60000"],
                    writer: ["-X", "client.id=\(client)", "-X", "compression.type=none"]))
            // Not a moment longer than this without a commit: the largest epoch at the first of these rates.
            let standstill = 12.0
            let start = monotonicSeconds()
            var (there, grown, longest) = (0, start, 0.0)
            while monotonicSeconds() - start < 45, stage.isRunning(.writer) {
                let now = Int(try from.committed(from.name).dropFirst(2)) ?? 0
                if now > there { (there, grown) = (now, monotonicSeconds()) }
                longest = max(longest, monotonicSeconds() - grown)
                usleep(300_000)
            }
            let rate = Double(there * 1000) / (monotonicSeconds() - start)
            #expect(longest < standstill, "\(longest) s without a commit")
            #expect(rate > 0.9 * Double(bytesPerSecond), "\(Int(rate)) bytes a second")
            stage.send(SIGTERM, .reader)
            let outcome = try stage.wait(deadline: 60)
            #expect(outcome.isGood, "\(outcome)")
            #expect(try to.lines().count == outcome.reader.fact("committed"))
        }
    }
}
