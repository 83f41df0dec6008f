/// What `kcat-out` makes of partitions that are added while it writes. Lines without a key go to them as to the others; a key
/// goes elsewhere than before, which is for the user to know, and for some an end.
package struct AddedPartitions: Equatable, Sendable {
    package enum Decision: Equatable {
        case nothing
        /// From the next line on, so many; and what is to be said of it.
        case use(Int32, String?)
        case end(Ending)
    }

    private let topic: String
    /// Ends where keys would move, rather than go on.
    private let endsWhereKeysMove: Bool
    /// Whether lines have keys, by which librdkafka or we choose the partition.
    private let hasKeys: Bool
    /// How often to look, in milliseconds.
    private let interval: Int64
    private var next: Int64

    package init(topic: String, endsWhereKeysMove: Bool, hasKeys: Bool, interval: Int64, at now: Int64) {
        (self.topic, self.hasKeys, self.interval) = (topic, hasKeys, interval)
        self.endsWhereKeysMove = endsWhereKeysMove
        next = now + interval
    }

    /// Whether to look again how many there are.
    package mutating func isDue(at now: Int64) -> Bool {
        guard now >= next else { return false }
        next = now + interval
        return true
    }

    /// - Parameters:
    ///   - found: how many there are now. A topic never loses any; a broker that has not heard of them yet may say fewer.
    ///   - line: the next.
    package func decide(found: Int32, known: Int32, line: Int) -> Decision {
        guard found > known else { return .nothing }
        let words = "topic \"\(topic)\" has \(found) partitions now, not \(known)"
        guard hasKeys else { return .use(found, nil) }
        if endsWhereKeysMove {
            return .end(Ending(.configuration, "line \(line): \(words): keys would go to others"))
        }
        return .use(found, "\(words): from line \(line) on keys go to others than before")
    }
}
