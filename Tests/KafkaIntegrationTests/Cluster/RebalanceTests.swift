import Glibc
import TestSupport
import Testing

extension ClusterTests {
    @Suite struct RebalanceTests {
        /// Its output takes nothing for longer than lines are waited for, while another member joins: the line of which the
        /// pipe has a part comes once, too.
        @Test func noLineIsDoubledWhenABlockedMemberGivesItsPartitionsBack() throws {
            let topic = try Topic(partitions: 2)
            let padding = String(repeating: "z", count: 1000)
            try topic.fill((1...4000).map { "\($0) \(padding)\n" }.joined(), ["-k", "1", "--eof"])
            let (reading, writing) = try makePipe()
            // The group waits for so long.
            let patient = quick + ["-X", "max.poll.interval.ms=60000"]
            let blocked = try topic.startIn(["-g", "g", "--until-eof"] + patient, output: .descriptor(writing))
            close(writing)
            #expect(isReadable(reading, seconds: 20))
            let other = try topic.startIn(["-g", "g", "--until-eof"] + patient)
            sleep(35)
            #expect(try membersWithPartitions(topic) < 2)
            var (bytes, piece) = ([UInt8](), [UInt8](repeating: 0, count: 1 << 16))
            while case let count = read(reading, &piece, piece.count), count > 0 { bytes += piece[..<count] }
            close(reading)
            let ended = [try blocked.wait(), try other.wait()]
            for program in ended { #expect(program.ending == .status(0), "\(program.errorText)") }
            let numbers = (bytes + ended[1].output).split(separator: 0x0A).map {
                String(decoding: $0.prefix { $0 != 0x20 }, as: UTF8.self)
            }
            expectSameLines(numbers, (1...4000).map { "\($0)" }, "a blocked member")
        }

        /// Of the group.
        private func membersWithPartitions(_ topic: Topic) throws -> Int {
            let ended = try run([
                "\(Repository.root)/.venv-broker/bin/python", "-c",
                """
                import sys
                from confluent_kafka.admin import AdminClient
                admin = AdminClient({'bootstrap.servers': sys.argv[1]})
                group = admin.describe_consumer_groups(['g'])['g'].result()
                print(sum(1 for member in group.members if member.assignment.topic_partitions))
                """, topic.brokers,
            ])
            return Int(ended.outputText.dropLast()) ?? 0
        }
    }
}
