/// What a reader asks the brokers.
package enum Question: Equatable, Sendable {
    /// How many partitions the topic has.
    case partitionCount
    /// What is there of these partitions (`LogRange`), told by their leaders.
    case ranges([Int32])
    /// What the group has committed of these, once no open transaction holds it.
    case stored([Int32])
    /// What the group has committed of these by now, whatever transactions hold.
    case committed([Int32])
}

package enum Answer: Equatable, Sendable {
    case partitionCount(Int32)
    case ranges([Int32: LogRange])
    /// Partitions of which the group has committed nothing are missing.
    case offsets([Int32: StoredOffset])
    case failure(ErrorCode, String)
}

/// Something that is asked until it is answered: what passes is waited out, for as long as there is patience.
struct Inquiry {
    /// Who has not answered by then is asked again.
    static let millisecondsToAnswer: Int64 = 30_000

    /// So often, at least, what passes is asked for again.
    static let leastFailures = 2

    private(set) var question: Question?
    /// Tells an answer to this from one to what was asked before.
    private(set) var number = 0
    private var askedAt: Int64?
    /// Since when it is asked, and since when brokers say that there is no such topic.
    private var since: Int64 = 0
    private var missingSince: Int64?
    private var failures = 0
    private var nextTry: Int64 = 0

    var isOpen: Bool { question != nil }

    mutating func ask(_ question: Question, at now: Int64) {
        (self.question, askedAt, since, missingSince, failures, nextTry) = (question, nil, now, nil, 0, now)
    }

    mutating func end() { (question, askedAt) = (nil, nil) }

    /// What to ask now, if anything.
    /// - Parameter number: which no other question has.
    mutating func due(_ number: Int, at now: Int64) -> Question? {
        guard let question, now >= nextTry else { return nil }
        if let askedAt, now - askedAt < Self.millisecondsToAnswer { return nil }
        (self.number, askedAt) = (number, now)
        return question
    }

    func isAnswered(by number: Int) -> Bool { question != nil && askedAt != nil && number == self.number }

    /// The answer was an error: asks again, or says how to end.
    mutating func fail(
        _ code: ErrorCode, _ words: String, patience: Int64, at now: Int64
    ) -> Ending? {
        askedAt = nil
        nextTry = now + min(1000, 50 << Int64(min(failures, 5)))
        failures += 1
        missingSince = code.meaning == .missing ? missingSince ?? now : nil
        // Time alone says nothing: this process may have been stopped.
        let mayPass = code.passes(after: 0, patience: patience)
        if failures < Self.leastFailures, mayPass { return nil }
        return code.passes(after: now - (missingSince ?? since), patience: patience) ? nil : Ending(code.kind, words)
    }

    var nextWake: Int64? {
        guard question != nil else { return nil }
        return askedAt.map { $0 + Self.millisecondsToAnswer } ?? nextTry
    }
}
