/// Messages that came back with a refused batch, on their way once more.
///
/// Brokers hold batches against the limits of a topic, and refuse all of a batch for one of its messages. So what came back
/// goes again in smaller pieces, one batch each and one a partition at a time, until what is refused is one line alone. In
/// a partition nothing overtakes: a piece is sent when the one before it was answered.
///
///     answer to a piece       what follows                              the next piece holds
///     delivered               it is done                                twice as many
///     refused, several        nothing of it is done                     half as many, or half the bytes if too large
///     refused, a pack         it is split in two messages               one
///     refused, one line       its line is named or put aside            one
///     failed otherwise        for whoever sends to say: all that is left has failed
package struct Resend<Message> {
    /// A message, of one line or of several that were packed.
    package struct Item {
        package var partition: Int32
        /// How many lines are in it; 0: it is an end-of-stream record.
        package var lines: Int
        package var bytes: Int
        package var message: Message

        package init(partition: Int32, lines: Int, bytes: Int, message: Message) {
            (self.partition, self.lines, self.bytes, self.message) = (partition, lines, bytes, message)
        }
    }

    package enum Answer: Equatable {
        case delivered
        case refused(ErrorCode)
    }

    package enum Next {
        /// Nothing but the next piece.
        case goOn
        /// This one line can never be delivered.
        case name(Item, ErrorCode)
        /// To be cut in two, which `replace` takes.
        case split(Item)
    }

    /// Of one partition.
    private struct Queue {
        var items: ArraySlice<Item>
        /// So many of the first are under way.
        var underWay = 0
        /// How many the next piece may hold.
        var most: Int
    }

    /// The most messages, and bytes, of a piece: it is one batch.
    package static var messagesAtOnce: Int { 1000 }
    private var bytesAtOnce: Int
    /// What that was brought down to, since more in a batch was too large for the topic; nil: nothing was.
    package private(set) var learnedBytes: Int?
    private var queues: [Int32: Queue] = [:]

    /// - Parameters:
    ///   - items: in the order of their partitions, which is that of sending.
    ///   - bytesAtOnce: the most that a piece of several may have.
    package init(_ items: [Item], bytesAtOnce: Int, firstPiece: Int) {
        self.bytesAtOnce = bytesAtOnce
        for item in items {
            queues[item.partition, default: Queue(items: [], most: Swift.max(1, firstPiece))].items.append(item)
        }
    }

    package var isDone: Bool { queues.isEmpty }
    /// All that is left, as it would be sent.
    package var rest: [Item] { queues.values.flatMap { $0.items } }

    /// The pieces to send now: one for each partition.
    package mutating func pieces() -> [ArraySlice<Item>] {
        queues.keys.sorted().compactMap { partition in
            guard var queue = queues[partition], queue.underWay == 0 else { return nil }
            var (count, bytes) = (0, 0)
            for item in queue.items.prefix(queue.most) {
                bytes += item.bytes
                if count > 0, bytes > bytesAtOnce { break }
                count += 1
            }
            queue.underWay = count
            queues[partition] = queue
            return queue.items.prefix(count)
        }
    }

    /// The answer to a partition's piece.
    package mutating func note(_ answer: Answer, of partition: Int32) -> Next {
        guard var queue = queues[partition], queue.underWay > 0, let first = queue.items.first else { return .goOn }
        let count = queue.underWay
        queue.underWay = 0
        defer { queues[partition] = queue.items.isEmpty ? nil : queue }
        switch answer {
        case .delivered:
            queue.items.removeFirst(count)
            queue.most = Swift.min(Swift.max(queue.most, 2 * count), Self.messagesAtOnce)
            return .goOn
        case .refused(let code) where count > 1:
            if code == .messageTooLarge {
                // Half is below the topic's limit at last, and not below half of it.
                let bytes = queue.items.prefix(count).reduce(0) { $0 + $1.bytes }
                bytesAtOnce = Swift.min(bytesAtOnce, bytes / 2)
                learnedBytes = bytesAtOnce
            } else {
                queue.most = count / 2
            }
            return .goOn
        case .refused(let code):
            queue.most = 1
            if first.lines > 1 { return .split(first) }
            queue.items.removeFirst()
            return .name(first, code)
        }
    }

    /// Two messages in the place of the first of their partition, which was refused.
    package mutating func replace(by halves: (Item, Item)) {
        let partition = halves.0.partition
        guard var queue = queues[partition], queue.underWay == 0, !queue.items.isEmpty else { return }
        queue.items = [halves.0, halves.1] + queue.items.dropFirst()
        queues[partition] = queue
    }
}

/// Why a message has come back, seen together with the others that did.
package enum Return: Equatable {
    /// Its batch was refused for what is in it.
    case refused
    /// It was not sent, or not taken, because another was refused.
    case unsent
    /// Nobody knows whether it was written.
    case doubtful
    /// Anything else.
    case failed

    package init(_ code: ErrorCode, mayBeWritten: Bool) {
        switch code {
        // Purged from the queue; the client has given up.
        case ErrorCode(-152), ErrorCode(-150), ErrorCode(-148): self = mayBeWritten ? .doubtful : .unsent
        // Purged in flight.
        case ErrorCode(-151): self = .doubtful
        // Another record of its batch is invalid.
        case ErrorCode(-138): self = .refused
        default: self = code.isOfTheContent ? .refused : .failed
        }
    }
}

extension ErrorCode {
    /// Whether a message is refused for what it is, whenever it is tried.
    package var isOfTheContent: Bool { meaning == .lasting(.malformed) }
}
