import Glibc
import TestSupport
import Testing

/// `kcat-in --exactly-once | FILTER | kcat-out --exactly-once`: three processes in real pipes, which a test may kill one by
/// one.
final class Stage {
    enum Part: Int, CaseIterable, Sendable { case reader, filter, writer }

    struct Plan: Sendable {
        var from: Topic
        var to: Topic
        /// Of the replica: the name of its transactions, and of the group's member if that is a static one.
        var id = "replica-1"
        var isStatic = true
        /// The topic's name: tests run side by side.
        var group: String { from.name }
        var transactionalID: String { "\(from.name)-\(id)" }
        var filter: [String] = ["/bin/cat"]
        var reader: [String] = []
        var writer: [String] = []
        /// The same, ending at what is the end then.
        var untilEnd: Plan {
            var plan = self
            plan.reader.append("--until-end")
            return plan
        }
    }

    private let parts: [Program]

    init(_ plan: Plan) throws {
        let (filterInput, readerOutput) = try makePipe()
        let (writerInput, filterOutput) = try makePipe()
        defer { for end in [filterInput, readerOutput, writerInput, filterOutput] { close(end) } }
        // The test broker gives the partitions of the dead away only when their time to rejoin is up; a static member
        // that is started again gets its own at once.
        let member = plan.isStatic ? ["-X", "group.instance.id=\(plan.id)"] : []
        let reader = try plan.from.startIn(
            ["--exactly-once", "-g", plan.group, "--epoch", "50ms", "--summary"] + member + quick + plan.reader,
            output: .descriptor(readerOutput))
        let filter = try Program(
            plan.filter, input: .descriptor(filterInput), output: .descriptor(filterOutput),
            environment: plan.from.environment)
        let writer = try plan.to.startOut(
            ["--exactly-once", "--transactional-id", plan.transactionalID, "--summary"] + plan.writer,
            input: .descriptor(writerInput))
        parts = [reader, filter, writer]
    }

    func send(_ signal: CInt, _ part: Part) { parts[part.rawValue].send(signal) }
    func isRunning(_ part: Part) -> Bool { parts[part.rawValue].isRunning }
    /// How much lies in the pipe in front of a part: of the filter or the writer.
    func unread(by part: Part) -> Int {
        let pipe = open("/proc/\(parts[part.rawValue].process)/fd/0", O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        defer { close(pipe) }
        return unreadBytes(in: pipe)
    }
    func sendAll(_ signal: CInt) { for part in parts { part.send(signal) } }

    /// Waits for the end of all three.
    func wait(deadline: Double = 60) throws -> Outcome {
        let ended = try parts.map { try $0.wait(deadline: deadline) }
        return Outcome(reader: ended[0], filter: ended[1], writer: ended[2])
    }

    struct Outcome: CustomStringConvertible {
        let reader, filter, writer: Ended
        var isGood: Bool { [reader, filter, writer].allSatisfy { $0.ending == .status(0) } }
        /// The start of the stage again is all that it needs: its bridges said so, or died of their pipes.
        var isTryAgain: Bool {
            [reader, writer].contains { $0.ending == .status(75) }
                && [reader, filter, writer].allSatisfy {
                    [.status(0), .status(75), .signal(SIGPIPE)].contains($0.ending)
                }
        }
        var description: String {
            [reader, filter, writer].map { "\($0.ending) \($0.errorText)" }.joined(separator: "; ")
        }
    }

    /// What a supervisor does: starts the stage again until it ends well.
    @discardableResult
    static func supervise(_ plan: Plan, tries: Int = 10) throws -> Outcome {
        var outcome = try Stage(plan).wait()
        for _ in 1..<tries where !outcome.isGood { outcome = try Stage(plan).wait() }
        #expect(outcome.isGood, "\(outcome)")
        return outcome
    }
}

/// Lines that go into a topic while a test runs.
final class Feed {
    private let writer: Program
    private let feed: CInt
    private let line: (Int) -> String
    private(set) var lines: [String] = []

    /// - Parameter line: the line of a number; each is sent once, from 0 on.
    init(
        _ topic: Topic, _ arguments: [String] = ["-k", "1", "--eof"], line: @escaping (Int) -> String = { "\($0)" }
    ) throws {
        self.line = line
        (writer, feed) = try topic.startFedOut(arguments)
    }

    /// So many lines more.
    func write(_ count: Int) throws {
        let more = (lines.count..<(lines.count + count)).map(line)
        try TestSupport.write(Array((more.joined(separator: "\n") + "\n").utf8), to: feed)
        lines += more
    }

    func end() throws {
        close(feed)
        #expect(try writer.wait().ending == .status(0))
    }
}

extension Topic {
    /// How many committed lines it has.
    func lineCount() throws -> Int { try lines().count }

    /// Waits until it has more lines than it has now.
    func growsBeyond(_ count: Int, seconds: Double = 30) throws -> Bool {
        try eventually(seconds: seconds) { try lineCount() > count }
    }
}

/// Whether lines are those that are expected, each as often: told without all of them.
func expectSameLines(
    _ found: [String], _ expected: [String], _ what: String, sourceLocation: SourceLocation = #_sourceLocation
) {
    guard found.sorted() != expected.sorted() else { return }
    var counts: [String: Int] = [:]
    for line in expected { counts[line, default: 0] += 1 }
    for line in found { counts[line, default: 0] -= 1 }
    let (missing, doubled) = (counts.filter { $0.value > 0 }, counts.filter { $0.value < 0 })
    Issue.record(
        """
        \(what): \(found.count) lines instead of \(expected.count); missing \(missing.count) \
        \(missing.keys.sorted().prefix(5)), too many \(doubled.count) \(doubled.keys.sorted().prefix(5))
        """, sourceLocation: sourceLocation)
}
