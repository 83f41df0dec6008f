/// Does what a scenario's faults say.
final class Operator {
    unowned(unsafe) let world: World

    init(_ world: World) { self.world = world }

    private func program(_ stage: Int, _ replica: Int, _ place: Int) -> Program? {
        guard let pipeline = world.pipelines.first(where: { $0.stage == stage && $0.replica == replica }) else {
            return nil
        }
        return pipeline.programs.indices.contains(place) ? pipeline.programs[place] : nil
    }

    func commit(_ what: Fault.What) {
        let cluster = world.cluster
        switch what {
        case .kill(let stage, let replica, let place):
            world.isCalm = false
            program(stage, replica, place)?.kill()
        case .killAt(let stage, let replica, let place, let deed):
            world.isCalm = false
            if let program = program(stage, replica, place) { program.lastDeed = program.deeds + deed }
        case .freeze(let stage, let replica, let place, let milliseconds):
            guard let program = program(stage, replica, place) else { return }
            // Who takes what a member prints may stand still for a while.
            if !(program is Collector) { world.isCalm = false }
            program.freeze()
            world.after(milliseconds * 1000) { program.thaw() }
        case .away(let stage, let replica, let milliseconds):
            world.pipelines.first { $0.stage == stage && $0.replica == replica }?.goAway(milliseconds)
        case .broker(let broker, let isFrozen, let isClean, let milliseconds):
            world.isCalm = false
            cluster.take(broker, isFrozen ? .frozen : .down, isClean: isClean)
            world.after(milliseconds * 1000) { cluster.raise(broker) }
        case .elect(let topic, let partition, let isUnclean):
            cluster.elect(partition, of: world.topics[topic], isUnclean: isUnclean)
        case .moveGroups:
            world.isCalm = false
            cluster.moveGroups()
        case .moveTransactions: cluster.moveTransactions()
        case .grow:
            cluster.addPartition(to: world.topics[0], replication: world.scenario.replication)
            world.note("t0 has \(world.topics[0].partitions.count) partitions")
            world.topicHasGrown()
        case .delete(let number, let share):
            let partition = world.topics[0].partitions[number]
            var end = min(partition.high, partition.start + (partition.high - partition.start) * share / 100)
            // A reader that never meets the end of a stream waits for it, and rightly.
            for offset in partition.start..<end {
                if case .endOfStream = partition.log[offset].body { end = min(end, offset) }
            }
            guard end > partition.start else { return }
            world.note("records of t0[\(number)] before \(end) are deleted")
            world.judge.noteDeleted(partition, before: end)
            partition.deleteRecords(before: end)
        case .compact: if !world.isChecking { compact() }
        case .lose(let stage, let replica):
            world.judge.allowMalformed()
            (program(stage, replica, 1) as? FilterProgram)?.losesNext = true
        case .makeAnew: world.topics[0].makeAnew()
        }
    }

    /// The last of a key stays.
    private func compact() {
        for partition in world.topics[world.scenario.stages.count].partitions {
            var seen: [Int32] = []
            for offset in stride(from: partition.stable - 1, through: partition.start, by: -1) {
                guard partition.log[offset].state == .visible, case .line(let line) = partition.log[offset].body else {
                    continue
                }
                if seen.contains(line.key) { partition.compact(offset) } else { seen.append(line.key) }
            }
        }
        world.note("totals are compacted")
    }
}
