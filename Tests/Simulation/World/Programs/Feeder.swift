/// Writes the text into the first topic, in its order, and ends each partition; it is not what is tried here, so it gets over
/// everything.
final class Feeder: Program {
    private let topic: Topic
    private let lines: [Line]
    private let isKeyed: Bool
    private let isTransactional: Bool
    private lazy var producer = Producer(self, topic, transactionalID: 99, timeout: 60_000_000)
    /// Those that came to nothing, to whom something may still come.
    private var past: [Producer] = []
    private var next = 0
    private var sequence: Int32 = 0
    private(set) var isDone = false
    /// Partitions that have got their end.
    private var ended = 0
    /// Microseconds between two portions.
    private let pace: Int

    init(_ world: World, _ topic: Topic, _ lines: [Line], isKeyed: Bool, isTransactional: Bool, pace: Int) {
        (self.topic, self.lines, self.isKeyed, self.isTransactional) = (topic, lines, isKeyed, isTransactional)
        self.pace = pace
        super.init(world, "feeder")
    }

    func start() {
        if isTransactional {
            producer.initialize { [self] failure in
                if failure != nil { return after(500_000) { [self] in start() } }
                // What is given up must never be seen.
                portion(world.random.below(4), isCommit: false)
            }
        } else {
            portion(0, isCommit: true)
        }
    }

    private func portion(_ count: Int, isCommit: Bool) {
        let count = min(count, lines.count - next)
        let isLast = next + count == lines.count && isCommit
        var bodies: [(Body, Int)] = lines[next..<next + count].map { (.line($0), place(of: $0)) }
        let places = topic.partitions.indices
        if isLast, world.scenario.endsStream {
            ended = places.count
            bodies += places.map { (.endOfStream(isOK: true, writer: nil), $0) }
        }
        if !isTransactional { return send(bodies, count, isLast) }
        if producer.begin() != nil { return again() }
        for (body, place) in bodies { producer.send(body, to: place) }
        producer.flush { [self] failure in
            if failure != nil { return again() }
            producer.end(isCommit: isCommit) { [self] failure in
                if failure != nil { return again() }
                if isCommit { next += count }
                goOn(isLast)
            }
        }
    }

    /// The transaction came to nothing: from where the last one ended.
    private func again() {
        producer.end(isCommit: false) { [self] _ in
            past.append(producer)
            producer = Producer(self, topic, transactionalID: 99, timeout: 60_000_000)
            after(200_000) { [self] in start() }
        }
    }

    private func place(of line: Line) -> Int {
        isKeyed ? Int(line.key) % topic.partitions.count : world.random.below(topic.partitions.count)
    }

    private func goOn(_ isLast: Bool) {
        if isLast {
            isDone = true
            world.note("all is fed")
            topicHasGrown()
            return world.feedHasEnded()
        }
        after(Int64(world.random.below(pace) + 1)) { [self] in
            portion(1 + world.random.below(6), isCommit: true)
        }
    }

    /// New partitions get their end, too, as another `kcat-out --eof` writes it.
    func topicHasGrown() {
        guard isDone, world.scenario.endsStream, ended < topic.partitions.count else { return }
        sequence += 1
        attempt(.endOfStream(isOK: true, writer: nil), topic.partitions[ended], sequence, isAgain: false) {}
        ended += 1
        topicHasGrown()
    }

    /// Without transactions: one after the other, each until it is there.
    private func send(_ bodies: [(Body, Int)], _ count: Int, _ isLast: Bool) {
        guard let (body, place) = bodies.first else {
            next += count
            return goOn(isLast)
        }
        let partition = topic.partitions[place]
        sequence += 1
        attempt(body, partition, sequence, isAgain: false) { [self] in
            send(Array(bodies.dropFirst()), count, isLast)
        }
    }

    private func attempt(
        _ body: Body, _ partition: Partition, _ sequence: Int32, isAgain: Bool, _ done: @escaping () -> Void
    ) {
        func again() {
            after(world.random.delay(20_000...300_000)) { [self] in
                attempt(body, partition, sequence, isAgain: true, done)
            }
        }
        guard let leader = partition.leader, world.cluster.brokers[leader] == .up,
            partition.inSyncCount >= (partition.replicas.count + 1) / 2
        else { return again() }
        let known = isAgain ? partition.end(ofBatch: 1, 0, sequence, 1) : nil
        let end = known ?? partition.append([body], producer: 1, epoch: 0, sequence: sequence, inTransaction: false)
        world.cluster.replicate(partition)
        partition.whenReplicated(end) { trouble in if trouble == nil { done() } else { again() } }
    }

    override func tearDown() {
        super.tearDown()
        for producer in past + [producer] { producer.tearDown() }
    }
}
