/// Brokers, the topics that they lead, and the two coordinators: which of them can be reached when.
final class Cluster {
    enum Condition { case up, down, frozen }

    unowned(unsafe) let world: World
    private(set) var brokers: [Condition]
    private(set) var topics: [Topic] = []
    private(set) var groups: [Group] = []
    let transactions: TransactionCoordinator
    /// The broker that coordinates groups, that for transactions, and when each has loaded its log.
    private(set) var groupSeat = Seat(broker: 0)
    private(set) var transactionSeat = Seat(broker: 0)
    /// Requests that lie at a frozen broker.
    private var held: [(broker: Int, deliver: () -> Void)] = []

    struct Seat {
        var broker: Int
        var readyAt: Int64 = 0
    }

    init(_ world: World, brokers count: Int) {
        self.world = world
        brokers = Array(repeating: .up, count: count)
        transactions = TransactionCoordinator(world)
        groupSeat.broker = world.random.below(count)
        transactionSeat.broker = world.random.below(count)
    }

    func addTopic(_ name: String, partitions: Int, replication: Int) -> Topic {
        let topic = Topic(name)
        for number in 0..<partitions { topic.add(replicas: replicas(number, replication)) }
        topics.append(topic)
        return topic
    }

    func addPartition(to topic: Topic, replication: Int) {
        topic.add(replicas: replicas(topic.partitions.count, replication))
        if let first = topic.partitions.last?.leader, brokers[first] != .up {
            elect(topic.partitions.count - 1, of: topic)
        }
        for group in groups where group.topic === topic {
            world.after(world.random.delay(1_000_000...8_000_000)) { [group] in group.topicHasGrown() }
        }
    }

    private func replicas(_ number: Int, _ replication: Int) -> [Int] {
        (0..<min(replication, brokers.count)).map { (number + $0) % brokers.count }
    }

    func group(_ name: String, of topic: Topic) -> Group {
        if let found = groups.first(where: { $0.name == name }) { return found }
        let group = Group(world, name, topic)
        groups.append(group)
        return group
    }

    // MARK: Reaching a broker

    /// Sends a request and its reply. What comes to nobody, or whose reply is lost, is `nil` to the sender; a broker that is
    /// frozen deals with it when it wakes.
    /// - Parameters:
    ///   - broker: who has to answer; asked when the request arrives.
    ///   - client: gets the reply while it lives.
    func send<Answer>(
        from client: Program, to broker: @escaping () -> Int?, isLossy: Bool = true, _ handle: @escaping () -> Answer,
        _ reply: @escaping (Answer?) -> Void
    ) {
        world.after(world.delay()) { [self, world] in
            guard let target = broker() else {
                return client.after(world.delay() + 10_000) { reply(nil) }
            }
            switch brokers[target] {
            case .up:
                let answer = handle()
                if isLossy, world.losesReply() {
                    client.after(world.random.delay(100_000...2_000_000)) { reply(nil) }
                } else {
                    client.after(world.delay()) { reply(answer) }
                }
            case .down: client.after(world.delay() + 10_000) { reply(nil) }
            case .frozen:
                var isAnswered = false
                held.append(
                    (
                        target,
                        {
                            // Meanwhile another may have become responsible.
                            let answer = broker() == target ? handle() : nil
                            client.after(world.delay()) {
                                if !isAnswered { reply(answer) }
                                isAnswered = true
                            }
                        }
                    ))
                client.after(6_000_000) {
                    if !isAnswered { reply(nil) }
                    isAnswered = true
                }
            }
        }
    }

    /// Asks a coordinator, which may be away, be another by now, or load its log. `handle` may reply later.
    func ask<Value>(
        _ client: Program, _ seat: KeyPath<Cluster, Seat>,
        _ handle: @escaping (_ reply: @escaping (Reply<Value>) -> Void) -> Void,
        _ done: @escaping (Reply<Value>) -> Void
    ) {
        var isAnswered = false
        func answer(_ reply: Reply<Value>) {
            if !isAnswered { done(reply) }
            isAnswered = true
        }
        let broker = self[keyPath: seat].broker
        let isLost = world.losesReply()
        send(from: client, to: { broker }, isLossy: false) { [self] () -> Trouble? in
            if self[keyPath: seat].broker != broker { return .notCoordinator }
            if let trouble = trouble(of: self[keyPath: seat]) { return trouble }
            handle { [world] reply in
                if isLost {
                    client.after(world.random.delay(100_000...2_000_000)) { answer(.refused(.transport)) }
                } else {
                    client.after(world.delay()) { answer(reply) }
                }
            }
            return nil
        } _: { trouble in
            guard let trouble else { return answer(.refused(.transport)) }
            if let trouble { answer(.refused(trouble)) }
        }
    }

