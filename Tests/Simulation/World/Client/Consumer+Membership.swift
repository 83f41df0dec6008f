/// Its place in a group: who joins, is dealt partitions, keeps in touch, gives back, and is put out.
extension Consumer {
    func subscribe() {
        lastPoll = world.now
        join()
    }

    private func join() {
        guard let group, !isLeaving, !isFenced else { return }
        isRevoking = false
        heartbeats += 1
        let turn = heartbeats
        let known = member
        var isAnswered = false
        world.cluster.ask(program, \.groupSeat) { [self] reply in
            // The answer comes when all have joined.
            group.join(known, instance: instance, reply)
        } _: { [self] answer in
            isAnswered = true
            guard turn == heartbeats else { return }
            switch answer {
            case .success(let (id, generation)):
                (member, self.generation) = (id, generation)
                sync(turn)
            case .failure(let refusal): retryJoin(refusal.trouble)
            }
        }
        // A request that lies at a broker that died is sent again.
        program.after(70_000_000) { [self] in
            if !isAnswered, turn == heartbeats { retryJoin(.timedOut) }
        }
    }

    private func retryJoin(_ trouble: Trouble) {
        switch trouble {
        case .fencedInstance: return fence()
        case .unknownMember, .illegalGeneration: member = nil
        default: break
        }
        heartbeats += 1
        let turn = heartbeats
        program.after(world.random.delay(50_000...500_000)) { [self] in
            if turn == heartbeats { join() }
        }
    }

    private func fence() {
        isFenced = true
        isLost = true
        heartbeats += 1
        tell(.failed(.fencedInstance, isFatal: true))
    }

    private func sync(_ turn: Int) {
        guard let group, let member else { return }
        let generation = generation
        var isAnswered = false
        world.cluster.ask(program, \.groupSeat) { reply in
            group.sync(member, generation, reply)
        } _: { [self] answer in
            isAnswered = true
            guard turn == heartbeats else { return }
            switch answer {
            case .success(let partitions):
                isLost = false
                hasAssignment = true
                tell(.assigned(partitions))
                beat(turn)
            case .failure(let refusal): retryJoin(refusal.trouble)
            }
        }
        program.after(12_000_000) { [self] in
            if !isAnswered, turn == heartbeats { retryJoin(.timedOut) }
        }
    }

    private func beat(_ turn: Int) {
        program.after(3_000_000) { [self] in
            guard turn == heartbeats, let group, let member else { return }
            if world.now - lastPoll > Self.pollInterval {
                group.leave(member)
                tell(.failed(.pollExceeded, isFatal: false))
                return lose()
            }
            let generation = generation
            world.cluster.ask(program, \.groupSeat) { [self] reply in
                reply(group.heartbeat(member, generation, instance).map { .refused($0) } ?? .success(()))
            } _: { [self] (answer: Reply<Void>) in
                guard turn == heartbeats else { return }
                if case .failure(let refusal) = answer { takeRefusal(refusal.trouble) }
                if turn == heartbeats { beat(turn) }
            }
        }
    }

    private func takeRefusal(_ trouble: Trouble) {
        switch trouble {
        case .rebalanceInProgress: revoke()
        case .fencedInstance: fence()
        case .unknownMember, .illegalGeneration: lose()
        default: return
        }
    }

    /// The group deals anew: the program gives back what it has, then this member joins again.
    private func revoke() {
        guard !isRevoking else { return }
        isRevoking = true
        if hasAssignment { tell(.revoked(isLost: false)) } else { join() }
    }

    private func lose() {
        isLost = true
        member = nil
        generation = -1
        heartbeats += 1
        let wasRevoking = isRevoking
        isRevoking = true
        if hasAssignment || wasRevoking { tell(.revoked(isLost: true)) } else { join() }
    }

    /// The program has let go.
    func unassign() {
        version += 1
        places = []
        guard hasAssignment || isRevoking else { return }
        hasAssignment = false
        if isRevoking { join() }
    }

    /// Static members do not say that they leave.
    func leave() {
        isLeaving = true
        heartbeats += 1
        version += 1
        places = []
        guard let group, let member, instance == nil else { return }
        world.cluster.ask(program, \.groupSeat) { (reply: @escaping (Reply<Void>) -> Void) in
            group.leave(member)
            reply(.success(()))
        } _: { _ in
        }
    }
}
