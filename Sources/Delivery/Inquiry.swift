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

    private(set) var question: Question?
    /// Tells an answer to this from one to what was asked before.
    private(set) var number = 0
    private var askedAt: Int64?
    /// How long it has been asked in vain, and how long brokers have said that there is no such topic.
    private var waited = AwakeTime()
    private var missed = AwakeTime()
    private var failures = 0
    private var nextTry: Int64 = 0

    var isOpen: Bool { question != nil }

    mutating func ask(_ question: Question, at now: Int64) {
        (self.question, askedAt, failures, nextTry) = (question, nil, 0, now)
        (waited, missed) = (AwakeTime(), AwakeTime())
        waited.look(at: now)
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
        waited.look(at: now)
        if code.meaning == .missing { missed.look(at: now) } else { missed = AwakeTime() }
        let time = code.meaning == .missing ? missed : waited
        return code.passes(after: time.milliseconds, patience: patience) ? nil : Ending(code.kind, words)
    }

    var nextWake: Int64? {
        guard question != nil else { return nil }
        return askedAt.map { $0 + Self.millisecondsToAnswer } ?? nextTry
    }
}
