import Delivery

/// A consumer group and its coordinator's part: eager, with static and dynamic members.
final class Group {
    enum State { case empty, preparing, completing, stable }

    final class Member {
        let id: Int32
        let instance: Int32?
        var hasJoined = false
        /// Answers its JoinGroup: the generation, or why not.
        var joined: ((Reply<Int32>) -> Void)?
        /// Answers its SyncGroup: its partitions.
        var synced: ((Reply<[Int32]>) -> Void)?
        var lastSign: Int64 = 0
        var partitions: [Int32] = []

        init(id: Int32, instance: Int32?) { (self.id, self.instance) = (id, instance) }
    }

    static let sessionTimeout: Int64 = 10_000_000
    static let rebalanceTimeout: Int64 = 60_000_000

    unowned(unsafe) let world: World
    let name: String
    let topic: Topic
    private(set) var state = State.empty
    private(set) var members: [Member] = []
    private(set) var generation: Int32 = 0
    /// By partition.
    private(set) var offsets: [StoredOffset?] = []
    /// Offsets in transactions that have not ended.
    private(set) var pending: [(producer: Int32, partition: Int32, offset: StoredOffset)] = []
    private var nextMember: Int32 = 1
    private var round = 0
    /// The group's leader has seen that the topic has more partitions.
    private var knownPartitions = 0

    init(_ world: World, _ name: String, _ topic: Topic) {
        (self.world, self.name, self.topic) = (world, name, topic)
        knownPartitions = topic.partitions.count
    }

    // MARK: Members

    /// - Parameter reply: may be called later: when all have joined.
    func join(_ known: Int32?, instance: Int32?, _ reply: @escaping (Reply<(member: Int32, generation: Int32)>) -> Void)
    {
        if let known {
            guard let member = members.first(where: { $0.id == known }) else {
                let isFenced = instance != nil && members.contains { $0.instance == instance }
                return reply(.refused(isFenced ? .fencedInstance : .unknownMember))
            }
            wait(for: member, reply)
            return begin()
        }
        let member = Member(id: nextMember, instance: instance)
        nextMember += 1
        member.lastSign = world.now
        watch(member)
        if let instance, let place = members.firstIndex(where: { $0.instance == instance }) {
            let old = members[place]
            member.partitions = old.partitions
            members[place] = member
            old.joined?(.refused(.fencedInstance))
            old.synced?(.refused(.fencedInstance))
            world.note("group \(name): member \(member.id) takes the place of \(old.id)")
            if state == .stable {
                member.hasJoined = true
                return reply(.success((member.id, generation)))
            }
            wait(for: member, reply)
            if state == .completing { begin() } else { completeIfAllJoined() }
            return
        }
        members.append(member)
        world.note("group \(name): member \(member.id) joins")
        wait(for: member, reply)
        begin()
    }

    private func wait(
        for member: Member, _ reply: @escaping (Reply<(member: Int32, generation: Int32)>) -> Void
    ) {
        member.lastSign = world.now
        member.hasJoined = true
        member.joined?(.refused(.unknownMember))
        let id = member.id
        member.joined = { reply($0.map { (id, $0) }) }
    }

    private func begin() {
        if state != .preparing {
            let wasEmpty = state == .empty
            for member in members {
                if member.joined == nil { member.hasJoined = false }
                member.synced?(.refused(.rebalanceInProgress))
                member.synced = nil
            }
            state = .preparing
            round += 1
            let round = round
            let limit = wasEmpty ? world.random.delay(1000...3_000_000) : Self.rebalanceTimeout
            isWaitingForFirst = wasEmpty
            world.after(limit) { [self] in
                if self.round == round, state == .preparing { complete() }
            }
        }
        completeIfAllJoined()
    }

    /// The first round waits for others that are about to join.
    private var isWaitingForFirst = false

    private func completeIfAllJoined() {
        if state == .preparing, !isWaitingForFirst, members.allSatisfy({ $0.joined != nil }) { complete() }
    }

    private func complete() {
        isWaitingForFirst = false
        // Static members stay until their session is over.
        for member in members where member.joined == nil && member.instance == nil {
            world.isCalm = false
            world.note("group \(name): member \(member.id) did not come back in time")
        }
        members.removeAll { $0.joined == nil && $0.instance == nil }
        guard members.contains(where: { $0.joined != nil }) else {
            if members.isEmpty { state = .empty } else { round += 1 }
            if !members.isEmpty {
                let round = round
                world.after(Self.rebalanceTimeout) { [self] in
                    if self.round == round, state == .preparing { complete() }
                }
            }
            return
        }
        generation += 1
        state = .completing
        knownPartitions = topic.partitions.count
        deal()
        world.note("group \(name): generation \(generation), members \(members.map(\.id))")
        let joined = members
        for member in joined {
            member.joined?(.success(generation))
            member.joined = nil
        }
    }

    /// Ranges, in the order of the members' names.
    private func deal() {
        let count = knownPartitions
        var first = 0
        for (place, member) in members.enumerated() {
            let share = count / members.count + (place < count % members.count ? 1 : 0)
            member.partitions = (first..<first + share).map { Int32($0) }
            first += share
        }
    }

