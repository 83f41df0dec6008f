import Delivery

/// `kcat-in`: what happens goes into a `ReaderSession`, and what that wants is done. As in the real shell, nothing is decided
/// here.
final class ReaderProgram: Program {
    struct Source {
        let topic: Topic
        let group: Group?
        let instance: Int32?
        /// Where the state comes from.
        let state: Topic?
    }

    /// Behind a pointer: a class's property would be copied to be asked something.
    private let session: UnsafeMutablePointer<ReaderSession>
    private let plan: ReaderPlan
    private let source: Source
    private(set) lazy var consumer = Consumer(self, source.topic, group: source.group, instance: source.instance)
    private lazy var restore = source.state.map { StateRestore(self, $0) }
    var pipe: Pipe?
    private var output: PipeOutput
    private var timer = 0
    private var timerAt: Int64 = .max
    /// Nobody reads the output any more, and: all of it was written.
    private var knowsClosed = false
    private var isStopped = false
    private var hasClosed = false
    private var events: [ReaderEvent] = []
    private var isHandling = false
    /// Messages whose lines are not all in the pipe, and for each partition how far it is there: for the judge.
    private var taken: [(end: Int, partition: Int32, next: Int64)] = []
    private(set) var accepted: [Int64] = []
    /// What it has said on stderr.
    private(set) var words: [String] = []
    private(set) var hasSaidGap = false

    init(_ world: World, _ name: String, _ plan: ReaderPlan, _ source: Source) {
        (self.plan, self.source) = (plan, source)
        output = PipeOutput(weight: world.scenario.weight)
        session = .allocate(capacity: 1)
        session.initialize(to: ReaderSession(plan, session: world.digits(), at: world.milliseconds))
        super.init(world, name)
    }

    deinit {
        session.deinitialize(count: 1)
        session.deallocate()
    }

    func start() { handle(.start) }

    /// SIGTERM.
    func stop() {
        isStopped = true
        handle(.stopAsked)
    }

    func acknowledge(_ epoch: Int64) { handle(.acked(epoch)) }

    // MARK: Events in, actions out

    private func handle(_ event: ReaderEvent) {
        events.append(event)
        guard !isHandling else { return }
        isHandling = true
        var first = 0
        while first < events.count, isAlive {
            first += 1
            for action in session.pointee.handle(events[first - 1], at: world.milliseconds) where mayGoOn() {
                perform(action)
            }
        }
        events = []
        isHandling = false
        arm()
    }

    private func perform(_ action: ReaderAction) {
        world.note("\(name) \(Self.words(action))")
        switch action {
        case .ask(let number, let question): ask(number, question)
        case .subscribe: consumer.subscribe()
        case .assign(let starts):
            consumer.assign(starts.sorted { $0.key < $1.key }.map { (partition: $0.key, offset: $0.value) })
        case .unassign: consumer.unassign()
        case .pause(let partitions): consumer.pause(partitions)
        case .commit(let positions):
            consumer.commit(
                positions.map { (partition: $0.partition, offset: StoredOffset(next: $0.next, ends: $0.ends)) })
        case .write(let line): output.append(.barrier(line))
        case .cut(let end):
            taken.removeAll { $0.end > end }
            if !output.cut(to: end) { world.judge.fail("\(name) cuts its output at \(end), in the middle of a line") }
        case .beginRestore(let partitions, _): restore?.begin(partitions)
        case .stopRestore: restore?.stop()
        case .say(let text):
            words.append(text)
            if text.contains("gone") { hasSaidGap = true }
        case .closeOutput:
            if let pipe, !pipe.isReaderGone { _ = output.write(to: pipe) }
            pipe?.closeWriter()
            hasClosed = true
            handle(.outputKept(nil))
        case .end(let ending):
            if let ending {
                words.append(ending.message)
                if ending.message.contains("gone") { hasSaidGap = true }
            }
            consumer.leave()
            // Without barriers whoever is asked to end dies of the signal, and repeats what it could not commit.
            if isStopped, plan.epochMilliseconds == nil { return end(.stopped) }
            end(knowsClosed ? .brokenPipe : .status(ending.map(\.kind).map(Self.status) ?? 0))
        }
    }

