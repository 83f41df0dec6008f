import Glibc
import TestSupport
import Testing

/// `kcat-in --ack`: a sink outside Kafka says which epochs it has done.
@Suite struct AckTests {
    /// In one message: two may come in two epochs.
    private let together = ["--pack", "1K"]

    /// `kcat-in --ack` whose standard output a test reads, and the FIFO's other end.
    final class Reader {
        let program: Program
        let reading: CInt
        let acks: CInt
        private let folder: TemporaryFolder

        init(_ topic: Topic, _ arguments: [String] = []) throws {
            folder = try TemporaryFolder()
            let path = folder.file("acks")
            try #require(mkfifo(path, 0o600) == 0)
            acks = open(path, O_RDWR | O_CLOEXEC)
            let (reading, writing) = try makePipe()
            self.reading = reading
            program = try topic.startIn(
                ["--ack", path, "-g", topic.name, "--epoch", "20ms", "-X", "group.instance.id=a"] + quick + arguments,
                output: .descriptor(writing))
            close(writing)
        }

        deinit {
            close(acks)
            close(reading)
        }

        func acknowledge(_ text: String) throws { try write(Array("\(text)\n".utf8), to: acks) }

        /// The lines up to the next barrier, and what that says; an epoch with nothing in it is passed over.
        func epoch() -> (lines: [String], session: String, number: String, kind: String) {
            var lines: [String] = []
            while let line = readLine(from: reading, seconds: 20) {
                let fields = line.dropLast().split(separator: "\t", omittingEmptySubsequences: false)
                guard fields[0] == "\u{1E}barrier" else {
                    lines.append(String(line.dropLast()))
                    continue
                }
                if fields[3] == "commit", lines.isEmpty { continue }
                return (lines, String(fields[1]), String(fields[2]), String(fields[3]))
            }
            return (lines, "", "", "end")
        }
    }

    @Test func anEpochIsCommittedWhenItsNumberComes() throws {
        let topic = try Topic()
        let reader = try Reader(topic, ["--summary"])
        #expect(reader.epoch().kind == "open")
        try topic.fill("1\n2\n", together)
        let first = reader.epoch()
        #expect(first.lines == ["1", "2"] && first.kind == "commit", "\(first)")
        try topic.fill("3\n")
        let second = reader.epoch()
        #expect(second.lines == ["3"] && second.kind == "commit", "\(second)")
        usleep(300_000)
        #expect(try topic.committed(topic.name) == "0:-")
        try reader.acknowledge(first.number)
        #expect(try eventually { try topic.committed(topic.name) == "0:1" })
        try reader.acknowledge(second.number)
        #expect(try eventually { try topic.committed(topic.name) == "0:2" })
        reader.program.send(SIGTERM)
        #expect(reader.epoch().kind == "close")
        let ended = try reader.program.wait(deadline: 20)
        #expect(ended.ending == .status(0), "\(ended.errorText)")
        #expect(ended.fact("committed") == 3)
        #expect(ended.fact("epochs") == 2)
    }

    @Test func whatWasNotAcknowledgedComesAgain() throws {
        let topic = try Topic()
        let reader = try Reader(topic)
        #expect(reader.epoch().kind == "open")
        try topic.fill("1\n2\n", together)
        try reader.acknowledge(reader.epoch().number)
        #expect(try eventually { try topic.committed(topic.name) == "0:1" })
        try topic.fill("3\n4\n", together)
        #expect(reader.epoch().lines == ["3", "4"])
        reader.program.send(SIGKILL)
        #expect(try reader.program.wait().ending == .signal(SIGKILL))
        let again = try Reader(topic, ["--until-end"])
        #expect(again.epoch().kind == "open")
        let repeated = again.epoch()
        #expect(repeated.lines == ["3", "4"])
        try again.acknowledge(repeated.number)
        #expect(again.epoch().kind == "close")
        #expect(try again.program.wait().ending == .status(0))
        #expect(try topic.committed(topic.name) == "0:2")
    }

