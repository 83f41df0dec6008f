import Bytes

/// Where a reader's partitions stand in event time, and the stream that it makes of them.
///
/// A partition's watermark is the highest time seen in it less the disorder or, where the topic's writers tell
/// (`WatermarkRecord`), the least over *all* partitions of their input: whichever replica has read what plays no part.
///
/// | a partition | its watermark | in the stream's |
/// |---|---|---|
/// | nothing is known of it, or not of all partitions that it is made of | that of its last owner, if it had one | counts |
/// | something was read | as above; it never goes back | counts |
/// | at its end for `idle` | stands still | is left out; it counts again from its next line on |
/// | at the end of the stream | past all times | is left out, but where all are at their end |
///
/// The stream's is the least of those that count, not known while one of these is not; where none counts it stands still. It
/// never goes back while the partitions are the same; after a rebalance it begins anew. The partitions that a partition is made
/// of become its watermark by the same rules.
package struct EventTimes {
    package enum Source: Equatable, Sendable {
        /// The times of lines, which may be so many milliseconds behind one that came before.
        case lines(disorder: Int64)
        /// What the writers of the topic say.
        case records
    }

    /// The least of those that count.
    private struct Least {
        private var time: Int64?
        private var isKnown = true
        private var (counted, ended, idle) = (0, 0, 0)

        /// - Parameter time: nil: not known.
        mutating func add(_ time: Int64?, isIdle: Bool) {
            if time == .max { return ended += 1 }
            if isIdle { return idle += 1 }
            counted += 1
            guard let time else { return isKnown = false }
            self.time = min(self.time ?? time, time)
        }

        /// nil: not known, or there is none.
        var value: Int64? {
            if counted > 0 { return isKnown ? time : nil }
            return ended > 0 && idle == 0 ? .max : nil
        }
    }

    /// What was heard of the partitions of a topic that this one is made of.
    private struct Upstream {
        var marks: [(time: Int64?, isIdle: Bool)?] = []

        /// Those that say nothing more, as `PartitionTimes` has it; nil: there are none.
        var silent: String? {
            let letters = marks.map { $0?.time == .max ? "e" : $0?.isIdle == true ? "i" : "-" }
            return letters.contains { $0 != "-" } ? letters.joined() : nil
        }

        init(silent: Substring = "") {
            marks = silent.map { $0 == "e" ? (.max, false) : $0 == "i" ? (nil, true) : nil }
        }

        mutating func take(_ record: WatermarkRecord) {
            while marks.count < Int(record.count) { marks.append(nil) }
            for (partition, mark) in record.marks {
                let place = Int(partition)
                let before = marks[place]?.time
                switch mark {
                case .idle: marks[place] = (before, true)
                // One that comes twice, or late, moves nothing.
                case .time(let time): marks[place] = (max(before ?? time, time), false)
                }
            }
        }
    }

    private struct Partition {
        var times: PartitionTimes
        /// Those that the last barrier carries.
        var inBarrier: PartitionTimes
        var highest = Int64.min
        var upstream: [[UInt8]: Upstream] = [:]
        /// Since when its leader says that there is nothing to read.
        var atEndSince: Int64?
        var isFinished = false
    }

    package let source: Source
    private let idle: Int64
    private var partitions: [Partition?] = []
    /// The stream's.
    package private(set) var watermark: Int64?

    package init(_ source: Source, idle: Int64) { (self.source, self.idle) = (source, idle) }

    /// As the barrier's field has it.
    package var mark: Watermark { watermark.map { .time($0) } ?? .unknown }

    package func times(of number: Int32) -> PartitionTimes? {
        partitions.indices.contains(Int(number)) ? partitions[Int(number)]?.times : nil
    }

    /// As the field of the `restore` barrier has it that comes before the state of a partition.
    package func done(_ number: Int32) -> Watermark { times(of: number)?.done.map { .time($0) } ?? .unknown }

    // MARK: Partitions come and go

    /// - Parameter stored: what its last owner has committed.
    package mutating func add(_ number: Int32, _ stored: PartitionTimes?) {
        while partitions.count <= Int(number) { partitions.append(nil) }
        var times = stored ?? PartitionTimes()
        // Whether it is idle now is seen anew.
        times.isIdle = false
        // The first barrier has what is known: its last owner may not have got to tell it.
        var partition = Partition(times: times, inBarrier: PartitionTimes())
        for word in times.silent {
            let colon = word.lastIndex(of: ":") ?? word.startIndex
            partition.upstream[Array(word[..<colon].utf8)] = Upstream(silent: word[colon...].dropFirst())
        }
        partitions[Int(number)] = partition
    }

    package mutating func removeAll() { (partitions, watermark) = ([], nil) }

    // MARK: What is read

    /// A message was read, whose highest time this is.
    @inline(__always)
    package mutating func see(_ number: Int32, _ time: Int64) {
        let place = Int(number)
        guard partitions.indices.contains(place), partitions[place] != nil else { return }
        partitions[place]?.atEndSince = nil
        if let highest = partitions[place]?.highest, time > highest { partitions[place]?.highest = time }
    }

    package mutating func take(_ number: Int32, _ record: WatermarkRecord) {
        guard source == .records, partitions.indices.contains(Int(number)) else { return }
        partitions[Int(number)]?.upstream[record.topic, default: Upstream()].take(record)
    }

    /// Its leader says that there is nothing to read.
    package mutating func noteEnd(_ number: Int32, at now: Int64) {
        guard case .lines = source, partitions.indices.contains(Int(number)), let partition = partitions[Int(number)]
        else { return }
        partitions[Int(number)]?.atEndSince = partition.atEndSince ?? now
    }

    /// The stream has ended in it.
    package mutating func finish(_ number: Int32) {
        guard partitions.indices.contains(Int(number)) else { return }
        partitions[Int(number)]?.isFinished = true
    }

    // MARK: Barriers

    /// Takes all together, for a barrier. Returns whether one has come on since the last.
    /// - Cost: a look at each partition and each that it is made of.
    package mutating func advance(at now: Int64) -> Bool {
        var least = Least()
        for place in partitions.indices {
            guard var partition = partitions[place] else { continue }
            partition.times.isIdle =
                !partition.isFinished && (partition.atEndSince.map { now - $0 >= idle } ?? false)
            if let own = own(partition) { partition.times.watermark = max(partition.times.watermark ?? own, own) }
            partition.times.silent = partition.upstream.sorted { $0.key.lexicographicallyPrecedes($1.key) }
                .compactMap { topic, heard in
                    heard.silent.map { "\(String(decoding: topic, as: UTF8.self)):\($0)" }
                }
            partitions[place] = partition
            least.add(partition.times.watermark, isIdle: partition.times.isIdle)
        }
        if let least = least.value { watermark = max(watermark ?? least, least) }
        return noteDone()
    }

    /// What is put out at this barrier is put out for all partitions.
    private mutating func noteDone() -> Bool {
        var hasMoved = false
        for place in partitions.indices {
            guard var partition = partitions[place] else { continue }
            if let watermark { partition.times.done = max(partition.times.done ?? watermark, watermark) }
            partitions[place] = partition
            hasMoved = hasMoved || partition.times != partition.inBarrier
        }
        return hasMoved
    }

    /// Whether the times of a partition are not those of the last barrier.
    package func hasMoved(_ number: Int32) -> Bool {
        guard partitions.indices.contains(Int(number)), let partition = partitions[Int(number)] else { return false }
        return partition.times != partition.inBarrier
    }

    package mutating func noteBarrier() {
        for place in partitions.indices {
            if let times = partitions[place]?.times { partitions[place]?.inBarrier = times }
        }
    }

    /// When a partition becomes idle; nil: none is about to.
    package func nextWake() -> Int64? {
        partitions.lazy.compactMap { $0 }.filter { !$0.isFinished && !$0.times.isIdle }
            .compactMap { $0.atEndSince.map { $0 + self.idle } }.min()
    }

    private func own(_ partition: Partition) -> Int64? {
        if partition.isFinished { return .max }
        switch source {
        case .lines(let disorder):
            return partition.highest == .min ? nil : partition.highest - disorder
        case .records:
            var least = Least()
            for upstream in partition.upstream.values {
                for mark in upstream.marks { least.add(mark?.time, isIdle: mark?.isIdle ?? false) }
            }
            return least.value
        }
    }
}
