import Bytes
import Delivery
import Testing

@Suite struct WriterSessionTests {
    private static let name = Array(repeating: UInt8(ascii: "a"), count: 32)
    private static let offsets = EpochOffsets(
        member: GroupMember(group: [0x67], generation: 1, member: [0x6D], instance: nil), topic: [0x74],
        positions: [Position(partition: 0, next: 5)])

    private static func barrier(_ number: Int64, _ kind: Barrier.Kind, _ payload: [UInt8] = []) -> Barrier {
        Barrier(session: name, epoch: number, kind: kind, watermark: nil, payload: payload)
    }

    /// One that has begun.
    private static func writer(_ change: (inout WriterSession.Plan) -> Void = { _ in }) -> WriterSession {
        var plan = WriterSession.Plan()
        plan.isExactlyOnce = true
        change(&plan)
        var session = WriterSession(plan, open: barrier(0, .open, Array("1000".utf8)))
        #expect(session.handle(.start, at: 0) == [.step(.initialize)])
        #expect(session.handle(.done(.initialize), at: 0) == [])
        return session
    }

    private static func error(
        _ code: Int32, isRetriable: Bool = false, requiresAbort: Bool = false, isFatal: Bool = false
    ) -> WriterSession.StepError {
        .init(ErrorCode(code), "reason", isRetriable: isRetriable, requiresAbort: requiresAbort, isFatal: isFatal)
    }

    /// What its end is, if it has ended.
    private static func ending(_ actions: [WriterSession.Action]) -> Ending?? {
        for case .end(let ending) in actions { return .some(ending) }
        return nil
    }

    @Test func anEpochIsBegunDeliveredAndCommittedWithItsOffsets() {
        var session = Self.writer()
        #expect(session.handle(.lines(2), at: 0) == [.step(.begin)])
        #expect(session.handle(.done(.begin), at: 0) == [])
        #expect(session.handle(.lines(3), at: 0) == [])
        let barrier = Self.barrier(1, .commit, Self.offsets.payload)
        #expect(session.handle(.barrier(barrier, partitions: 1), at: 0) == [.step(.flush)])
        #expect(session.handle(.done(.flush), at: 0) == [.step(.sendOffsets(Self.offsets))])
        #expect(session.handle(.done(.sendOffsets(Self.offsets)), at: 0) == [.step(.commit)])
        #expect(session.handle(.done(.commit), at: 0) == [])
        #expect(session.state == .idle)
        #expect(session.handle(.barrier(Self.barrier(2, .close, Array("ok".utf8)), partitions: 1), at: 0) == [])
        #expect(session.handle(.inputEnded, at: 0) == [.end(nil)])
    }

    @Test func anEpochWithoutOffsetsCommitsNothing() {
        var (session, empty) = (Self.writer(), Self.offsets)
        empty.positions = []
        #expect(session.handle(.barrier(Self.barrier(1, .commit, empty.payload), partitions: 1), at: 0) == [])
    }

    @Test func anInputThatIsCutOffIsGivenUp() {
        var session = Self.writer()
        _ = session.handle(.lines(2), at: 0)
        _ = session.handle(.done(.begin), at: 0)
        #expect(session.handle(.inputEnded, at: 0) == [.step(.abort)])
        let actions = session.handle(.done(.abort), at: 0)
        #expect(Self.ending(actions)??.kind == .tryAgain)
    }

    @Test func barriersOutOfOrderAreMalformed() {
        var session = Self.writer()
        let actions = session.handle(.barrier(Self.barrier(2, .commit, Self.offsets.payload), partitions: 1), at: 0)
        #expect(Self.ending(actions)??.kind == .malformed)
    }

    @Test func errorsInTheMiddleSayWhatToDo() {
        for (code, isFatal, kind) in [
            (50, false, .configuration), (47, true, .tryAgain), (-144, true, .tryAgain), (22, false, .tryAgain),
            (29, false, .notPermitted), (53, false, .notPermitted), (15, false, .tryAgain), (-196, false, .tryAgain),
        ] as [(Int32, Bool, Ending.Kind)] {
            var session = Self.writer()
            _ = session.handle(.lines(2), at: 0)
            _ = session.handle(.done(.begin), at: 0)
            _ = session.handle(.barrier(Self.barrier(1, .commit, Self.offsets.payload), partitions: 1), at: 0)
            let error = Self.error(code, requiresAbort: !isFatal, isFatal: isFatal)
            #expect(session.handle(.failed(.flush, error), at: 0) == [.step(.abort)])
            let actions = session.handle(.done(.abort), at: 0)
            #expect(Self.ending(actions)??.kind == kind, "\(code)")
        }
    }

    @Test func aTransactionThatIsLongerThanBrokersAllowIsASettingAtFault() {
        var session = WriterSession(WriterSession.Plan())
        _ = session.handle(.start, at: 0)
        let ending = Self.ending(session.handle(.failed(.initialize, Self.error(50)), at: 0))
        #expect(ending??.kind == .configuration)
        #expect(ending??.message.contains("transaction.timeout.ms") == true)
    }

    @Test func aStepThatMayBeDoneAgainIsDoneAgainUntilPatienceEnds() {
        var session = WriterSession(WriterSession.Plan())
        _ = session.handle(.start, at: 0)
        let error = Self.error(-185, isRetriable: true)
        #expect(
            session.handle(.failed(.initialize, error), at: 0) == [.pause(milliseconds: 100), .step(.initialize)])
        let again = session.handle(.failed(.initialize, error), at: 11_000)
        #expect(again.count == 3)
        var last: [WriterSession.Action] = []
        for time in stride(from: Int64(16_000), through: 310_000, by: 5000) {
            last = session.handle(.failed(.initialize, error), at: time)
            if time < 300_000 { #expect(last == [.pause(milliseconds: 100), .step(.initialize)], "\(time)") }
            if Self.ending(last) != nil { break }
        }
        #expect(Self.ending(last)??.kind == .unavailable)
    }

    @Test func noStepMayTakeForEver() {
        var plan = WriterSession.Plan()
        plan.mayHang = true
        let session = WriterSession(plan)
        for step in [WriterSession.Step.initialize, .begin, .flush, .sendOffsets(Self.offsets), .commit, .abort] {
            #expect((1...400_000).contains(session.limit(of: step)))
        }
        #expect(session.limit(of: .sendOffsets(Self.offsets)) < 15_000)
    }
}
