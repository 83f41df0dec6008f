import Delivery

/// One run: a cluster, the programs of a scenario, and what happens to them.
final class World {
    let scenario: Scenario
    var kinds: Kinds { scenario.kinds }
    var random: Random
    private var schedule = Schedule()
    private(set) lazy var cluster = Cluster(self, brokers: scenario.brokers)
    private(set) lazy var judge = Judge(self)
    var programs: [Program] = []
    private(set) var topics: [Topic] = []
    private(set) var pipelines: [Pipeline] = []
    private var collectors: [Collector] = []
    private var feeder: Feeder?
    private var hasEnded = false
    private var checker: Pipeline?
    /// Microseconds: when a group last got on.
    var lastProgress: Int64 = 0
    /// No member was taken for dead, so nothing may come twice.
    var isCalm = true
    private let isTraced: Bool
    private(set) var trace: [String] = []

    init(_ scenario: Scenario, isTraced: Bool) {
        (self.scenario, self.isTraced) = (scenario, isTraced)
        random = Random(seed: scenario.seed ^ 0x5EED_0F_C4A05)
    }

    // MARK: Time and chance

    var now: Int64 { schedule.now }
    var milliseconds: Int64 { schedule.now / 1000 }
    var eventCount: Int { schedule.count }

    func after(_ microseconds: Int64, _ action: @escaping () -> Void) { schedule.add(after: microseconds, action) }

    /// How long a request or a reply is under way.
    func delay() -> Int64 { kinds.contains(.wideDelays) ? random.delay(100...400_000) : random.delay(100...2000) }

    func losesReply() -> Bool { kinds.contains(.lostReplies) && !isOver && random.once(in: 25) }

    /// Whether the time of faults has passed.
    var isOver: Bool { milliseconds > Scenario.troubled }

    func digits() -> [UInt8] {
        var digits: [UInt8] = []
        for _ in 0..<2 {
            let text = String(random.next(), radix: 16)
            digits += String(repeating: "0", count: 16 - text.count).utf8
            digits += text.utf8
        }
        return digits
    }

    func note(_ words: @autoclosure () -> String) {
        guard isTraced else { return }
        let time = "\(now / 1000).\(String(1000 + now % 1000).dropFirst())"
        trace.append(String(repeating: " ", count: max(0, 11 - time.count)) + time + "  " + words())
    }

    // MARK: The run

    /// How long all may take once the faults are over, in milliseconds.
    static let patience: Int64 = 400_000
    static let mostEvents = 500_000

    /// Returns what was wrong; nil: nothing.
    func run() -> String? {
        for (place, partitions) in scenario.partitions.enumerated() {
            topics.append(cluster.addTopic("t\(place)", partitions: partitions, replication: scenario.replication))
        }
        let words = scenario.text.flatMap { $0 }.map { Line(key: $0) }
        let lines = scenario.isKeyed ? words : (0..<scenario.lineCount).map { Line(key: Int32($0)) }
        let feeder = Feeder(
            self, topics[0], lines, isKeyed: scenario.isKeyed, isTransactional: scenario.isFedByTransactions,
            pace: scenario.pace)
        self.feeder = feeder
        feeder.start()
        for (stage, count) in scenario.replicas.enumerated() {
            for replica in 0..<count { pipelines.append(Pipeline(self, stage: stage, replica: replica)) }
        }
        if scenario.end != .untilEnd { startAll() }
        let operators = Operator(self)
        for fault in scenario.faults { after(fault.at * 1000) { operators.commit(fault.what) } }
        let last = scenario.faults.map(\.at).max() ?? 0
        let deadline = (max(Scenario.troubled, last) + Self.patience) * 1000
        while !hasEnded, judge.failure == nil, let action = schedule.next() {
            if now > deadline {
                judge.fail("not through after \(milliseconds) ms; \(waitingFor)")
                break
            }
            if schedule.count > Self.mostEvents {
                judge.fail("no end of events after \(milliseconds) ms; \(waitingFor)")
                break
            }
            action()
        }
        if judge.failure == nil, !hasEnded { judge.fail("nothing happens any more; \(waitingFor)") }
        defer { tearDown() }
        return judge.failure
    }

    private var waitingFor: String {
        let left = pipelines.filter { !$0.isDone }.map { $0.state }
        return "last progress at \(lastProgress / 1000); "
            + (left.isEmpty ? "the last reader" : left.joined(separator: "; "))
    }

    private func startAll() {
        for pipeline in pipelines { after(random.delay(10...2_000_000)) { pipeline.start() } }
    }

    func topicHasGrown() { feeder?.topicHasGrown() }

    func feedHasEnded() {
        if scenario.end == .untilEnd { startAll() }
        if scenario.end == .term { stopWhenComplete() }
        pipelineHasEnded()
    }

    /// A stream without end: all is stopped when it has come out.
    private func stopWhenComplete() {
        after(300_000) { [self] in
            guard judge.isComplete else { return stopWhenComplete() }
            for pipeline in pipelines { pipeline.stopForGood() }
        }
    }

    func hasEnded(_ program: Program) {
        judge.check(program)
        for pipeline in pipelines { pipeline.note(program) }
        checker?.note(program)
    }

    /// The last topic is being read, to see what came out.
    var isChecking: Bool { checker != nil }

    func pipelineHasEnded() {
        guard !hasEnded, pipelines.allSatisfy(\.isDone), feeder?.isDone == true, checker == nil else { return }
        guard scenario.mode == .exactlyOnce else {
            judge.judgeEnd()
            hasEnded = true
            return
        }
        // Whoever is started after a writer has ended with 0 sees all of it.
        let checker = Pipeline(self, stage: scenario.stages.count, replica: 0)
        self.checker = checker
        checker.start()
    }

    func checkerHasEnded(_ collector: Collector?) {
        hasEnded = true
        judge.judgeEnd()
        guard judge.failure == nil, let collector else { return }
        let size = max(scenario.words, scenario.lineCount)
        let there = judge.counts(of: topics[scenario.stages.count], areTotals: false, size: size)
        var found = Array(repeating: 0, count: size)
        for line in collector.lines { found[Int(line.key)] += Int(line.count) }
        if found != there { judge.fail("a reader of the last topic prints something else than is there") }
    }

    func add(_ collector: Collector) { collectors.append(collector) }

    /// What was printed, as counts by key: by all readers of a group, or by the last of a reader by itself.
    func collected(_ size: Int) -> [Int] {
        var counts = Array(repeating: 0, count: size)
        for collector in scenario.mode == .alone ? collectors.suffix(1) : collectors[...] {
            for line in collector.lines { counts[Int(line.key)] += 1 }
        }
        return counts
    }

    /// Takes apart what holds itself.
    private func tearDown() {
        schedule.clear()
        cluster.tearDown()
        for program in programs { program.tearDown() }
        programs = []
        pipelines = []
        collectors = []
        (feeder, checker) = (nil, nil)
    }
}
