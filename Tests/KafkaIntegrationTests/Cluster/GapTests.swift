import Glibc
import TestSupport
import Testing

extension ClusterTests {
    /// Lines that are gone before they were read, by retention or with a leader that lost them: never passed over in silence.
    @Suite struct GapTests {
        /// A thousand lines, of which the group has read 100 and 500 are gone.
        private func gone() throws -> Topic {
            let topic = try Topic()
            try topic.fill(InTests.numbered(1...1000))
            try #require(topic.in(["-g", "g", "-c", "100"]).ending == .status(0))
            try topic.forget(before: 500)
            return topic
        }

        @Test(arguments: [[], ["-X", "auto.offset.reset=latest"], ["--exactly-once"]])
        func whatIsGoneAfterACommitIsNamedAndEndsTheReader(_ arguments: [String]) throws {
            let ended = try gone().in(["--until-end", "-g", "g"] + arguments, deadline: 30)
            #expect([.status(75), .status(69)].contains(ended.ending), "\(ended.ending)")
            let message = ended.errorText
            for part in ["partition 0", "100", "500", "400"] { #expect(message.contains(part), "\(message)") }
        }

        @Test func whoSaysSkipGoesOnAndTheLinesAreCounted() throws {
            let ended = try gone().in(["--until-end", "-g", "g", "--on-gap", "skip", "--summary"], deadline: 30)
            #expect(ended.ending == .status(0), "\(ended.errorText)")
            #expect(ended.outputText == InTests.numbered(501...1000))
            #expect(ended.fact("gap_lines") == 400, "\(ended.errorText)")
        }

        @Test(arguments: [[], ["-g", "slow"]])
        func whatIsGoneUnderASlowReaderIsNamedAndEndsIt(_ group: [String]) throws {
            let topic = try Topic()
            let padding = String(repeating: "x", count: 1000)
            try topic.fill((0..<100_000).map { "\($0) \(padding)\n" }.joined())
            let (reading, writing) = try makePipe()
            // It must ask the broker again, and not have all of it in its queue.
            let reader = try topic.startIn(
                ["--until-end", "-X", "queued.max.messages.kbytes=1024", "-X", "fetch.message.max.bytes=100000"]
                    + group,
                output: .descriptor(writing))
            close(writing)
            #expect(isReadable(reading, seconds: 20))
            try topic.forget(before: 90_000)
            var (lines, piece) = (0, [UInt8](repeating: 0, count: 1 << 16))
            while case let count = read(reading, &piece, piece.count), count > 0 {
                lines += piece[..<count].count { $0 == 0x0A }
            }
            close(reading)
            let ended = try reader.wait(deadline: 30)
            #expect(lines < 100_000)
            #expect(
                [.status(75), .status(69)].contains(ended.ending), "\(lines) of 100000 lines, \(ended.ending)")
            #expect(ended.errorText.contains("90000"), "\(ended.errorText)")
        }

        /// A topic that was made anew, or a leader that lost data: the group was further than there is.
        @Test func aCommittedOffsetAfterTheEndEndsTheReader() throws {
            let topic = try Topic()
            try topic.fill("1\n2\n3\n")
            try topic.python(
                """
                import sys
                from confluent_kafka import Consumer, TopicPartition
                consumer = Consumer({'bootstrap.servers': sys.argv[1], 'group.id': 'g'})
                consumer.commit(offsets=[TopicPartition(sys.argv[2], 0, 1000)], asynchronous=False)
                """)
            let ended = try topic.in(["--until-end", "-g", "g"], deadline: 30)
            #expect([.status(75), .status(69)].contains(ended.ending), "\(ended.ending)")
            for part in ["partition 0", "1000"] { #expect(ended.errorText.contains(part), "\(ended.errorText)") }
        }
    }
}
