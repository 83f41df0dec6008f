/// How far a reader has come in a partition: the offset after the last message, the end-of-stream records before it and, where
/// the stream carries watermarks, its times.
package struct Position: Equatable {
    package var partition: Int32
    package var next: Int64
    package var ends: EndsOfStream
    package var times: PartitionTimes?

    package init(partition: Int32, next: Int64, ends: EndsOfStream = EndsOfStream(), times: PartitionTimes? = nil) {
        (self.partition, self.next, self.ends, self.times) = (partition, next, ends, times)
    }

    /// Whether what a group has committed is this, or further on.
    func isCommitted(by stored: StoredOffset?) -> Bool {
        guard let stored, next <= stored.next else { return false }
        // Where only time has moved, the offset is the one before.
        guard next == stored.next, let times else { return true }
        return (times.done ?? .min) <= (stored.times?.done ?? .min)
            && (times.watermark ?? .min) <= (stored.times?.watermark ?? .min)
    }

    /// What is committed with the offset.
    package var metadata: String { StoredOffset(next: next, ends: ends, times: times).metadata }
}

/// What a group has committed of a partition.
package struct StoredOffset: Equatable {
    package var next: Int64
    package var ends: EndsOfStream
    package var times: PartitionTimes?

    package init(next: Int64, ends: EndsOfStream = EndsOfStream(), times: PartitionTimes? = nil) {
        (self.next, self.ends, self.times) = (next, ends, times)
    }

    /// - Parameter metadata: of the commit; whatever stands there that is none of ours says nothing.
    package init(next: Int64, metadata: UnsafeRawBufferPointer) {
        var words = String(decoding: metadata.prefix { $0 != 0 }, as: UTF8.self)
            .split(separator: " ", omittingEmptySubsequences: false)[...]
        let times = PartitionTimes.take(from: &words)
        self.init(next: next, ends: EndsOfStream(words: words), times: times)
    }

    package var metadata: String {
        [times?.text ?? "", ends.metadata].filter { !$0.isEmpty }.joined(separator: " ")
    }
}

/// What is there of a partition.
package struct LogRange: Equatable {
    /// The first offset that is left.
    package var low: Int64
    /// The high watermark: the offset after the last message that all in-sync replicas have, those of open transactions
    /// included.
    package var high: Int64
    /// Where reading begins if the group has committed nothing.
    package var start: Int64

    package init(low: Int64, high: Int64, start: Int64) { (self.low, self.high, self.start) = (low, high, start) }
}
