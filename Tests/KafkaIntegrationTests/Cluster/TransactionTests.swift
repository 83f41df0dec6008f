import Glibc
import TestSupport
import Testing

extension ClusterTests {
    /// What Apache Kafka's transactions do that the stand-in's do not.
    @Suite struct TransactionTests {
        /// A commit is answered before readers are told of it: a reader that begins after the writer's end waits for that.
        @Test(arguments: [[], ["-g", "g"]])
        func whoBeginsAfterAWriterHasEndedSeesAllOfIt(_ group: [String]) throws {
            for turn in 1...20 {
                let topic = try Topic()
                let ended = try topic.shell(
                    """
                    seq 3 | kcat-out -t $T --transactional-id $T && kcat-in -t $T --until-end \(group.joined(separator: " "))
                    """)
                #expect(ended.ending == .status(0), "\(ended.errorText)")
                #expect(ended.outputText == "1\n2\n3\n", "turn \(turn)")
            }
        }

        /// The broker's limit is 15 minutes.
        @Test func aTransactionLongerThanTheBrokerAllowsIsAMatterOfConfiguration() throws {
            let (from, to) = (try Topic(), try Topic())
            let tooLong = ["-X", "transaction.timeout.ms=1000000"]
            let alone = try to.out(["--transactional-id", to.name] + tooLong, input: .text("a\n"), deadline: 30)
            let stage = try Stage(Stage.Plan(from: from, to: to, writer: tooLong)).wait(deadline: 30)
            for ended in [alone, stage.writer] {
                #expect(ended.ending == .status(78), "\(ended.errorText)")
                #expect(ended.errorText.contains("transaction.timeout.ms"), "\(ended.errorText)")
            }
        }

        /// The broker gives up what takes too long. There is no newer producer then, and trying again may help.
        @Test func aTransactionThatTheBrokerHasGivenUpIsToBeTriedAgain() throws {
            let topic = try Topic()
            let (out, feed) = try topic.startFedOut([
                "--transactional-id", topic.name, "-X", "transaction.timeout.ms=1000",
            ])
            try write(Array("a\n".utf8), to: feed)
            #expect(try eventually { try WholeInputTests.isThere(topic, 1) })
            // Its mark of the abort takes the next offset.
            #expect(try eventually { try endOffset(topic) >= 2 })
            try? write(Array("b\n".utf8), to: feed)
            close(feed)
            let ended = try out.wait(deadline: 40)
            #expect(ended.ending == .status(75), "\(ended.ending) \(ended.errorText)")
            #expect(!ended.errorText.contains("newer producer"), "\(ended.errorText)")
            #expect(try topic.lines() == [])
        }

        private func endOffset(_ topic: Topic) throws -> Int {
            let ended = try run(["/usr/bin/kcat", "-b", topic.brokers, "-Q", "-t", "\(topic.name):0:-1"])
            // "TOPIC [0] offset 2"
            return Int(ended.outputText.split(whereSeparator: \.isWhitespace).last ?? "") ?? -1
        }

        @Test func aTransactionThatAnotherHasShutOutIsToBeTriedAgain() throws {
            let topic = try Topic()
            let (out, feed) = try topic.startFedOut(["--transactional-id", topic.name])
            try write(Array("a\n".utf8), to: feed)
            #expect(try eventually { try WholeInputTests.isThere(topic, 1) })
            #expect(try topic.out(["--transactional-id", topic.name], input: .text("b\n")).ending == .status(0))
            try? write(Array("c\n".utf8), to: feed)
            close(feed)
            let ended = try out.wait(deadline: 40)
            #expect(ended.ending == .status(75), "\(ended.ending) \(ended.errorText)")
            #expect(try topic.lines() == ["b"])
        }

        /// A kcat-out that dies in the middle of a commit holds the group's offsets until its time is up: longer than this
        /// reader waits for anything else.
        @Test func offsetsThatAnOpenTransactionHoldsAreWaitedFor() throws {
            let topic = try Topic()
            try topic.fill(InTests.numbered(1...10))
            try topic.python(
                """
                import os, sys
                from confluent_kafka import Consumer, Producer, TopicPartition
                brokers, topic = sys.argv[1:]
                reader = Consumer({'bootstrap.servers': brokers, 'group.id': 'g'})
                writer = Producer({'bootstrap.servers': brokers, 'transactional.id': topic, 'transaction.timeout.ms': 20000})
                writer.init_transactions()
                writer.begin_transaction()
                writer.send_offsets_to_transaction([TopicPartition(topic, 0, 5)], reader.consumer_group_metadata())
                os._exit(0)
                """)
            let ended = try topic.in(["-g", "g", "--until-end"] + quick, deadline: 50)
            #expect(ended.ending == .status(0), "\(ended.ending) \(ended.errorText)")
            #expect(ended.outputText == InTests.numbered(1...10))
            #expect(ended.errorText.contains("open transaction"), "\(ended.errorText)")
        }
    }
}
