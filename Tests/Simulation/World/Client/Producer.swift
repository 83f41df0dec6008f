import Delivery

/// librdkafka's producer, as far as a writer can tell: lines by partition in batches that are sent again until they are there,
/// and the steps of a transaction.
final class Producer {
    struct Failure: Equatable {
        var trouble: Trouble
        var isFatal = false
        var requiresAbort = false
        var isRetriable = false
    }

    private struct Lane {
        var waiting: [Body] = []
        var underWay: [Body] = []
        var sequence: Int32 = 0
        var isInTransaction = false
        var isAdding = false
    }

    /// How long a line may take.
    static let messageTimeout: Int64 = 60_000_000
    /// Bytes a second that brokers take, where they have quotas.
    static let quota: Int64 = 60_000

    unowned(unsafe) let program: Program
    unowned(unsafe) let world: World
    let topic: Topic
    let transactionalID: Int32
    let timeout: Int64
    private var entry: TransactionCoordinator.Entry?
    private var producer: Int32 = -1
    private var epoch: Int32 = 0
    private var lanes: [Lane] = []
    /// Why this transaction, or this producer, comes to nothing.
    private(set) var failure: Failure?
    private var busyUntil: Int64 = 0
    private var flushed: ((Failure?) -> Void)?
    /// Counts transactions: what belongs to an earlier one is no longer of interest.
    private var number = 0

    init(_ program: Program, _ topic: Topic, transactionalID: Int32, timeout: Int64) {
        (self.program, self.topic, self.transactionalID, self.timeout) = (program, topic, transactionalID, timeout)
        world = program.world
    }

    // MARK: Steps

    private func ask<Value>(
        _ handle: @escaping () -> Reply<Value>, _ done: @escaping (Reply<Value>) -> Void
    ) {
        world.cluster.ask(program, \.transactionSeat) {
            $0(handle())
        } _: {
            done($0)
        }
    }

    /// Tries until it is done or will never be.
    private func persist<Value>(
        until deadline: Int64 = .max, _ handle: @escaping () -> Reply<Value>, _ done: @escaping (Reply<Value>) -> Void
    ) {
        ask(handle) { [self] answer in
            guard case .failure(let refusal) = answer, refusal.trouble.passes, world.now < deadline else {
                return done(answer)
            }
            program.after(world.random.delay(20_000...200_000)) { [self] in
                persist(until: deadline, handle, done)
            }
        }
    }

    func initialize(_ done: @escaping (Failure?) -> Void) {
        persist { [self] in
            world.cluster.transactions.begin(id: transactionalID, timeout: timeout)
        } _: { [self] (answer: Reply<(producer: Int32, epoch: Int32)>) in
            switch answer {
            case .success(let (producer, epoch)):
                (self.producer, self.epoch) = (producer, epoch)
                entry = world.cluster.transactions.entry(transactionalID)
                if !topic.isTransactional(producer) { topic.transactional.append(producer) }
                done(nil)
            case .failure(let refusal): done(Failure(trouble: refusal.trouble, isFatal: true))
            }
        }
    }

    func begin() -> Failure? {
        if let failure { return failure }
        number += 1
        lanes = topic.partitions.indices.map { lanes.indices.contains($0) ? lanes[$0] : Lane() }
        for lane in lanes.indices { lanes[lane].isInTransaction = false }
        return nil
    }

    var partitionCount: Int { topic.partitions.count }

    func send(_ body: Body, to partition: Int) {
        while lanes.count <= partition { lanes.append(Lane()) }
        lanes[partition].waiting.append(body)
        if !lanes[partition].isAdding, lanes[partition].underWay.isEmpty {
            lanes[partition].isAdding = true
            let number = number
            program.after(world.random.delay(100...5000)) { [self] in
                guard number == self.number else { return }
                lanes[partition].isAdding = false
                push(partition)
            }
        }
    }