    private static func words(_ action: ReaderAction) -> String {
        switch action {
        case .write(let line): "writes \(String(decoding: line.dropFirst().dropLast(), as: UTF8.self))"
        case .assign(let starts): "assigns \(starts.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" })"
        case .commit(let positions): "commits \(positions.map { "\($0.partition): \($0.next)" })"
        default: "\(action)"
        }
    }

    static func status(_ kind: Ending.Kind) -> Int {
        switch kind {
        case .malformed: 65
        case .unavailable: 69
        case .internalError: 70
        case .inputOutput: 74
        case .tryAgain: 75
        case .notPermitted: 77
        case .configuration: 78
        }
    }

    private func ask(_ number: Int, _ question: Question) {
        func tell<Value>(_ reply: Reply<Value>, _ answer: (Value) -> Answer) {
            switch reply {
            case .success(let value): handle(.answer(number, answer(value)))
            case .failure(let refusal):
                handle(.answer(number, .failure(ErrorCode(refusal.trouble.rawValue), "\(refusal.trouble)")))
            }
        }
        switch question {
        case .partitionCount: consumer.partitionCount { tell($0) { .partitionCount($0) } }
        case .ranges(let partitions): consumer.ranges(partitions) { tell($0) { .ranges($0) } }
        case .stored(let partitions): consumer.stored(partitions, isStable: true) { tell($0) { .offsets($0) } }
        case .committed(let partitions): consumer.stored(partitions, isStable: false) { tell($0) { .offsets($0) } }
        }
    }

    private func take(_ event: Consumer.Event) {
        switch event {
        case .assigned(let partitions): handle(.assigned(partitions, plan.epochMilliseconds == nil ? nil : member))
        case .revoked(let isLost): handle(.revoked(isLost: isLost))
        case .committed(let positions, let trouble):
            var offsets: [Int32: Int64] = [:]
            if trouble == nil { for position in positions { offsets[position.partition] = position.next } }
            handle(.committed(offsets, trouble.map { ErrorCode($0.rawValue) }))
        case .failed(let trouble, let isFatal):
            handle(.clientFailed(ErrorCode(trouble.rawValue), "\(trouble)", isFatal: isFatal))
        }
    }

    private var member: GroupMember? {
        guard let group = source.group, let member = consumer.member else { return nil }
        return GroupMember(
            group: Array(group.name.utf8), generation: consumer.generation, member: Array("\(member)".utf8),
            instance: source.instance.map { Array("\($0)".utf8) })
    }

    // MARK: One turn

    override func step() {
        while isAlive, let event = consumer.nextEvent() { take(event) }
        restore?.fill()
        read()
        write()
        handle(.accepted(output.accepted))
    }

    /// Restored lines go into the output as they come.
    func putState(_ line: Line) {
        output.append(.line(line))
        session.pointee.appended(to: output.position)
    }

    func stateHasEnded() { handle(.restored) }

    var hasRoom: Bool { output.count < world.scenario.outputLimit }

    /// Messages do not come as events of their own: what they change shows at the end of the turn.
    private func read() {
        let now = world.milliseconds
        while isAlive, session.pointee.mayRead, hasRoom, let item = consumer.nextItem() {
            let (number, offset) = (item.partition, Int64(item.offset))
            switch item.kind {
            case .message(.line(let line)):
                guard session.pointee.admits(number, offset: offset) else { continue }
                output.append(.line(line))
                session.pointee.took(number, offset: offset, lines: 1, end: output.position)
                taken.append((output.position, number, offset + 1))
            case .message(.endOfStream(let isOK, let writer)):
                let name = writer.map { Array("\($0)".utf8) }
                session.pointee.take(.endOfStream(number, offset, isOK: isOK, writer: name), at: now)
            case .message: continue
            case .end: session.pointee.take(.endOfPartition(number, offset), at: now)
            case .failure(let trouble):
                world.note("\(name): partition \(number) at \(offset): \(trouble)")
                session.pointee.take(.partitionFailed(number, ErrorCode(trouble.rawValue), "\(trouble)"), at: now)
            }
        }
    }

    private func write() {
        guard let pipe, isAlive, !hasClosed else { return }
        if pipe.isReaderGone {
            if !knowsClosed {
                knowsClosed = true
                handle(.outputClosed)
            }
            return
        }
        guard !output.isEmpty, mayGoOn(), output.write(to: pipe) else { return }
        var count = 0
        while count < taken.count, taken[count].end <= output.accepted {
            let place = Int(taken[count].partition)
            while accepted.count <= place { accepted.append(-1) }
            accepted[place] = max(accepted[place], taken[count].next)
            count += 1
        }
        taken.removeFirst(count)
    }

    /// Comes back when something is due.
    private func arm() {
        guard isAlive else { return }
        let at = max(session.pointee.nextWake(after: world.milliseconds), world.milliseconds + 1)
        guard at < timerAt || timerAt <= world.milliseconds else { return }
        timerAt = at
        timer += 1
        let timer = timer
        after(at * 1000 - world.now) { [self] in
            guard timer == self.timer else { return }
            timerAt = .max
            step()
        }
    }

    override func hasEnded() {
        pipe?.closeWriter()
        world.hasEnded(self)
    }
}

/// Reads the state that belongs to partitions: the same partitions of another topic, up to the end that they had.
final class StateRestore {
    unowned(unsafe) let program: ReaderProgram
    private let consumer: Consumer
    private var open: [(partition: Int32, end: Int64)] = []
    private var round = 0
    private var isReading = false

    init(_ program: ReaderProgram, _ topic: Topic) {
        self.program = program
        consumer = Consumer(program, topic, group: nil, instance: nil)
    }

    func begin(_ partitions: [Int32]) {
        round += 1
        isReading = false
        ask(partitions, round)
    }

    private func ask(_ partitions: [Int32], _ round: Int) {
        consumer.ranges(partitions) { [self] answer in
            guard round == self.round else { return }
            guard case .success(let ranges) = answer else {
                return program.after(200_000) { [self] in if round == self.round { ask(partitions, round) } }
            }
            open = partitions.map { ($0, ranges[$0]?.high ?? 0) }
            consumer.assign(partitions.map { (partition: $0, offset: ranges[$0]?.low ?? 0) })
            isReading = true
            program.wake()
        }
    }

    func stop() {
        round += 1
        isReading = false
        consumer.assign([])
    }

    func fill() {
        while isReading, program.isAlive, program.hasRoom, let item = consumer.nextItem() {
            guard let place = open.firstIndex(where: { $0.partition == item.partition }) else { continue }
            switch item.kind {
            case .message(.line(let line)): program.putState(line)
            case .end where Int64(item.offset) >= open[place].end: open.remove(at: place)
            default: continue
            }
            if open.isEmpty {
                stop()
                return program.stateHasEnded()
            }
        }
    }
}
