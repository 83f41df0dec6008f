import Glibc
import TestSupport
import Testing

/// `kcat-in --restore`: the state of `merge-counts --updates` is in the topic that it writes.
@Suite struct RestoreTests {
    /// A stage that adds up counts, and what its totals must be.
    struct Totals {
        let counts, totals: Topic
        let feed: Feed

        init(partitions: Int) throws {
            (counts, totals) = (try Topic(partitions: partitions), try Topic(partitions: partitions))
            feed = try Feed(counts) { "key \($0 % 101)\t\($0)" }
        }

        func plan(_ id: String = "replica-1", isStatic: Bool = true, _ reader: [String] = ["--until-eof"]) -> Stage.Plan
        {
            Stage.Plan(
                from: counts, to: totals, id: id, isStatic: isStatic,
                filter: [Repository.tool("merge-counts"), "--updates"], reader: ["--restore", totals.name] + reader,
                writer: ["-k", "1", "--header", "replica=\(id)"])
        }

        /// Writes until totals of the replica have come out.
        func flow(_ id: String) throws -> Bool {
            let before = try outcomes(of: id)
            return try eventually(seconds: 40) {
                try feed.write(50)
                return try outcomes(of: id) > before
            }
        }

        private func outcomes(of id: String) throws -> Int {
            try totals.lines(["--with", "headers"]).count { $0.hasPrefix("replica=\(id)\t") }
        }

        /// The last total of each key against the sums of all that was written.
        func check(_ what: String) throws {
            func split(_ line: String) -> (key: String, count: Int) {
                let fields = line.split(separator: "\t")
                return (String(fields[0]), Int(fields[1]) ?? -1)
            }
            var (expected, found): ([String: Int], [String: Int]) = ([:], [:])
            for (key, count) in feed.lines.map(split) { expected[key, default: 0] += count }
            for (key, count) in try totals.lines().map(split) { found[key] = count }
            let wrong = expected.filter { found[$0.key] != $0.value }
            #expect(found.count == expected.count)
            #expect(wrong.isEmpty, "\(what): \(wrong.count) totals are wrong, such as \(wrong.prefix(3))")
        }
    }

    @Test func totalsSurviveWhoeverIsKilled() throws {
        let run = try Totals(partitions: 2)
        for part in Stage.Part.allCases {
            let stage = try Stage(run.plan())
            #expect(try run.flow("replica-1"))
            try run.feed.write(300)
            usleep(30_000)
            stage.send(SIGKILL, part)
            #expect(try !stage.wait(deadline: 30).isGood)
        }
        try run.feed.end()
        let outcome = try Stage.supervise(run.plan())
        #expect(outcome.reader.fact("restored") ?? 0 >= 101)
        #expect(outcome.reader.fact("restore_ms") != nil)
        try run.check("killed")
    }

    /// The stream goes on when the group deals anew: state comes again, in its middle.
    @Test func totalsSurviveMovesOfPartitions() throws {
        let run = try Totals(partitions: 4)
        let first = try Stage(run.plan("a", isStatic: false))
        #expect(try run.flow("a"))
        let second = try Stage(run.plan("b", isStatic: false))
        #expect(try run.flow("b"))
        #expect(try run.flow("a"))
        second.send(SIGTERM, .reader)
        let left = try second.wait(deadline: 40)
        #expect(left.isGood, "\(left)")
        try run.feed.write(500)
        try run.feed.end()
        let last = try first.wait()
        #expect(last.isGood, "\(last)")
        // It began with nothing, and got everything back.
        #expect(last.reader.fact("restored") ?? 0 > 0)
        try run.check("moved")
    }

