/// The coordinator of transactions: who may write under an id, and what becomes of what is open. It writes the markers after
/// it has said that a transaction has ended.
final class TransactionCoordinator {
    enum State { case idle, ongoing, committing, aborting }

    final class Entry {
        let id: Int32
        let producer: Int32
        var epoch: Int32 = 0
        var state = State.idle
        var timeout: Int64 = 60_000_000
        var partitions: [Partition] = []
        var group: Group?
        /// Counts transactions, so that an old one's time does not end a newer one.
        var number = 0
        var markersOwed = 0
        var lastWasCommit = false

        init(id: Int32, producer: Int32) { (self.id, self.producer) = (id, producer) }
    }

    unowned(unsafe) let world: World
    private(set) var entries: [Entry] = []

    init(_ world: World) { self.world = world }

    func entry(_ id: Int32) -> Entry? { entries.first { $0.id == id } }

    func begin(id: Int32, timeout: Int64) -> Reply<(producer: Int32, epoch: Int32)> {
        let entry: Entry
        if let found = self.entry(id) {
            entry = found
        } else {
            entry = Entry(id: id, producer: 100 + id)
            entries.append(entry)
        }
        switch entry.state {
        case .idle:
            entry.epoch += 1
            entry.timeout = timeout
            world.note("transactional id \(id): epoch \(entry.epoch)")
            return .success((entry.producer, entry.epoch))
        case .ongoing:
            entry.epoch += 1
            end(entry, isCommit: false)
            return .refused(.concurrentTransactions)
        case .committing, .aborting: return .refused(.concurrentTransactions)
        }
    }

    private func check(_ entry: Entry, _ epoch: Int32) -> Trouble? {
        if epoch < entry.epoch { return .producerFenced }
        if entry.state == .committing || entry.state == .aborting { return .concurrentTransactions }
        return nil
    }

    /// A partition, or the group's offsets, become part of the transaction.
    func add(_ partition: Partition?, _ group: Group?, to entry: Entry, epoch: Int32) -> Reply<Void> {
        if let trouble = check(entry, epoch) { return .refused(trouble) }
        if entry.state == .idle {
            entry.state = .ongoing
            entry.number += 1
            entry.partitions = []
            entry.group = nil
            let number = entry.number
            world.after(entry.timeout) { [self] in
                guard entry.state == .ongoing, entry.number == number else { return }
                world.note("transactional id \(entry.id): its time is up")
                entry.epoch += 1
                end(entry, isCommit: false)
            }
        }
        if let partition, !entry.partitions.contains(where: { $0 === partition }) { entry.partitions.append(partition) }
        if let group { entry.group = group }
        return .success(())
    }

    func isOngoing(_ entry: Entry, _ partition: Partition) -> Bool {
        entry.state == .ongoing && entry.partitions.contains { $0 === partition }
    }

    /// EndTxn. The last answer is given again to who asks again.
    func end(_ entry: Entry, epoch: Int32, isCommit: Bool) -> Reply<Void> {
        if epoch < entry.epoch { return .refused(.producerFenced) }
        switch entry.state {
        case .ongoing:
            end(entry, isCommit: isCommit)
            return .success(())
        case .committing: return isCommit ? .success(()) : .refused(.invalidTransactionState)
        case .aborting: return isCommit ? .refused(.invalidTransactionState) : .success(())
        case .idle:
            return entry.lastWasCommit == isCommit ? .success(()) : .refused(.invalidTransactionState)
        }
    }

    private func end(_ entry: Entry, isCommit: Bool) {
        entry.state = isCommit ? .committing : .aborting
        entry.lastWasCommit = isCommit
        world.note("transactional id \(entry.id): \(isCommit ? "commits" : "aborts")")
        let group = entry.group
        entry.markersOwed = entry.partitions.count + (group == nil ? 0 : 1)
        let epoch = entry.epoch
        for partition in entry.partitions { mark(partition, entry, epoch, isCommit) }
        if let group { settle(group, entry, isCommit) }
        if entry.markersOwed == 0 { entry.state = .idle }
    }

    private func markerDelay() -> Int64 {
        world.kinds.contains(.lateMarkers) ? world.random.delay(500...600_000) : world.random.delay(300...5000)
    }

    private func mark(_ partition: Partition, _ entry: Entry, _ epoch: Int32, _ isCommit: Bool) {
        world.after(markerDelay()) { [self, partition] in
            guard let leader = partition.leader, world.cluster.brokers[leader] == .up else {
                // Deleted with its topic, or without a leader for now.
                if partition.topic.partitions.contains(where: { $0 === partition }) {
                    return mark(partition, entry, epoch, isCommit)
                }
                return owe(entry)
            }
            let end = partition.appendMarker(isCommit: isCommit, producer: entry.producer, epoch: epoch)
            world.cluster.replicate(partition)
            partition.whenReplicated(end) { [self, partition] trouble in
                if trouble != nil { return mark(partition, entry, epoch, isCommit) }
                partition.notify()
                owe(entry)
            }
        }
    }

    private func settle(_ group: Group, _ entry: Entry, _ isCommit: Bool) {
        world.after(markerDelay()) { [self, group] in
            let seat = world.cluster.groupSeat
            guard world.cluster.brokers[seat.broker] == .up, world.now >= seat.readyAt else {
                return settle(group, entry, isCommit)
            }
            group.settlePending(entry.producer, isCommit: isCommit)
            owe(entry)
        }
    }

    private func owe(_ entry: Entry) {
        entry.markersOwed -= 1
        if entry.markersOwed == 0 { entry.state = .idle }
    }
}
