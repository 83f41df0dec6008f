import Glibc
import TestSupport
import Testing

/// Final lists of windows through four topics: lines, partial counts, totals, and the top of each partition. Each window's list
/// comes once, and is that of the local pipe.
@Suite(.serialized) struct WatermarkTests {
    enum Stage: String, CaseIterable { case count, sum, top, last }

    /// The stages' topics are TOPIC, TOPIC-parts, TOPIC-totals, TOPIC-tops and TOPIC-lists.
    final class Chain {
        let source: Topic
        let lists: Topic
        private let text: [UInt8]
        private let writers: [(program: Program, feed: CInt)]
        private(set) var replicas: [(stage: Stage, program: Program)] = []

        /// - Parameter parts: texts, each with how it goes into the topic of four partitions.
        init(_ parts: [(text: String, arguments: [String])]) throws {
            source = try Topic(partitions: 4)
            lists = Topic("\(source.name)-lists", on: source.brokers)
            for end in ["parts", "totals", "tops", "lists"] {
                let made = try Topic("\(source.name)-\(end)", on: source.brokers).out(
                    ["--create", "4"], input: .nothing)
                #expect(made.ending == .status(0), "\(made.errorText)")
            }
            text = Array(parts.map(\.text).joined().utf8)
            self.parts = parts.map { Array($0.text.utf8) }
            let source = source
            writers = try parts.map { try source.startFedOut($0.arguments) }
        }

        private let parts: [[UInt8]]

        /// Writes all of the text over this time.
        func feed(seconds: Double, _ meanwhile: (Int) throws -> Void) throws {
            let steps = Int(seconds * 10)
            for step in 0..<steps {
                for (part, (_, feed)) in zip(parts, writers) {
                    let (from, to) = (part.count * step / steps, part.count * (step + 1) / steps)
                    try write(Array(part[from..<to]), to: feed)
                }
                usleep(100_000)
                try meanwhile(step)
            }
        }

        func end() throws {
            for (program, feed) in writers {
                close(feed)
                #expect(try program.wait().ending == .status(0))
            }
        }

        /// A replica, which is started again until it ends well.
        func add(_ stage: Stage, _ number: Int) throws {
            let read =
                "--exactly-once --epoch 100ms \((["-X", "group.instance.id=r\(number)"] + quick).joined(separator: " "))"
            let write = "--exactly-once --watermark-every 200ms --transactional-id $T-\(stage)-\(number) --eof"
            let event = "--event-time topic"
            let pipeline =
                switch stage {
                case .count:
                    """
                    kcat-in -t $T -g $T-count --event-time 1 --until-eof=\(writers.count) \(read) | tokenize --carry 1 |
                        cms-topk --window 10s --time-field 1 --emit partials | kcat-out -t $T-parts -k 1,2 \(write)
                    """
                case .sum:
                    """
                    kcat-in -t $T-parts -g $T-sum \(event) --restore $T-totals --until-eof=2 \(read) |
                        merge-counts --updates | kcat-out -t $T-totals -k 1,2 \(write)
                    """
                case .top:
                    """
                    kcat-in -t $T-totals -g $T-top \(event) --restore $T-totals --until-eof=2 \(read) |
                        cms-topk --window 10s --window-field 1 --latest -k 5 | kcat-out -t $T-tops -k 1 \(write)
                    """
                case .last:
                    """
                    kcat-in -t $T-tops -g $T-last \(event) --restore $T-tops --until-eof=2 \(read) |
                        cms-topk --window 10s --window-field 1 --counts -k 5 | kcat-out -t $T-lists -k 1 \(write)
                    """
                }
            let program = try Program(
                ["/bin/bash", "-c", "set -o pipefail\nuntil \(pipeline)\ndo sleep 0.2; done"],
                environment: source.environment)
            replicas.append((stage, program))
        }

        func addAll(_ number: Int) throws { for stage in Stage.allCases { try add(stage, number) } }

        /// Kills one of the processes of a replica, or all of them.
        func kill(_ replica: Int, all: Bool = false, _ signal: CInt = SIGKILL, _ names: String = "kcat|cms|merge|token")
            throws
        {
            let listed = try run(["/usr/bin/pgrep", "-g", "\(replicas[replica].program.process)", names])
            let processes = listed.outputText.split(separator: "\n").compactMap { pid_t($0) }
            for process in all ? processes : processes.randomElement().map({ [$0] }) ?? [] {
                Glibc.kill(process, signal)
            }
        }