    @Test func stateBelongsToItsPartitionsNumber() throws {
        let (counts, totals) = (try Topic(partitions: 2), try Topic(partitions: 3))
        try counts.fill("a\t1\n")
        let ended = try counts.in(["--exactly-once", "-g", "g", "--restore", totals.name, "--until-end"])
        #expect(ended.ending == .status(78))
        #expect(
            ended.errorText
                == "kcat-in: topic \"\(totals.name)\" has 3 partitions and \"\(counts.name)\" 2: state belongs to its partition's number\n"
        )
        let missing = try counts.in(["--exactly-once", "-g", "h", "--restore", "no-such-topic", "--until-end"])
        #expect(missing.ending == .status(69))
        let usage = try counts.in(["-g", "g", "--restore", totals.name])
        #expect(usage.ending == .status(64))
    }

    @Test func stateIsWhatWasCommitted() throws {
        let (counts, totals) = (try Topic(), try Topic())
        try totals.fill("x\t5\ny\t1\n")
        // An input with a malformed line is given up as a whole.
        let aborted = try totals.out(
            ["--transactional-id", "\(totals.name)-aborted", "-k", "2"], input: .text("x\t1000\nz\t7\nmalformed\n"))
        #expect(aborted.ending == .status(65))
        try totals.fill("x\t6\n")
        try counts.fill("x\t1\nz\t1\n")
        let plan = Stage.Plan(
            from: counts, to: totals, filter: [Repository.tool("merge-counts"), "--updates"],
            reader: ["--restore", totals.name, "--until-end"])
        let outcome = try Stage(plan).wait()
        #expect(outcome.isGood, "\(outcome)")
        #expect(outcome.reader.fact("restored") == 3)
        #expect(try totals.lines() == ["x\t5", "y\t1", "x\t6", "x\t7", "z\t1"])
    }

    /// A killed process leaves a transaction open. Readers of committed messages stop there, though others may have
    /// committed behind it: that belongs to the state.
    @Test func stateBehindAnOpenTransactionIsWaitedFor() throws {
        let (counts, totals) = (try Topic(), try Topic())
        let id = "\(totals.name)-dead"
        let (dead, feed) = try totals.startFedOut(["--transactional-id", id])
        try write(Array("x\t1000\n".utf8), to: feed)
        #expect(try eventually { try WholeInputTests.isThere(totals, 1) })
        dead.send(SIGKILL)
        _ = try dead.wait()
        close(feed)
        try totals.fill("x\t5\n", ["--transactional-id", "\(totals.name)-alive"])
        try counts.fill("x\t1\n")
        let stage = try Stage(
            Stage.Plan(
                from: counts, to: totals, filter: [Repository.tool("merge-counts"), "--updates"],
                reader: ["--restore", totals.name, "--until-end"]))
        usleep(1_500_000)  // it would be done by now
        #expect(try counts.committed(counts.name) == "0:-")
        // Its successor ends what it had begun.
        #expect(try totals.out(["--transactional-id", id], input: .nothing).ending == .status(0))
        let outcome = try stage.wait()
        #expect(outcome.isGood, "\(outcome)")
        #expect(try totals.lines() == ["x\t5", "x\t6"])
    }

    /// Nobody takes the state while the group deals anew: it comes through whole, and so do its barriers.
    @Test func stateThatWaitsIsNotCutOff() throws {
        let (counts, totals) = (try Topic(partitions: 2), try Topic(partitions: 2))
        let padding = String(repeating: "x", count: 100)
        try totals.fill((0..<30_000).map { "key \($0) \(padding)\t\($0)\n" }.joined(), ["-k", "1", "--pack", "64K"])
        let arguments = ["--exactly-once", "-g", counts.name, "--restore", totals.name] + quick
        let (reading, writing) = try makePipe()
        let first = try counts.startIn(arguments, output: .descriptor(writing))
        close(writing)
        #expect(isHeldUp(reading))
        let second = try counts.startIn(arguments)
        usleep(2_000_000)
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        func barriers() -> [[UInt8].SubSequence] {
            // The last line may have come in part.
            let whole = bytes.prefix((bytes.lastIndex(of: 0x0A) ?? -1) + 1)
            return whole.split(separator: 0x0A).filter { $0.starts(with: Array("\u{1E}barrier".utf8)) }
        }
        func isRestoredAgain() -> Bool {
            guard String(decoding: bytes.suffix(2000), as: UTF8.self).contains("\trestored\t") else { return false }
            let kinds = barriers().map { String(decoding: $0, as: UTF8.self).split(separator: "\t")[3] }
                .filter { $0 != "commit" }  // of epochs with nothing in them
            return kinds.count { $0 == "restore" } > 1 && kinds.last == "restored"
        }
        while !isRestoredAgain() {
            guard isReadable(reading, seconds: 30), case let count = read(reading, &piece, piece.count), count > 0
            else {
                Issue.record("the state does not come again")
                break
            }
            bytes += piece[..<count]
        }
        first.send(SIGTERM)
        while case let count = read(reading, &piece, piece.count), count > 0 { bytes += piece[..<count] }
        close(reading)
        let ended = try first.wait(deadline: 20)
        #expect(ended.ending == .status(0), "\(ended.errorText)")
        second.send(SIGTERM)
        #expect(try second.wait(deadline: 20).ending == .status(0))
        var (epoch, odd) = (0, 0)
        for line in bytes.split(separator: 0x0A) {
            let fields = line.split(separator: 0x09).map { String(decoding: $0, as: UTF8.self) }
            if fields[0] == "\u{1E}barrier" {
                #expect(fields[2] == "\(epoch)")
                epoch += 1
            } else if fields.count != 2 || !fields[0].hasPrefix("key ") || !fields[0].hasSuffix(padding) {
                odd += 1
            }
        }
        #expect(odd == 0)
        #expect(epoch >= 5)  // open, restore, and again restore, restored, close
    }
}
