import Delivery

/// librdkafka's consumer, as far as a reader can tell: it fetches ahead, keeps the membership in a group alive, and hands out
/// messages and events when it is asked.
final class Consumer {
    struct Item {
        enum Kind {
            case message(Body)
            case end
            case failure(Trouble)
        }
        let version: Int
        let partition: Int32
        let offset: Int
        let kind: Kind
    }

    enum Event {
        case assigned([Int32])
        case revoked(isLost: Bool)
        case committed([(partition: Int32, next: Int64)], Trouble?)
        case failed(Trouble, isFatal: Bool)
    }

    struct Place {
        let partition: Int32
        var position: Int
        /// The end that was told last.
        var toldEnd = -1
        var isPaused = false
        var isFetching = false
    }

    static let queueLimit = 24
    static let pollInterval: Int64 = 60_000_000

    unowned(unsafe) let program: Program
    unowned(unsafe) let world: World
    let topic: Topic
    let group: Group?
    let instance: Int32?
    var places: [Place] = []
    var version = 0
    private var queue: [Item] = []
    private var head = 0
    private var events: [Event] = []

    // The membership.
    var member: Int32?
    var generation: Int32 = -1
    /// The group's coordinator has not been heard of in this generation.
    var hasAssignment = false
    var isRevoking = false
    var isLost = false
    var isLeaving = false
    var heartbeats = 0
    var lastPoll: Int64 = 0
    var isFenced = false

    init(_ program: Program, _ topic: Topic, group: Group?, instance: Int32?) {
        (self.program, self.topic, self.group, self.instance) = (program, topic, group, instance)
        world = program.world
    }

    // MARK: What the program takes

    func nextEvent() -> Event? {
        lastPoll = world.now
        return events.isEmpty ? nil : events.removeFirst()
    }

    /// The next message, end or error of a partition that is read.
    func nextItem() -> Item? {
        lastPoll = world.now
        while head < queue.count {
            let item = queue[head]
            head += 1
            if item.version == version {
                if head * 2 > Self.queueLimit { fetchAll() }
                return item
            }
        }
        queue.removeAll(keepingCapacity: true)
        head = 0
        fetchAll()
        return nil
    }

    func tell(_ event: Event) {
        events.append(event)
        program.wake()
    }

    // MARK: Fetching

    func assign(_ starts: [(partition: Int32, offset: Int64)]) {
        version += 1
        places = starts.map { Place(partition: $0.partition, position: Int($0.offset)) }
        fetchAll()
    }

    func pause(_ partitions: [Int32]) {
        for place in places.indices where partitions.contains(places[place].partition) { places[place].isPaused = true }
    }

    private func fetchAll() {
        for place in places.indices where !places[place].isFetching && !places[place].isPaused { fetch(place) }
    }

    private func fetch(_ place: Int) {
        places[place].isFetching = queue.count - head < Self.queueLimit
        guard places[place].isFetching else { return }
        let (version, number) = (version, places[place].partition)
        guard topic.partitions.indices.contains(Int(number)) else { return }
        let partition = topic.partitions[Int(number)]
        let offset = places[place].position
        // At the end it waits there for more.
        if places[place].toldEnd == offset, partition.start <= offset,
            min(partition.stable, partition.visibleHigh) <= offset,
            partition.log.count >= offset
        {
            partition.whenMoved { [self] in
                program.after(world.delay()) { [self] in
                    if version == self.version { fetch(place) }
                }
            }
            return
        }
        let most = 1 + world.random.below(8)
        world.cluster.send(from: program, to: { partition.leader }) { [self] in
            read(partition, from: offset, most: most)
        } _: { [self] answer in
            guard version == self.version else { return }
            guard let answer else {
                return program.after(world.random.delay(50_000...500_000)) { [self] in
                    if version == self.version { fetch(place) }
                }
            }
            take(answer, place)
        }
    }

    private enum Fetched {
        case records([(offset: Int, body: Body)], next: Int, isEnd: Bool)
        case trouble(Trouble)
    }

    private func read(_ partition: Partition, from offset: Int, most: Int) -> Fetched {
        if partition.leader == nil { return .trouble(.notLeader) }
        if offset < partition.start || offset > partition.log.count { return .trouble(.offsetOutOfRange) }
        if world.kinds.contains(.passingErrors), world.random.once(in: 60) {
            return .trouble(world.random.pick([.unknown, .unknownTopic]))
        }
        let limit = min(partition.stable, partition.visibleHigh)
        var (next, records) = (offset, [(offset: Int, body: Body)]())
        while next < limit, records.count < most {
            let record = partition.log[next]
            switch record.body {
            case .line, .endOfStream: if record.state == .visible { records.append((next, record.body)) }
            case .marker, .removed: break
            }
            next += 1
        }
        return .records(records, next: next, isEnd: next >= limit)
    }

