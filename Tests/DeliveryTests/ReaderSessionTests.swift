import Bytes
import Delivery
import Testing

/// A reader whose brokers, output and clock are the test's.
struct Reader {
    var session: ReaderSession
    var now: Int64 = 0
    var said: [String] = []
    var asked: [(number: Int, question: Question)] = []
    var actions: [ReaderAction] = []
    var output: [UInt8] = []

    init(_ change: (inout ReaderPlan) -> Void = { _ in }) {
        var plan = ReaderPlan()
        plan.topic = "t"
        change(&plan)
        session = ReaderSession(plan, session: Array(repeating: UInt8(ascii: "a"), count: 32), at: 0)
    }

    mutating func handle(_ event: ReaderEvent) {
        for action in session.handle(event, at: now) {
            actions.append(action)
            switch action {
            case .say(let words): said.append(words)
            case .ask(let number, let question): asked.append((number, question))
            case .write(let line): output += line
            case .cut(let position): output.removeLast(output.count - position)
            case .closeOutput: handle(.outputKept(nil))
            default: break
            }
        }
    }

    /// Answers the last question; nil: there was none.
    mutating func answer(_ answer: (Question) -> Answer) {
        guard let (number, question) = asked.popLast() else { return }
        handle(.answer(number, answer(question)))
    }

    /// A broker's answer where nothing is special.
    mutating func answerAll(partitions: Int32 = 1, range: LogRange, stored: [Int32: StoredOffset] = [:]) {
        while !asked.isEmpty {
            answer { question in
                switch question {
                case .partitionCount: .partitionCount(partitions)
                case .ranges(let numbers): .ranges(Dictionary(uniqueKeysWithValues: numbers.map { ($0, range) }))
                case .stored, .committed: .offsets(stored)
                }
            }
        }
    }

    mutating func read(_ partition: Int32, _ offset: Int64, _ line: String) {
        guard session.admits(partition, offset: offset) else { return }
        output += (line + "\n").utf8
        session.took(partition, offset: offset, lines: 1, end: output.count)
    }

    mutating func acceptAll() { handle(.accepted(output.count)) }

    mutating func passes(_ milliseconds: Int64) {
        now += milliseconds
        handle(.tick)
    }

    var starts: [Int32: Int64]? {
        actions.compactMap { if case .assign(let starts) = $0 { starts } else { nil } }.last
    }

    var commits: [[Position]] { actions.compactMap { if case .commit(let positions) = $0 { positions } else { nil } } }

    /// nil: it has not ended; some nil: it has ended well.
    var ending: Ending?? {
        for case .end(let ending) in actions { return .some(ending) }
        return nil
    }
}

@Suite struct ReaderSessionTests {
    private static let range = LogRange(low: 0, high: 3, start: 0)
    private static let member = GroupMember(group: [0x67], generation: 1, member: [0x6D], instance: nil)

    /// The group deals it partition 0.
    private static func begin(_ reader: inout Reader) {
        reader.handle(.start)
        reader.answerAll(range: range)
        reader.handle(.assigned([0], member))
        reader.answerAll(range: range)
    }

    @Test func itEndsWhenAllThatWasThereIsWritten() {
        var reader = Reader { $0.untilEnd = true }
        reader.handle(.start)
        reader.answerAll(range: Self.range)
        #expect(reader.starts == [0: 0])
        for offset in 0..<3 { reader.read(0, Int64(offset), "x") }
        reader.handle(.tick)
        #expect(reader.ending == nil)
        reader.acceptAll()
        #expect(reader.ending == .some(nil))
        // What comes after the end is not read.
        let isRead = reader.session.admits(0, offset: 3)
        #expect(!isRead)
    }

    @Test func whatAnOpenTransactionHidesIsWaitedFor() {
        var reader = Reader { $0.untilEnd = true }
        reader.handle(.start)
        reader.answerAll(range: Self.range)
        reader.handle(.endOfPartition(0, 0))
        reader.handle(.tick)
        #expect(reader.ending == nil)
        reader.read(0, 0, "x")
        reader.handle(.endOfPartition(0, 3))
        reader.acceptAll()
        #expect(reader.ending == .some(nil))
    }

    @Test func anAnswerToWhatIsNoLongerAskedIsNotTaken() {
        var reader = Reader()
        reader.handle(.start)
        reader.handle(.answer(reader.asked[0].number + 7, .partitionCount(3)))
        #expect(reader.session.count == nil)
        reader.answerAll(range: Self.range)
        #expect(reader.session.count == 1)
    }

    @Test func aTopicThatIsNotKnownYetIsWaitedForAndSpokenOfOnce() {
        var reader = Reader()
        reader.handle(.start)
        for _ in 0..<29 {
            reader.answer { _ in .failure(.unknownTopic, "there is no topic") }
            reader.passes(1000)
        }
        #expect(reader.said == ["waiting for 10 s: there is no topic"])
        reader.answerAll(range: Self.range)
        #expect(reader.said.count == 2 && reader.said[1].hasPrefix("going on after"))
        #expect(reader.starts == [0: 0])
        #expect(reader.ending == nil)
    }