    @Test func theNumberOfAnotherStreamIsNotTakenForItsOwn() throws {
        let topic = try Topic()
        let reader = try Reader(topic)
        let open = reader.epoch()
        try topic.fill("1\n")
        let first = reader.epoch()
        try reader.acknowledge("0123456789abcdef0123456789abcdef\t\(first.number)")
        usleep(500_000)
        #expect(try topic.committed(topic.name) == "0:-")
        try reader.acknowledge("\(open.session)\t\(first.number)")
        #expect(try eventually { try topic.committed(topic.name) == "0:1" })
        reader.program.send(SIGTERM)
        #expect(try reader.program.wait(deadline: 20).ending == .status(0))
    }

    private static let sink = """
        exec 3<> acks
        while IFS=$'\\t' read -r first session number kind rest; do
            if [ "$first" = $'\\036barrier' ]; then echo "$number" >&3; else echo "$first" >> lines; fi
        done
        """

    /// A sink that is a script of a few lines, killed with everything else in the middle, again and again.
    @Test func aSinkGetsEveryLineAtLeastOnce() throws {
        let (topic, folder) = (try Topic(partitions: 2), try TemporaryFolder())
        let feed = try Feed(topic)
        try #require(mkfifo(folder.file("acks"), 0o600) == 0)
        try write(Self.sink.utf8, to: folder.file("sink"))
        func start() throws -> Program {
            let reader = "kcat-in -t $T -g $T --ack acks --until-eof --epoch 20ms -X group.instance.id=a"
            return try Program(
                ["/bin/bash", "-c", "set -o pipefail; \(reader) \(quick.joined(separator: " ")) | bash sink"],
                environment: topic.environment, folder: folder.path)
        }
        func count() -> Int { (try? contents(of: folder.file("lines")).count { $0 == 0x0A }) ?? 0 }
        for turn in 1...2 {
            let program = try start()
            let before = count()
            try feed.write(200)
            let flows = try eventually(seconds: 30) {
                try feed.write(10)
                return count() > before + 100
            }
            #expect(flows, "turn \(turn)")
            kill(-program.process, SIGKILL)
            _ = try program.wait()
        }
        try feed.end()
        let ended = try start().wait()
        #expect(ended.ending == .status(0), "\(ended.errorText)")
        let lines = String(decoding: try contents(of: folder.file("lines")), as: UTF8.self).split(separator: "\n")
        #expect(Set(lines.map(String.init)) == Set(feed.lines))
    }

    @Test(
        arguments: [
            ("seven", "not the number of an epoch: \"seven\""), ("-1", "not the number of an epoch: \"-1\""),
            ("", "not the number of an epoch: \"\""), ("99", "epoch 99 was not written yet"),
        ])
    func whatIsNoNumberOfAnEpochIsRefused(_ text: String, _ reason: String) throws {
        let topic = try Topic()
        let reader = try Reader(topic)
        try topic.fill("1\n")
        #expect(reader.epoch().kind == "open")
        #expect(reader.epoch().kind == "commit")
        try reader.acknowledge(text)
        let ended = try reader.program.wait(deadline: 20)
        #expect(ended.ending == .status(65))
        #expect(ended.errorText.hasSuffix("/acks: \(reason)\n"), "\(ended.errorText)")
        #expect(try topic.committed(topic.name) == "0:-")
    }

    @Test func whatIsNoFIFOIsRefused() throws {
        let (topic, folder) = (try Topic(), try TemporaryFolder())
        try write("1\n".utf8, to: folder.file("acks"))
        let ended = try topic.in(["-g", "g", "--ack", folder.file("acks")])
        #expect(ended.ending == .status(66))
        #expect(ended.errorText == "kcat-in: \(folder.file("acks")) is not a FIFO\n")
        #expect(try topic.in(["-g", "g", "--ack", "/no/such/folder/acks"]).ending == .status(66))
        #expect(try topic.in(["--ack", folder.file("acks")]).ending == .status(64))
    }

    @Test func theStreamIsNotForATopic() throws {
        let (topic, folder) = (try Topic(), try TemporaryFolder())
        try topic.fill("1\n")
        let ended = try topic.shell(
            """
            kcat-in -t $T -g g --ack \(folder.file("acks")) --until-end \(quick.joined(separator: " ")) |
                kcat-out -t $T --exactly-once --transactional-id $T
            """)
        #expect(
            ended.errorText.contains(
                "kcat-out: barrier 1 names no member of a group: is the stream kcat-in --ack's, or "),
            "\(ended.errorText)")
        #expect(try topic.lines() == ["1"])
    }
}
