import TestSupport
import Testing

/// What the bridges say of themselves while they run.
@Suite struct ProgressTests {
    @Test func statisticsComeEverySecondAndAtTheEnd() throws {
        let topic = try Topic()
        let out = try topic.shell("(seq 5; sleep 1.5; seq 5; echo) | kcat-out -t $T --reject /dev/null -k 1 --stats 1")
        #expect(out.ending == .status(0), "\(out.errorText)")
        let lines = out.errorText.split(separator: "\n")
        #expect(lines.count >= 2)
        let first = try #require(lines.first), last = try #require(lines.last)
        #expect(
            first.hasPrefix("{\"tool\":\"kcat-out\",\"seconds\":1.") && first.contains("\"read\":5,\"bytes_read\":10,"))
        #expect(last.contains("\"read\":11,\"bytes_read\":21,\"written\":11,"))
        #expect(last.hasSuffix("\"rejected\":0,\"under_way\":0}"))
        let reader = try topic.shell("timeout 3 kcat-in -t $T --stats 1 | cat")
        let read = reader.errorText.split(separator: "\n")
        #expect(read.count >= 2)
        #expect(read.contains { $0.contains("\"read\":11,\"bytes_read\":21,\"written\":11,\"bytes_written\":21,") })
        #expect(read.last?.hasSuffix("\"lag\":0,\"held_bytes\":0}") == true)
    }
}
