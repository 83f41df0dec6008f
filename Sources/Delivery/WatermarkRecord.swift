import Bytes

/// A record with which `kcat-out --exactly-once` tells every partition of its topic where a partition of its stage's input stands
/// in event time: an empty value under the header `watermark`, whose value is
///
///     PARTITION SPACE COUNT SPACE WATERMARK|idle SPACE TOPIC
///
/// COUNT is how many partitions TOPIC has, which is the topic that the stage reads; WATERMARK is in milliseconds since 1970. It
/// comes after all lines that the stage made of what it had read of PARTITION by then, in the same transaction. Its key, `RS
/// watermark TAB TOPIC TAB PARTITION`, is the record's own: a topic that is compacted keeps the last of each input partition.
package struct WatermarkRecord: Equatable, Sendable {
    package static let header = "watermark"

    package enum Mark: Equatable, Sendable {
        case time(Int64)
        case idle
    }

    package var topic: [UInt8]
    package var partition: Int32
    package var count: Int32
    package var mark: Mark

    package init(topic: [UInt8], partition: Int32, count: Int32, mark: Mark) {
        (self.topic, self.partition, self.count, self.mark) = (topic, partition, count, mark)
    }

    /// nil if the header's value is none.
    package init?(value: [UInt8]) {
        let words = value.split(separator: 0x20, maxSplits: 3, omittingEmptySubsequences: false)
        guard words.count == 4, let partition = Int32(String(decoding: words[0], as: UTF8.self)),
            let count = Int32(String(decoding: words[1], as: UTF8.self)), partition >= 0, count > partition
        else { return nil }
        let text = String(decoding: words[2], as: UTF8.self)
        if text == "idle" {
            self.init(topic: Array(words[3]), partition: partition, count: count, mark: .idle)
        } else {
            guard let time = Int64(text) else { return nil }
            self.init(topic: Array(words[3]), partition: partition, count: count, mark: .time(time))
        }
    }

    package var value: [UInt8] {
        let text = if case .time(let time) = mark { String(time) } else { "idle" }
        return Array("\(partition) \(count) \(text) ".utf8) + topic
    }

    package var key: [UInt8] {
        [Barrier.recordSeparator] + "watermark\t".utf8 + topic + "\t\(partition)".utf8
    }
}

/// Which watermark records a writer owes its topic.
///
///     a barrier says          what is owed
///     another watermark       its record, with the next barrier on which `every` has passed since the last ones
///     the end of the stream   its record, at once
///     another generation      nothing of the one before: whoever has those partitions now says where they stand
///     that something is read  the record of a watermark that has not moved for `repeatEvery`: a reader that has begun since
///                             knows what is idle or over, from its commits, but not this
///
/// Where the writer's topic has got more partitions, all is owed again: nothing was told to those.
package struct OwedWatermarks {
    private let every: Int64
    private let repeatEvery: Int64
    private var lastWritten: Int64?
    /// How many partitions the topic had at the last barrier.
    private var readers: Int32 = 0
    private var member: GroupMember?
    private var marks: [Int32: (now: WatermarkRecord.Mark, written: WatermarkRecord.Mark?, at: Int64)] = [:]
    /// What the last epoch committed: a transaction in which nothing was read moves no offset.
    private var last: EpochOffsets?

    /// - Parameter every: so many milliseconds lie between two writes, at least.
    /// - Parameter repeatEvery: so many after a write, what still stands is written again.
    package init(every: Int64, repeatEvery: Int64 = 10_000) { (self.every, self.repeatEvery) = (every, repeatEvery) }

    /// Takes note of what a barrier carries, and of the time.
    /// - Parameter count: how many partitions the writer's topic has.
    /// - Returns: the records that are due, which are to be written now; the offsets that are committed with them.
    package mutating func take(
        _ offsets: EpochOffsets, to count: Int32, at now: Int64
    ) -> (records: [WatermarkRecord], offsets: EpochOffsets) {
        if offsets.member != member { (member, marks, last) = (offsets.member, [:], nil) }
        if count > readers { marks = marks.mapValues { ($0.now, nil, $0.at) } }
        readers = count
        for position in offsets.positions {
            guard let times = position.times, let mark = Self.mark(times) else { continue }
            marks[position.partition, default: (mark, nil, now)].now = mark
        }
        let isQuiet = offsets.positions.isEmpty
        var offsets = offsets
        if offsets.positions.isEmpty { offsets = last ?? offsets } else { remember(offsets) }
        let owed = marks.filter { _, mark in
            if mark.now != mark.written { return true }
            guard case .time(let time) = mark.now, time != .max else { return false }
            return !isQuiet && now - mark.at >= repeatEvery
        }.keys.sorted()
        let isEnd = owed.contains { marks[$0]?.now == .time(.max) }
        guard let count = offsets.partitionCount, !owed.isEmpty, !offsets.positions.isEmpty,
            isEnd || now - (lastWritten ?? now - every) >= every
        else { return ([], offsets) }
        lastWritten = now
        return (
            owed.compactMap { number in
                guard let mark = marks[number]?.now else { return nil }
                marks[number] = (mark, mark, now)
                return WatermarkRecord(topic: offsets.topic, partition: number, count: count, mark: mark)
            }, offsets
        )
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
