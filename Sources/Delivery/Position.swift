/// How far a reader has come in a partition: the offset behind the last message, and the end-of-stream records before it.
package struct Position: Equatable {
    package var partition: Int32
    package var next: Int64
    package var ends: EndsOfStream

    package init(partition: Int32, next: Int64, ends: EndsOfStream = EndsOfStream()) {
        (self.partition, self.next, self.ends) = (partition, next, ends)
    }
}

/// What a group has committed of a partition.
package struct StoredOffset: Equatable {
    package var next: Int64
    package var ends: EndsOfStream

    package init(next: Int64, ends: EndsOfStream = EndsOfStream()) { (self.next, self.ends) = (next, ends) }
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
