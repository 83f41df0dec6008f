import Delivery

/// `kcat-in | filter | kcat-out`, or `kcat-in` and who takes what it prints; started again by a supervisor until it ends well.
final class Pipeline {
    unowned(unsafe) let world: World
    let stage: Int
    let replica: Int
    private(set) var programs: [Program] = []
    private(set) var isDone = false
    private var attempt = 0
    private var isAway = false
    private var wasStopped = false
    private var isStoppedForGood = false
    private var skipsGaps: Bool

    init(_ world: World, stage: Int, replica: Int) {
        (self.world, self.stage, self.replica) = (world, stage, replica)
        skipsGaps = world.scenario.skipsGaps
    }

    private var name: String { "\(stage).\(replica)" + (attempt > 1 ? "'\(attempt)" : "") }
    /// Reads what the last stage has written.
    private var isChecker: Bool { world.scenario.mode == .exactlyOnce && stage == world.scenario.stages.count }
    private var isReadOnly: Bool { world.scenario.mode != .exactlyOnce || isChecker }
    var reader: ReaderProgram? { programs.first as? ReaderProgram }

    var state: String {
        "\(name) "
            + programs.map { $0.exit.map { "\($0)" } ?? ($0.isFrozen ? "frozen" : "runs") }.joined(separator: " | ")
    }

    private var readerPlan: ReaderPlan {
        let scenario = world.scenario
        var plan = ReaderPlan()
        plan.topic = world.topics[stage].name
        plan.sabotage = scenario.sabotage
        plan.commitMilliseconds = 60_000
        plan.skipsGaps = skipsGaps
        guard !isChecker else {
            plan.untilEnd = true
            return plan
        }
        plan.hasGroup = scenario.mode != .alone
        plan.untilEnd = scenario.end == .untilEnd
        if scenario.end == .endOfStream { plan.untilEndOfStream = stage == 0 ? 1 : scenario.replicas[stage - 1] }
        if scenario.mode == .exactlyOnce || scenario.mode == .acks {
            plan.epochMilliseconds = scenario.epochMilliseconds
        }
        plan.hasAcks = scenario.mode == .acks
        plan.restores = scenario.mode == .exactlyOnce && scenario.stages[stage] == .total
        return plan
    }

    func start() {
        guard !isDone else { return }
        attempt += 1
        wasStopped = false
        let plan = readerPlan
        let topic = world.topics[stage]
        let source = ReaderProgram.Source(
            topic: topic, group: plan.hasGroup ? world.cluster.group("g\(stage)", of: topic) : nil,
            instance: world.scenario.isStatic ? Int32(replica) : nil,
            state: plan.restores ? world.topics[stage + 1] : nil)
        let reader = ReaderProgram(world, "in \(name)", plan, source)
        world.note("pipeline \(name) starts")
        if isReadOnly {
            let collector = Collector(world, "sink \(name)")
            let pipe = Pipe(capacity: world.scenario.pipeCapacity, from: reader, to: collector)
            (reader.pipe, collector.input) = (pipe, pipe)
            if plan.hasAcks { collector.acknowledges = reader }
            if !isChecker { world.add(collector) }
            programs = [reader, collector]
        } else {
            startStage(reader)
        }
        reader.start()
        if isStoppedForGood { world.after(3_000_000) { [self] in stop() } }
    }

    private func startStage(_ reader: ReaderProgram) {
        let scenario = world.scenario
        let kind = scenario.stages[stage]
        let filter = FilterProgram(world, "\(kind) \(name)", kind)
        var plan = WriterSession.Plan()
        plan.isExactlyOnce = true
        plan.writesEndOfStream = scenario.end == .endOfStream
        plan.mayHang = scenario.kinds.contains(.endlessCalls)
        plan.sabotage = scenario.sabotage
        let writer = WriterProgram(
            world, "out \(name)", plan, world.topics[stage + 1], id: Int32(10 * stage + replica), isKeyed: kind != .same
        )
        let first = Pipe(capacity: scenario.pipeCapacity, from: reader, to: filter)
        let second = Pipe(capacity: scenario.pipeCapacity, from: filter, to: writer)
        (reader.pipe, filter.input, filter.output, writer.input) = (first, first, second, second)
        programs = [reader, filter, writer]
    }

    func note(_ program: Program) {
        guard programs.contains(where: { $0 === program }) else { return }
        if let reader = program as? ReaderProgram, reader.hasSaidGap {
            world.judge.noteSaidGap()
            // Its user reads what it says, and decides to go on.
            if reader.exit == .status(69) { skipsGaps = true }
        }
        guard programs.allSatisfy({ !$0.isAlive }) else { return }
        let isWell = programs.allSatisfy { $0.exit == .status(0) || $0.exit == .stopped }
        if !isWell, wasStopped, world.isCalm, world.kinds.isSubset(of: [.replicas, .slowReaders, .lateMarkers]) {
            world.judge.fail("TERM: \(state)")
        }
        if isWell, !wasStopped || isStoppedForGood {
            isDone = true
            world.note("pipeline \(name) has ended well")
            if isChecker { world.checkerHasEnded(programs.last as? Collector) } else { world.pipelineHasEnded() }
        } else if !isAway {
            world.after(1_000_000) { [self] in start() }
        }
    }

    private func stop() {
        guard !isDone, programs.contains(where: \.isAlive) else { return }
        wasStopped = true
        world.note("TERM for in \(name)")
        reader?.stop()
    }

    func stopForGood() {
        isStoppedForGood = true
        stop()
    }

    func goAway(_ milliseconds: Int64) {
        guard attempt > 0, !isDone, !isAway, !isStoppedForGood else { return }
        isAway = true
        stop()
        world.after(milliseconds * 1000) { [self] in
            isAway = false
            if programs.allSatisfy({ !$0.isAlive }) { start() }
        }
    }
}