    @Test func aTopicThatNobodyKnowsForHalfAMinuteIsMissing() {
        var reader = Reader()
        reader.handle(.start)
        for _ in 0..<40 {
            reader.answer { _ in .failure(.unknownTopic, "there is no topic") }
            reader.passes(1000)
        }
        #expect(reader.ending == .some(Ending(.unavailable, "there is no topic")))
    }

    /// Nobody could have told it of the topic while it was stopped.
    @Test func aProcessThatWasStoppedDoesNotGiveUpForThat() {
        var reader = Reader()
        reader.handle(.start)
        reader.answer { _ in .failure(ErrorCode(3), "there is no topic") }
        for _ in 1...2 {
            reader.passes(3_600_000)
            reader.answer { _ in .failure(ErrorCode(3), "there is no topic") }
        }
        #expect(reader.session.finish == nil)
        reader.passes(1000)
        reader.answerAll(range: LogRange(low: 0, high: 0, start: 0))
        #expect(reader.session.partitions.count == 1)
    }

    @Test func aGapAfterTheCommittedOffsetEndsIt() {
        var reader = Reader { $0.hasGroup = true }
        reader.handle(.start)
        reader.answerAll(range: Self.range)
        reader.handle(.assigned([0], nil))
        reader.answerAll(range: LogRange(low: 500, high: 900, start: 500), stored: [0: StoredOffset(next: 100)])
        guard case .some(.some(let ending)) = reader.ending else {
            Issue.record("it goes on")
            return
        }
        #expect(ending.kind == .unavailable)
        for word in ["partition 0", "400 messages", "offset is 100", "left 500", "--on-gap skip"] {
            #expect(ending.message.contains(word), "\(ending.message)")
        }
    }

    @Test func aGapIsSkippedAndCountedWhereThatIsAskedFor() {
        var reader = Reader {
            $0.hasGroup = true
            $0.skipsGaps = true
        }
        reader.handle(.start)
        reader.answerAll(range: Self.range)
        reader.handle(.assigned([0], nil))
        reader.answerAll(range: LogRange(low: 500, high: 900, start: 500), stored: [0: StoredOffset(next: 100)])
        #expect(reader.starts == [0: 500])
        #expect(reader.session.missing == 400)
        #expect(reader.said.count == 1)
    }

    @Test func anOffsetPastTheEndIsAGap() {
        var reader = Reader {
            $0.hasGroup = true
            $0.untilEnd = true
        }
        reader.handle(.start)
        reader.answerAll(range: Self.range)
        reader.handle(.assigned([0], nil))
        reader.answerAll(range: Self.range, stored: [0: StoredOffset(next: 10)])
        guard case .some(.some(let ending)) = reader.ending else {
            Issue.record("it goes on")
            return
        }
        #expect(ending.kind == .unavailable && ending.message.contains("7 messages"))
    }

    @Test func deletionUnderASlowReaderIsAGap() {
        var reader = Reader()
        reader.handle(.start)
        reader.answerAll(range: LogRange(low: 0, high: 1000, start: 0))
        reader.read(0, 0, "x")
        reader.handle(.partitionFailed(0, .offsetOutOfRange, "out of range"))
        reader.answerAll(range: LogRange(low: 600, high: 1000, start: 600))
        reader.acceptAll()
        guard case .some(.some(let ending)) = reader.ending else {
            Issue.record("it goes on")
            return
        }
        #expect(ending.message.contains("599 messages"))
        #expect(reader.output == Array("x\n".utf8))
    }

    @Test func onlyWhatStandardOutputHasTakenIsCommitted() {
        var reader = Reader { $0.hasGroup = true }
        reader.handle(.start)
        reader.answerAll(range: Self.range)
        reader.handle(.assigned([0], nil))
        reader.answerAll(range: Self.range)
        reader.read(0, 0, "first")
        reader.read(0, 1, "second")
        reader.handle(.accepted("first\nsec".utf8.count))
        reader.passes(2000)
        #expect(reader.commits == [[Position(partition: 0, next: 1)]])
    }

    @Test func aLineThatWasBegunIsFinishedAndCommittedBeforeItsPartitionGoes() {
        var reader = Reader { $0.hasGroup = true }
        reader.handle(.start)
        reader.answerAll(range: Self.range)
        reader.handle(.assigned([0], nil))
        reader.answerAll(range: Self.range)
        for (offset, line) in ["first", "second", "third"].enumerated() { reader.read(0, Int64(offset), line) }
        reader.handle(.accepted("first\nsec".utf8.count))
        reader.handle(.committed([0: 1], nil))
        reader.handle(.revoked(isLost: false))
        reader.passes(60_000)
        #expect(!reader.actions.contains(.unassign))
        reader.handle(.accepted("first\nsecond\n".utf8.count))
        reader.passes(1000)
        #expect(reader.commits.last == [Position(partition: 0, next: 2)])
        #expect(reader.output == Array("first\nsecond\n".utf8))
        #expect(!reader.actions.contains(.unassign))
        reader.handle(.committed([0: 2], nil))
        #expect(reader.actions.contains(.unassign))
    }

