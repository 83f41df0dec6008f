/// A record in a log. Its place there is its offset.
struct Record {
    enum State { case visible, open, aborted }

    var body: Body
    var producer: Int32 = -1
    var epoch: Int32 = 0
    var sequence: Int32 = 0
    var state = State.visible
}

/// A partition: the leader's log, and how much of it the other replicas have.
final class Partition {
    let topic: Topic
    let number: Int32
    private(set) var log: [Record] = []
    private(set) var start = 0
    /// The high watermark: all in-sync replicas have what stands before it.
    private(set) var high = 0
    /// What a new leader takes for it, until it has heard from its followers.
    var believedHigh: Int?
    /// A broker; nil while there is none.
    var leader: Int?
    let replicas: [Int]
    /// For each replica: whether it is in sync, and the end of its log.
    var isInSync: [Bool]
    var have: [Int]
    /// Transactions whose end has not come: the producer, and the offset of its first record.
    private(set) var open: [(producer: Int32, first: Int)] = []
    /// The newest epoch of a producer that a record or a marker has shown.
    private var epochs: [(producer: Int32, epoch: Int32)] = []
    /// Counts elections: what was sent in an earlier term does not arrive.
    var term = 0
    /// Who waits for more to read, and who for the high watermark to come to an offset.
    private var readers: [() -> Void] = []
    private var awaited: [(end: Int, done: (Trouble?) -> Void)] = []

    init(_ topic: Topic, _ number: Int32, replicas: [Int]) {
        (self.topic, self.number, self.replicas) = (topic, number, replicas)
        leader = replicas.first
        isInSync = replicas.map { _ in true }
        have = replicas.map { _ in 0 }
    }

    var visibleHigh: Int { believedHigh ?? high }
    /// The last stable offset: where a reader of committed records must stop.
    var stable: Int { min(visibleHigh, open.first?.first ?? .max) }
    var inSyncCount: Int { isInSync.reduce(0) { $0 + ($1 ? 1 : 0) } }

    // MARK: Writing

    /// Where this batch stands, if it was appended before.
    func end(ofBatch producer: Int32, _ epoch: Int32, _ sequence: Int32, _ count: Int) -> Int? {
        guard
            let first = log.firstIndex(where: {
                $0.producer == producer && $0.epoch == epoch && $0.sequence == sequence
            })
        else { return nil }
        return first + count
    }

    func newestEpoch(of producer: Int32) -> Int32 { epochs.first { $0.producer == producer }?.epoch ?? 0 }

    private func note(_ epoch: Int32, of producer: Int32) {
        if let place = epochs.firstIndex(where: { $0.producer == producer }) {
            epochs[place].epoch = max(epochs[place].epoch, epoch)
        } else {
            epochs.append((producer, epoch))
        }
    }

    /// Appends at the leader. Returns the end.
    func append(_ bodies: [Body], producer: Int32, epoch: Int32, sequence: Int32, inTransaction: Bool) -> Int {
        for (place, body) in bodies.enumerated() {
            if inTransaction, !open.contains(where: { $0.producer == producer }) { open.append((producer, log.count)) }
            log.append(
                Record(
                    body: body, producer: producer, epoch: epoch, sequence: sequence + Int32(place),
                    state: inTransaction ? .open : .visible))
        }
        note(epoch, of: producer)
        return noteAppended()
    }

    func appendMarker(isCommit: Bool, producer: Int32, epoch: Int32) -> Int {
        settle(producer, isCommit, before: log.count)
        log.append(Record(body: .marker(isCommit: isCommit), producer: producer, epoch: epoch, sequence: -1))
        note(epoch, of: producer)
        return noteAppended()
    }

    private func settle(_ producer: Int32, _ isCommit: Bool, before end: Int) {
        guard let place = open.firstIndex(where: { $0.producer == producer }) else { return }
        for offset in open[place].first..<end where log[offset].producer == producer && log[offset].state == .open {
            log[offset].state = isCommit ? .visible : .aborted
        }
        open.remove(at: place)
    }

