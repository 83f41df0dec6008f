/// What may be acknowledged: an epoch when all documents before its barrier are done or put aside, and those of the epochs
/// before it as well.
struct Epochs {
    struct Mark: Equatable {
        var session: [UInt8]
        var epoch: Int64
        /// After it nobody need listen any more.
        var isLast: Bool
    }

    /// The number, from 0, of the oldest epoch that is not acknowledged.
    private var first = 0
    /// Documents on their way, of each epoch from there; the last is the one that is being read.
    private var waiting = [0]
    /// The barriers that end them, all but the last.
    private var marks: [Mark] = []

    /// The number of the epoch that is being read.
    var current: Int { first + waiting.count - 1 }
    /// Whether nothing is on its way.
    var isEmpty: Bool { waiting.allSatisfy { $0 == 0 } }

    mutating func begin(_ documents: Int) { waiting[waiting.count - 1] += documents }

    mutating func finish(_ documents: Int, of epoch: Int) {
        waiting[epoch - first] -= documents
        precondition(waiting[epoch - first] >= 0, "more documents are done than were read")
    }

    mutating func end(_ mark: Mark) {
        marks.append(mark)
        waiting.append(0)
    }

    /// The next that may be acknowledged; it is told once.
    mutating func next() -> Mark? {
        guard !marks.isEmpty, waiting[0] == 0 else { return nil }
        waiting.removeFirst()
        first += 1
        return marks.removeFirst()
    }
}