    private func take(_ fetched: Fetched, _ place: Int) {
        places[place].isFetching = false
        let number = places[place].partition
        switch fetched {
        case .records(let records, let next, let isEnd):
            for record in records {
                queue.append(
                    Item(version: version, partition: number, offset: record.offset, kind: .message(record.body)))
            }
            places[place].position = next
            if isEnd, places[place].toldEnd != next {
                places[place].toldEnd = next
                queue.append(Item(version: version, partition: number, offset: next, kind: .end))
            }
            program.wake()
            if !places[place].isPaused { fetch(place) }
        case .trouble(.notLeader):
            places[place].isFetching = true
            program.after(world.random.delay(50_000...500_000)) { [self, version] in
                if version == self.version { fetch(place) }
            }
        case .trouble(.offsetOutOfRange):
            // `auto.offset.reset=error`: this partition stands until it is assigned anew.
            places[place].isFetching = true
            queue.append(
                Item(
                    version: version, partition: number, offset: places[place].position,
                    kind: .failure(.autoOffsetReset)))
            program.wake()
        case .trouble(let trouble):
            queue.append(
                Item(version: version, partition: number, offset: places[place].position, kind: .failure(trouble)))
            program.wake()
            places[place].isFetching = true
            program.after(world.random.delay(50_000...500_000)) { [self, version] in
                if version == self.version { fetch(place) }
            }
        }
    }

    // MARK: Offsets

    /// - Parameter identity: who it was when it first asked: a request that is sent again is the same one.
    func commit(
        _ positions: [(partition: Int32, offset: StoredOffset)], attempt: Int = 0,
        as identity: (member: Int32, generation: Int32)? = nil
    ) {
        guard let group else { return }
        guard let (member, generation) = identity ?? self.member.map({ (member: $0, generation: self.generation) })
        else {
            return tell(.committed(positions.map { ($0.partition, $0.offset.next) }, .unknownMember))
        }
        world.cluster.ask(program, \.groupSeat) { [self] reply in
            world.judge.check(commit: positions, by: program)
            reply(group.commit(member, generation, instance, positions).map { .refused($0) } ?? .success(()))
        } _: { [self] (answer: Reply<Void>) in
            if case .failure(let refusal) = answer, refusal.trouble.passes, attempt < 2 {
                return program.after(world.random.delay(100_000...500_000)) { [self] in
                    commit(positions, attempt: attempt + 1, as: (member, generation))
                }
            }
            var trouble: Trouble?
            if case .failure(let refusal) = answer { trouble = refusal.trouble }
            tell(.committed(positions.map { ($0.partition, $0.offset.next) }, trouble))
        }
    }

    /// - Parameter isStable: offsets that an open transaction holds are not told.
    func stored(
        _ partitions: [Int32], isStable: Bool, attempt: Int = 0,
        _ done: @escaping (Reply<[Int32: StoredOffset]>) -> Void
    ) {
        guard let group else { return }
        world.cluster.ask(program, \.groupSeat) { (reply: @escaping (Reply<[Int32: StoredOffset]>) -> Void) in
            if isStable, partitions.contains(where: { group.isPending($0) }) {
                return reply(.refused(.unstableOffsets))
            }
            var found: [Int32: StoredOffset] = [:]
            for partition in partitions { if let offset = group.offset(of: partition) { found[partition] = offset } }
            reply(.success(found))
        } _: { [self] (answer: Reply<[Int32: StoredOffset]>) in
            if case .failure(let refusal) = answer, refusal.trouble == .unstableOffsets || refusal.trouble.passes {
                if attempt < 10 {
                    return program.after(world.random.delay(100_000...500_000)) { [self] in
                        stored(partitions, isStable: isStable, attempt: attempt + 1, done)
                    }
                }
                return done(.refused(.timedOut))
            }
            done(answer)
        }
    }

    /// What is there of partitions, by their leaders.
    func ranges(_ partitions: [Int32], _ done: @escaping (Reply<[Int32: LogRange]>) -> Void) {
        let topic = topic
        world.cluster.send(from: program) { [world] in
            for number in partitions where topic.partitions.indices.contains(Int(number)) {
                guard let leader = topic.partitions[Int(number)].leader else { return nil }
                if world.cluster.brokers[leader] != .up { return leader }
            }
            return world.cluster.brokers.firstIndex(of: .up)
        } _: { [world] () -> Reply<[Int32: LogRange]> in
            var found: [Int32: LogRange] = [:]
            for number in partitions {
                guard topic.partitions.indices.contains(Int(number)) else { return .refused(.unknownTopic) }
                let partition = topic.partitions[Int(number)]
                if partition.leader == nil { return .refused(.leaderNotAvailable) }
                if partition.believedHigh != nil { return .refused(.offsetNotAvailable) }
                if world.kinds.contains(.passingErrors), world.random.once(in: 20) {
                    return .refused(
                        world.random.pick([.notLeader, .fencedLeaderEpoch, .unknownLeaderEpoch, .unknownTopic]))
                }
                found[number] = LogRange(
                    low: Int64(partition.start), high: Int64(partition.high), start: Int64(partition.start))
            }
            return .success(found)
        } _: { answer in
            done(answer ?? .refused(.timedOut))
        }
    }

    /// How many partitions the topic has, by a broker that may have heard late of the newest.
    func partitionCount(_ done: @escaping (Reply<Int32>) -> Void) {
        let topic = topic
        world.cluster.send(from: program) { [world] in
            world.cluster.brokers.firstIndex(of: .up)
        } _: { [world] () -> Reply<Int32> in
            if world.kinds.contains(.passingErrors), world.now < 1_500_000, world.random.once(in: 2) {
                return .refused(.unknownTopic)
            }
            return .success(Int32(topic.partitions.count))
        } _: { answer in
            done(answer ?? .refused(.transport))
        }
    }
}