        /// Waits for the end, and holds the lists against the local pipe's.
        func check(_ what: String) throws {
            for (stage, program) in replicas {
                let ended = try program.wait(deadline: 90)
                #expect(ended.ending == .status(0), "\(what) \(stage): \(ended.errorText)")
                #expect(!ended.errorText.contains("late lines"), "\(what) \(stage): \(ended.errorText)")
            }
            let local = try source.shell(
                "LC_ALL=C sort -s -k 1,1 | tokenize --carry 1 | cms-topk --window 10s --time-field 1 -k 5",
                input: .bytes(text))
            expectSameLines(try lists.lines(), local.outputText.split(separator: "\n").map(String.init), what)
        }

        /// Whether lists have come.
        func hasLists() throws -> Bool { try eventually(seconds: 20) { try lists.lineCount() >= 5 } }
    }

    static let text = InTimeOrderTests.text(lines: 3000)

    @Test func eachListComesOnceAndSoonAfterItsWindow() throws {
        let chain = try Chain([(Self.text, ["-k", "2", "--eof"])])
        for number in 1...2 { try chain.addAll(number) }
        try chain.feed(seconds: 8) { _ in }
        // The stream has not ended: it is by watermarks that these are complete.
        #expect(try chain.hasLists())
        try chain.end()
        try chain.check("no fault")
    }

    @Test(.enabled(if: isThorough)) func whoeverIsKilled() throws {
        let chain = try Chain([(Self.text, ["-k", "2", "--eof"])])
        for number in 1...2 { try chain.addAll(number) }
        try chain.feed(seconds: 16) { step in
            if step % 20 == 19 { try chain.kill(Int.random(in: 0..<8)) }
        }
        try chain.end()
        try chain.check("kills")
    }

    @Test func whereAllAreStartedAnew() throws {
        let chain = try Chain([(Self.text, ["-k", "2", "--eof"])])
        for number in 1...2 { try chain.addAll(number) }
        try chain.feed(seconds: 10) { step in
            if step == 50 { for replica in 0..<8 { try chain.kill(replica, all: true) } }
        }
        try chain.end()
        try chain.check("all anew")
    }

    @Test(.enabled(if: isThorough)) func whereReplicasComeAndGo() throws {
        let chain = try Chain([(Self.text, ["-k", "2", "--eof"])])
        try chain.addAll(1)
        try chain.feed(seconds: 14) { step in
            if step == 30 { for stage in Stage.allCases { try chain.add(stage, 2) } }
            // Stopped, and started again by the same name later.
            if step == 80 { for replica in 4..<8 { try chain.kill(replica, all: true, SIGTERM, "kcat-in") } }
            if step == 110 { for stage in Stage.allCases { try chain.add(stage, 2) } }
        }
        try chain.end()
        try chain.check("replicas come and go")
    }

    @Test(.enabled(if: isThorough)) func whereASourcePartitionIsSilentForEver() throws {
        let chain = try Chain([(Self.text, ["-p", "2", "--eof"])])
        for number in 1...2 { try chain.addAll(number) }
        // Whoever begins anew after it was said of a partition that it is idle knows it all the same.
        try chain.feed(seconds: 14) { step in
            if step == 50 { for replica in 0..<8 where replica % 4 > 0 { try chain.kill(replica, all: true) } }
        }
        #expect(try eventually(seconds: 20) { try chain.lists.lineCount() >= 50 })
        try chain.end()
        try chain.check("silent")
    }

    @Test(.enabled(if: isThorough)) func whereASourcePartitionIsBehind() throws {
        let hour = InTimeOrderTests.text(lines: 3000, start: 1_795_341_600_000 - 3_600_000)
        let chain = try Chain([(Self.text, ["-p", "2", "--eof"]), (hour, ["-p", "0", "--eof"])])
        for number in 1...2 { try chain.addAll(number) }
        try chain.feed(seconds: 8) { _ in }
        try chain.end()
        try chain.check("an hour behind")
    }
}