    /// Lines that the topic has not taken.
    var underWay: Int { lanes.reduce(0) { $0 + $1.waiting.count + $1.underWay.count } }

    private func push(_ place: Int) {
        guard failure == nil, lanes[place].underWay.isEmpty, !lanes[place].waiting.isEmpty, let entry else { return }
        let partition = topic.partitions[place]
        guard lanes[place].isInTransaction else {
            guard !lanes[place].isAdding else { return }
            lanes[place].isAdding = true
            let (number, epoch) = (number, epoch)
            return persist { [world] in
                world.cluster.transactions.add(partition, nil, to: entry, epoch: epoch)
            } _: { [self] answer in
                guard number == self.number else { return }
                lanes[place].isAdding = false
                switch answer {
                case .success:
                    lanes[place].isInTransaction = true
                    push(place)
                case .failure(let refusal): fail(refusal.trouble)
                }
            }
        }
        lanes[place].underWay = lanes[place].waiting
        lanes[place].waiting = []
        transmit(place, isAgain: false, since: world.now)
    }

    private func transmit(_ place: Int, isAgain: Bool, since: Int64) {
        let partition = topic.partitions[place]
        guard let entry else { return }
        let (bodies, sequence, epoch, producer, number) = (
            lanes[place].underWay, lanes[place].sequence, epoch, producer, number
        )
        func taken(_ trouble: Trouble?) {
            guard number == self.number, failure == nil else { return }
            guard let trouble else {
                lanes[place].underWay = []
                lanes[place].sequence += Int32(bodies.count)
                push(place)
                return noteProgress()
            }
            guard trouble.passes else { return fail(trouble) }
            if world.now - since > Self.messageTimeout { return fail(.messageTimedOut) }
            program.after(world.random.delay(20_000...300_000)) { [self] in
                if number == self.number { transmit(place, isAgain: true, since: since) }
            }
        }
        var isAnswered = false
        var bytes = 0
        for case .line(let line) in bodies where world.kinds.contains(.quotas) {
            bytes += line.size(weight: world.scenario.weight)
        }
        if bytes > 0, !isAgain {
            busyUntil = max(busyUntil, world.now) + Int64(bytes) * 1_000_000 / Self.quota
            return program.after(busyUntil - world.now) { [self] in
                if number == self.number { transmit(place, isAgain: true, since: since) }
            }
        }
        world.cluster.send(from: program, to: { partition.leader }, isLossy: false) { [self] () -> Trouble? in
            let cluster = world.cluster
            if partition.leader == nil { return .notLeader }
            if partition.inSyncCount < (partition.replicas.count + 1) / 2 { return .notEnoughReplicas }
            if epoch < max(partition.newestEpoch(of: producer), entry.epoch) { return .invalidProducerEpoch }
            var end = isAgain ? partition.end(ofBatch: producer, epoch, sequence, bodies.count) : nil
            if end == nil {
                guard cluster.transactions.isOngoing(entry, partition) else { return .invalidTransactionState }
                end = partition.append(
                    bodies, producer: producer, epoch: epoch, sequence: sequence, inTransaction: true)
                cluster.replicate(partition)
                // The request comes twice, since its sender did not see the answer in time.
            }
            guard let end else { return .unknown }
            let isLost = world.losesReply()
            partition.whenReplicated(end) { [self] trouble in
                program.after(isLost ? 1_000_000 : world.delay()) {
                    if !isAnswered { taken(isLost ? .timedOut : trouble) }
                    isAnswered = true
                }
            }
            return nil
        } _: { answer in
            guard !isAnswered else { return }
            guard let answer else {
                isAnswered = true
                return taken(.transport)
            }
            if let trouble = answer {
                isAnswered = true
                taken(trouble)
            }
        }
    }

    private func fail(_ trouble: Trouble) {
        guard failure == nil else { return }
        let isFatal = trouble == .invalidProducerEpoch || trouble == .producerFenced
        failure = Failure(trouble: isFatal ? .fenced : trouble, isFatal: isFatal, requiresAbort: !isFatal)
        noteProgress()
    }