    /// Why this coordinator cannot answer now.
    func trouble(of seat: Seat) -> Trouble? {
        if world.now < seat.readyAt { return .coordinatorLoading }
        return nil
    }

    // MARK: Faults

    /// - Parameter isClean: it has handed over what it leads (TERM); else the others find out by its silence.
    func take(_ broker: Int, _ condition: Condition, isClean: Bool) {
        guard brokers[broker] == .up else { return }
        brokers[broker] = condition
        world.note("broker \(broker) is \(condition)")
        let delay = isClean ? world.random.delay(1000...300_000) : world.random.delay(300_000...9_000_000)
        world.after(delay) { [self] in
            if brokers[broker] != .up { handOver(broker) }
        }
    }

    func raise(_ broker: Int) {
        guard brokers[broker] != .up else { return }
        brokers[broker] = .up
        world.note("broker \(broker) is up")
        let waiting = held.filter { $0.broker == broker }
        held.removeAll { $0.broker == broker }
        for request in waiting { request.deliver() }
        for topic in topics {
            for place in topic.partitions.indices {
                let partition = topic.partitions[place]
                if partition.leader == nil { elect(place, of: topic) }
                replicate(partition)
            }
        }
        handOverSeats()
    }

    private func handOver(_ broker: Int) {
        for topic in topics {
            for place in topic.partitions.indices {
                let partition = topic.partitions[place]
                // The last that is in sync stays so: only it has all.
                if let replica = partition.replicas.firstIndex(of: broker), partition.leader != broker,
                    partition.inSyncCount > 1
                {
                    partition.isInSync[replica] = false
                    partition.advance()
                }
                if partition.leader == broker { elect(place, of: topic) }
            }
        }
        handOverSeats()
    }

    private func handOverSeats() {
        if brokers[groupSeat.broker] != .up { moveGroups() }
        if brokers[transactionSeat.broker] != .up { moveTransactions() }
    }

    private var live: [Int] { brokers.indices.filter { brokers[$0] == .up } }

    func moveGroups() {
        guard !live.isEmpty else { return }
        groupSeat = Seat(broker: world.random.pick(live), readyAt: world.now + world.random.delay(1000...2_000_000))
        world.note("groups are coordinated by \(groupSeat.broker)")
        for group in groups { group.hasMoved() }
    }

    func moveTransactions() {
        guard !live.isEmpty else { return }
        transactionSeat = Seat(
            broker: world.random.pick(live), readyAt: world.now + world.random.delay(1000...2_000_000))
        world.note("transactions are coordinated by \(transactionSeat.broker)")
    }

    /// A replica that has all that was acknowledged leads from now on.
    /// - Parameter isUnclean: one that is not in sync may be taken.
    func elect(_ number: Int, of topic: Topic, isUnclean: Bool = false) {
        let partition = topic.partitions[number]
        let old = partition.leader
        if let old, let place = partition.replicas.firstIndex(of: old), brokers[old] != .up, partition.inSyncCount > 1 {
            partition.isInSync[place] = false
        }
        let able = partition.replicas.indices.filter { place in
            brokers[partition.replicas[place]] == .up && (partition.isInSync[place] || isUnclean)
                && partition.replicas[place] != old
        }
        guard let place = able.isEmpty ? nil : world.random.pick(able) else {
            if let old, brokers[old] != .up { partition.loseLeader() }
            return
        }
        let behind = world.kinds.contains(.lateWatermarks) ? world.random.below(4) : 0
        let high = partition.high
        partition.elect(partition.replicas[place], believing: behind == 0 ? nil : max(partition.start, high - behind))
        world.note("\(topic.name)[\(number)] is led by \(partition.replicas[place]), high watermark \(partition.high)")
        if partition.high < high { world.judge.noteLost(partition, from: partition.high, to: high) }
        if behind > 0 {
            world.after(world.random.delay(10_000...1_500_000)) { [partition] in
                partition.believedHigh = nil
                partition.notify()
            }
        }
        replicate(partition)
        partition.advance()
    }

    /// The followers fetch what they do not have.
    func replicate(_ partition: Partition) {
        guard let leader = partition.leader else { return }
        if partition.replicas.count == 1 { return }
        let term = partition.term
        for place in partition.replicas.indices where partition.replicas[place] != leader {
            guard brokers[partition.replicas[place]] == .up else { continue }
            world.after(world.random.delay(300...8_000)) { [partition, self] in
                guard partition.term == term, brokers[partition.replicas[place]] == .up, brokers[leader] == .up else {
                    return
                }
                partition.have[place] = partition.log.count
                partition.isInSync[place] = true
                partition.advance()
            }
        }
    }

    func tearDown() {
        held = []
        for topic in topics { topic.tearDown() }
        for group in groups { group.tearDown() }
    }
}