    @Test func partitionsThatAreAddedAreTakenUp() {
        var reader = Reader()
        reader.handle(.start)
        reader.answerAll(range: Self.range)
        reader.passes(10_000)
        reader.answerAll(partitions: 3, range: Self.range)
        #expect(reader.starts == [0: 0, 1: 0, 2: 0])
    }

    @Test func partitionsThatAreAddedDoNotEndAGroupThatReadsToTheEnd() {
        var reader = Reader {
            $0.hasGroup = true
            $0.untilEnd = true
        }
        reader.handle(.start)
        reader.answerAll(partitions: 2, range: Self.range)
        reader.handle(.assigned([0, 1, 2, 3], nil))
        reader.answerAll(partitions: 4, range: Self.range)
        for partition in Int32(0)..<2 { for offset in Int64(0)..<3 { reader.read(partition, offset, "x") } }
        let isRead = reader.session.admits(2, offset: 0)
        #expect(!isRead)
        reader.acceptAll()
        reader.handle(.committed([0: 3, 1: 3], nil))
        reader.passes(200)
        reader.answerAll(partitions: 4, range: Self.range)
        #expect(reader.ending == .some(nil))
    }

    @Test func anEpochEndsByBytesToo() throws {
        var reader = Reader {
            $0.hasGroup = true
            $0.epochMilliseconds = 3_600_000
        }
        reader.handle(.start)
        reader.answerAll(range: Self.range)
        reader.handle(.assigned([0], Self.member))
        reader.answerAll(range: LogRange(low: 0, high: 100, start: 0))
        // The first commit is due at once; from then on by time only every hour.
        reader.read(0, 0, "x")
        reader.acceptAll()
        let before = try #require(reader.session.ledger).next
        reader.read(0, 1, String(repeating: "y", count: EpochBudget.first - 100))
        reader.acceptAll()
        #expect(reader.session.ledger?.next == before)
        reader.read(0, 2, String(repeating: "z", count: 200))
        reader.acceptAll()
        #expect(reader.session.ledger?.next == before + 1)
    }

    @Test func anEpochThatNobodyCommitsEndsItWithTryAgain() {
        var reader = Reader {
            $0.hasGroup = true
            $0.epochMilliseconds = 100
            $0.commitMilliseconds = 60_000
        }
        Self.begin(&reader)
        reader.read(0, 0, "x")
        reader.acceptAll()
        for _ in 0..<70 {
            reader.passes(1000)
            reader.acceptAll()
            reader.answerAll(range: Self.range)
        }
        guard case .some(.some(let ending)) = reader.ending else {
            Issue.record("it waits")
            return
        }
        #expect(ending.kind == .tryAgain)
    }

    @Test func theStreamIsClosedAfterItsLastEpochIsCommitted() {
        var reader = Reader {
            $0.hasGroup = true
            $0.epochMilliseconds = 100
            $0.untilEnd = true
        }
        Self.begin(&reader)
        for offset in 0..<3 { reader.read(0, Int64(offset), "x") }
        reader.acceptAll()
        reader.acceptAll()
        reader.passes(100)
        reader.answerAll(range: Self.range)
        func closed(_ reader: Reader) -> Bool { String(decoding: reader.output, as: UTF8.self).contains("\tclose\t") }
        #expect(!closed(reader))
        for _ in 0..<5 {
            reader.passes(300)
            reader.answerAll(range: Self.range, stored: [0: StoredOffset(next: 3)])
            reader.acceptAll()
        }
        #expect(closed(reader))
        #expect(reader.ending == .some(nil))
    }

    /// Its last epoch may take longer than output may after a signal: the close of the stream has a time of its own.
    @Test func aStreamThatIsSlowToCommitIsClosedAfterASignalToo() {
        var reader = Reader {
            $0.hasGroup = true
            $0.epochMilliseconds = 100
            $0.commitMilliseconds = 60_000
        }
        Self.begin(&reader)
        reader.read(0, 0, "x")
        reader.handle(.stopAsked)
        for _ in 0..<40 {
            reader.acceptAll()
            reader.passes(1000)
            reader.answerAll(range: Self.range)
        }
        reader.passes(1000)
        reader.answerAll(range: Self.range, stored: [0: StoredOffset(next: 1, ends: EndsOfStream())])
        reader.passes(10)
        #expect(String(decoding: reader.output, as: UTF8.self).contains("\tclose\t"))
        #expect(reader.ending == nil)
        reader.acceptAll()
        #expect(reader.ending == .some(nil))
    }
}