    private func noteProgress() {
        program.wake()
        guard let flushed, failure != nil || underWay == 0 else { return }
        self.flushed = nil
        flushed(failure)
    }

    func flush(_ done: @escaping (Failure?) -> Void) {
        if failure != nil || underWay == 0 { return done(failure) }
        flushed = done
        for place in lanes.indices where !lanes[place].isAdding { push(place) }
    }

    func sendOffsets(_ offsets: EpochOffsets, _ done: @escaping (Failure?) -> Void) {
        if let failure { return done(failure) }
        guard let entry,
            let group = world.cluster.groups.first(where: { $0.name.utf8.elementsEqual(offsets.member.group) })
        else { return done(Failure(trouble: .state, isFatal: true)) }
        let epoch = epoch
        persist { [world] in
            world.cluster.transactions.add(nil, group, to: entry, epoch: epoch)
        } _: { [self] answer in
            if case .failure(let refusal) = answer {
                fail(refusal.trouble)
                return done(failure)
            }
            put(offsets, group, attempt: 0, done)
        }
    }

    private func put(_ offsets: EpochOffsets, _ group: Group, attempt: Int, _ done: @escaping (Failure?) -> Void) {
        let positions = offsets.positions.map {
            (partition: $0.partition, offset: StoredOffset(next: $0.next, ends: $0.ends))
        }
        let member = Int32(String(decoding: offsets.member.member, as: UTF8.self)) ?? -1
        let instance = offsets.member.instance.flatMap { Int32(String(decoding: $0, as: UTF8.self)) }
        let (producer, epoch) = (producer, epoch)
        let seat = world.cluster.groupSeat.broker
        world.cluster.ask(program, \.groupSeat) { [self] reply in
            // A transaction that the coordinator has ended takes nothing more.
            guard let entry, entry.epoch == epoch, entry.state == .ongoing else {
                return reply(.refused(.invalidProducerEpoch))
            }
            let refusal = group.commitInTransaction(
                of: producer, member, offsets.member.generation, instance, positions)
            reply(refusal.map { .refused($0) } ?? .success(()))
        } _: { [self] (answer: Reply<Void>) in
            guard case .failure(let refusal) = answer else { return done(nil) }
            if refusal.trouble.passes {
                // librdkafka from 2.10 on: the call waits for a broker that was the coordinator, for ever.
                if world.kinds.contains(.endlessCalls), world.cluster.groupSeat.broker != seat {
                    return world.note("\(program.name): rd_kafka_send_offsets_to_transaction does not return")
                }
                return program.after(world.random.delay(50_000...500_000)) { [self] in
                    put(offsets, group, attempt: attempt + 1, done)
                }
            }
            fail(refusal.trouble)
            done(failure)
        }
    }

    func end(isCommit: Bool, _ done: @escaping (Failure?) -> Void) {
        if isCommit, let failure { return done(failure) }
        if !isCommit {
            flushed = nil
            number += 1
            if failure?.isFatal == true { return done(failure) }
            for lane in lanes.indices { lanes[lane] = Lane(sequence: lanes[lane].sequence + 1000) }
        }
        guard let entry else { return done(Failure(trouble: .state)) }
        let epoch = epoch
        persist { [self] in
            if entry.state == .idle, entry.epoch == epoch, !lanes.contains(where: { $0.isInTransaction }) {
                return .success(())  // nothing was sent: no broker knows of it
            }
            return world.cluster.transactions.end(entry, epoch: epoch, isCommit: isCommit)
        } _: { [self] answer in
            switch answer {
            case .success:
                failure = nil
                done(nil)
            case .failure(let refusal):
                fail(refusal.trouble)
                done(failure)
            }
        }
    }

    func tearDown() { flushed = nil }
}
