/// When a writer owes its topic a watermark record.
///
///     a barrier says          the record is owed
///     another watermark       with the next barrier on which `every` has passed since the last one
///     the end of a partition  at once
///     another generation      not for what the one before said: whoever has those partitions now says where they stand
///     that something is read  where all stands for `repeatEvery`: a reader that has begun since knows what is idle or over,
///                             from its commits, but not this
///
/// Where the writer's topic has got more partitions, it is owed again: nothing was told to those.
package struct OwedWatermarks {
    private let every: Int64
    private let repeatEvery: Int64
    private var member: GroupMember?
    private var marks: [Int32: WatermarkRecord.Mark] = [:]
    private var written: [Int32: WatermarkRecord.Mark] = [:]
    private var lastWritten: Int64?
    /// How many partitions the topic had at the last barrier.
    private var readers: Int32 = 0
    /// What the last epoch committed: a transaction in which nothing was read moves no offset.
    private var last: EpochOffsets?

    /// - Parameter every: so many milliseconds lie between two writes, at least.
    /// - Parameter repeatEvery: so many after a write, what still stands is written again.
    package init(every: Int64, repeatEvery: Int64 = 10_000) { (self.every, self.repeatEvery) = (every, repeatEvery) }

    /// Takes note of what a barrier carries, and of the time.
    /// - Parameter count: how many partitions the writer's topic has.
    /// - Returns: the record that is due, which is to be written now; the offsets that are committed with it.
    package mutating func take(
        _ offsets: EpochOffsets, to count: Int32, at now: Int64
    ) -> (record: WatermarkRecord?, offsets: EpochOffsets) {
        if offsets.member != member { (member, marks, written, last) = (offsets.member, [:], [:], nil) }
        if count > readers { written = [:] }
        readers = count
        for position in offsets.positions {
            if let times = position.times, let mark = Self.mark(times) { marks[position.partition] = mark }
        }
        let isQuiet = offsets.positions.isEmpty
        var offsets = offsets
        if isQuiet { offsets = last ?? offsets } else { remember(offsets) }
        guard let partitions = offsets.partitionCount, isOwed(isQuiet, at: now), !offsets.positions.isEmpty else {
            return (nil, offsets)
        }
        (written, lastWritten) = (marks, now)
        return (WatermarkRecord(topic: offsets.topic, count: partitions, marks: marks), offsets)
    }

    private func isOwed(_ isQuiet: Bool, at now: Int64) -> Bool {
        let age = lastWritten.map { now - $0 } ?? .max
        if marks == written {
            let stands = marks.values.contains { $0 != .idle && $0 != .time(.max) }
            return stands && !isQuiet && age >= repeatEvery
        }
        return age >= every || marks.contains { $0.value == .time(.max) && written[$0.key] != $0.value }
    }

    private mutating func remember(_ offsets: EpochOffsets) {
        var all = offsets
        let numbers = Set(offsets.positions.map(\.partition))
        all.positions += last?.positions.filter { !numbers.contains($0.partition) } ?? []
        last = all
    }

    private static func mark(_ times: PartitionTimes) -> WatermarkRecord.Mark? {
        times.isIdle ? .idle : times.watermark.map { .time($0) }
    }
}