    func sync(_ id: Int32, _ generation: Int32, _ reply: @escaping (Reply<[Int32]>) -> Void) {
        guard let member = members.first(where: { $0.id == id }) else { return reply(.refused(.unknownMember)) }
        guard generation == self.generation else { return reply(.refused(.illegalGeneration)) }
        member.lastSign = world.now
        switch state {
        case .stable: reply(.success(member.partitions))
        case .completing:
            member.synced = reply
            // The first, who leads, brings the assignment of all.
            guard member === members.first(where: { $0.hasJoined }) else { return }
            state = .stable
            for member in members {
                member.synced?(.success(member.partitions))
                member.synced = nil
            }
        case .preparing, .empty: reply(.refused(.rebalanceInProgress))
        }
    }

    private func identify(_ id: Int32, _ instance: Int32?) -> Reply<Member> {
        if let member = members.first(where: { $0.id == id }) { return .success(member) }
        if instance != nil, members.contains(where: { $0.instance == instance }) { return .refused(.fencedInstance) }
        return .refused(.unknownMember)
    }

    func heartbeat(_ id: Int32, _ generation: Int32, _ instance: Int32?) -> Trouble? {
        switch identify(id, instance) {
        case .failure(let refusal): return refusal.trouble
        case .success(let member):
            if generation != self.generation { return .illegalGeneration }
            member.lastSign = world.now
            return state == .preparing ? .rebalanceInProgress : nil
        }
    }

    func leave(_ id: Int32) {
        guard let place = members.firstIndex(where: { $0.id == id }) else { return }
        world.note("group \(name): member \(id) leaves")
        remove(place)
    }

    private func remove(_ place: Int) {
        let member = members.remove(at: place)
        member.joined = nil
        member.synced = nil
        if members.isEmpty {
            round += 1
            generation += 1
            state = .empty
        } else {
            begin()
        }
    }

    /// Puts a member out when it has not been heard of for its session's time.
    private func watch(_ member: Member) {
        let rest = member.lastSign + Self.sessionTimeout - world.now
        world.after(max(1000, rest)) { [self, weak member] in
            guard let member, let place = members.firstIndex(where: { $0 === member }) else { return }
            // Who waits for the others' joining is there.
            if member.joined != nil { member.lastSign = world.now }
            if world.now - member.lastSign < Self.sessionTimeout || world.now < sessionsBegin { return watch(member) }
            world.isCalm = false
            world.note("group \(name): member \(member.id) was not heard of in time")
            remove(place)
        }
    }

    private var sessionsBegin: Int64 = 0

    /// Another broker coordinates it: sessions begin anew.
    func hasMoved() {
        for member in members {
            member.lastSign = world.now
            // The request that waits was the old broker's.
            member.joined?(.refused(.notCoordinator))
            member.joined = nil
            member.synced?(.refused(.notCoordinator))
            member.synced = nil
        }
    }

    func topicHasGrown() {
        if topic.partitions.count != knownPartitions, !members.isEmpty { begin() }
    }

    // MARK: Offsets

    func offset(of partition: Int32) -> StoredOffset? {
        offsets.indices.contains(Int(partition)) ? offsets[Int(partition)] : nil
    }

    func isPending(_ partition: Int32) -> Bool { pending.contains { $0.partition == partition } }

    private func store(_ partition: Int32, _ offset: StoredOffset) {
        while offsets.count <= Int(partition) { offsets.append(nil) }
        world.judge.noteCommitted(self, partition, from: offsets[Int(partition)]?.next, to: offset.next)
        offsets[Int(partition)] = offset
    }

    /// Why offsets are not taken from this member.
    private func refusal(_ id: Int32, _ generation: Int32, _ instance: Int32?) -> Trouble? {
        switch identify(id, instance) {
        case .failure(let refusal): return refusal.trouble
        case .success:
            if generation != self.generation { return .illegalGeneration }
            return state == .completing ? .rebalanceInProgress : nil
        }
    }

    func commit(
        _ id: Int32, _ generation: Int32, _ instance: Int32?, _ positions: [(partition: Int32, offset: StoredOffset)]
    ) -> Trouble? {
        if let trouble = refusal(id, generation, instance) { return trouble }
        for position in positions { store(position.partition, position.offset) }
        return nil
    }

    func commitInTransaction(
        of producer: Int32, _ id: Int32, _ generation: Int32, _ instance: Int32?,
        _ positions: [(partition: Int32, offset: StoredOffset)]
    ) -> Trouble? {
        if let trouble = refusal(id, generation, instance) { return trouble }
        for position in positions {
            pending.removeAll { $0.producer == producer && $0.partition == position.partition }
            pending.append((producer, position.partition, position.offset))
        }
        return nil
    }

    func settlePending(_ producer: Int32, isCommit: Bool) {
        let settled = pending.filter { $0.producer == producer }
        pending.removeAll { $0.producer == producer }
        if isCommit { for entry in settled { store(entry.partition, entry.offset) } }
    }

    /// The topic is another one: its offsets are forgotten.
    func forgetOffsets() { offsets = [] }

    func tearDown() {
        for member in members { (member.joined, member.synced) = (nil, nil) }
    }
}