    private func noteAppended() -> Int {
        if let leader, let place = replicas.firstIndex(of: leader) { have[place] = log.count }
        advance()
        return log.count
    }

    /// Moves the high watermark to what all in-sync replicas have.
    func advance() {
        guard leader != nil else { return }
        var least = log.count
        for place in replicas.indices where isInSync[place] { least = min(least, have[place]) }
        if least > high { high = least }
        if believedHigh == nil { notify() }
    }

    func notify() {
        let readers = readers
        self.readers = []
        for reader in readers { reader() }
        guard awaited.contains(where: { $0.end <= high }) else { return }
        let done = awaited.filter { $0.end <= high }
        awaited.removeAll { $0.end <= high }
        for waiter in done { waiter.done(nil) }
    }

    /// Calls when all in-sync replicas have what stands before `end`, or when it can no longer be known.
    func whenReplicated(_ end: Int, _ done: @escaping (Trouble?) -> Void) {
        if end <= high { done(nil) } else { awaited.append((end, done)) }
    }

    func whenMoved(_ reader: @escaping () -> Void) { readers.append(reader) }

    // MARK: What happens to it

    /// A replica becomes the leader: what it does not have is gone.
    func elect(_ broker: Int, believing: Int?) {
        guard let place = replicas.firstIndex(of: broker) else { return }
        term += 1
        leader = broker
        isInSync[place] = true
        truncate(to: have[place])
        believedHigh = believing.map { min($0, high) }
        loseWaiters(.notLeader)
    }

    func loseLeader() {
        term += 1
        leader = nil
        loseWaiters(.notLeader)
    }

    private func loseWaiters(_ trouble: Trouble) {
        let waiters = awaited
        awaited = []
        for waiter in waiters { waiter.done(trouble) }
    }

    private func truncate(to end: Int) {
        guard end < log.count else { return }
        log.removeLast(log.count - end)
        for place in have.indices { have[place] = min(have[place], end) }
        high = min(high, end)
        // A marker may be among what is gone: transactions are as the log says.
        let records = log
        open = []
        for offset in log.indices where log[offset].state != .visible || log[offset].sequence >= 0 {
            if log[offset].producer >= 0, topic.isTransactional(log[offset].producer) { log[offset].state = .open }
        }
        for (offset, record) in records.enumerated() {
            if case .marker(let isCommit) = record.body {
                settle(record.producer, isCommit, before: offset)
            } else if log[offset].state == .open, !open.contains(where: { $0.producer == record.producer }) {
                open.append((record.producer, offset))
            }
        }
    }

    /// Retention, or an operator, deletes what stands before `offset`.
    func deleteRecords(before offset: Int) {
        start = max(start, min(offset, high))
    }

    func tearDown() { (readers, awaited) = ([], []) }

    func compact(_ offset: Int) { log[offset].body = .removed }
}

/// A topic: its partitions.
final class Topic {
    let name: String
    private(set) var partitions: [Partition] = []
    /// Producers that write transactions.
    var transactional: [Int32] = []
    /// Topics are told apart by more than their name: counts how often this one was made anew.
    var incarnation = 0

    init(_ name: String) { self.name = name }

    func isTransactional(_ producer: Int32) -> Bool { transactional.contains(producer) }

    func add(replicas: [Int]) {
        partitions.append(Partition(self, Int32(partitions.count), replicas: replicas))
    }

    func tearDown() {
        for partition in partitions { partition.tearDown() }
        partitions = []
    }

    /// Deleted, and created again with as many partitions.
    func makeAnew() {
        incarnation += 1
        let old = partitions
        partitions = []
        for partition in old { add(replicas: partition.replicas) }
        for partition in old {
            partition.leader = nil
            partition.notify()
        }
    }
}
