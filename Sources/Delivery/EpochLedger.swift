import Bytes

/// The barriers of a stream that `kcat-in` writes, numbered from 0, and the epochs that are on their way to be committed.
package struct EpochLedger {
    package struct Pending {
        package let number: Int64
        package let positions: [Position]
        /// Where the barrier ends in the output.
        package let end: Int
        package let lines: Int
        package let bytes: Int
        /// When its first line could be read.
        let begun: Int64
    }

    package let session: [UInt8]
    /// How many barriers were made, which is the number of the next.
    package private(set) var next: Int64 = 0
    package private(set) var pending: [Pending] = []
    /// Since when the first of them, all of whose lines were taken by standard output, waits for its commit.
    package private(set) var waitingSince: Int64?
    package private(set) var committedEpochs = 0
    /// Lines and output bytes before the last barrier that ends an epoch.
    private var lines = 0
    private var position = 0
    private var lastBarrier: Int64
    private var lastSettled: Int64
    package private(set) var budget: EpochBudget

    /// - Parameters:
    ///   - session: 128 random bits in 32 hexadecimal digits, which data cannot guess.
    ///   - milliseconds: in which an epoch is to be committed, if it is not the time alone that ends it.
    package init(session: [UInt8], committedWithin milliseconds: Int64, at now: Int64) {
        (self.session, lastBarrier, lastSettled) = (session, now, now)
        budget = EpochBudget(milliseconds: milliseconds)
    }

    package var isSettled: Bool { pending.isEmpty }

    package mutating func barrier(_ kind: Barrier.Kind, _ watermark: Watermark? = nil, payload: [UInt8]) -> [UInt8] {
        defer { next += 1 }
        return Barrier(session: session, epoch: next, kind: kind, watermark: watermark, payload: payload).line
    }

    /// Bytes of the output since the last epoch ended.
    package func bytes(before position: Int) -> Int { position - self.position }

    /// Notes that the barrier made last ends an epoch.
    /// - Parameters:
    ///   - end: where it ends in the output.
    ///   - lines: all that were read so far.
    package mutating func begin(_ positions: [Position], end: Int, lines: Int, at now: Int64) {
        pending.append(
            Pending(
                number: next - 1, positions: positions, end: end, lines: lines - self.lines, bytes: end - position,
                begun: lastBarrier))
        (self.lines, position, lastBarrier) = (lines, end, now)
    }

    /// Lines that were read and then given up belong to no epoch.
    package mutating func forget(lines: Int, end: Int) { (self.lines, position) = (lines, end) }

    /// Starts the clock of the first epoch once standard output has taken it.
    package mutating func noteAccepted(_ bytes: Int, at now: Int64) {
        if waitingSince == nil, let first = pending.first, first.end <= bytes { waitingSince = now }
    }

    /// Takes the first epochs out, as long as they are `done`.
    package mutating func settle(at now: Int64, while done: (Pending) -> Bool) -> [Pending] {
        let settled = Array(pending.prefix(while: done))
        guard let last = settled.last else { return [] }
        pending.removeFirst(settled.count)
        committedEpochs += settled.count
        waitingSince = nil
        let bytes = settled.reduce(0) { $0 + $1.bytes }
        budget.note(bytes: bytes, milliseconds: now - max(lastSettled, settled[0].begun))
        lastSettled = max(now, last.begun)
        return settled
    }
}

/// How many bytes an epoch may hold: what the last ones show to be committed in the time that one is to take, filters and
/// brokers of any speed included. So commits come all the time where brokers are slow, too.
package struct EpochBudget {
    package static let first = 256 << 10
    package static let least = 64 << 10
    /// Brokers slow down without a word, where a quota's credit is used up: then one epoch takes so much longer.
    package static let most = 16 << 20
    package private(set) var bytes = EpochBudget.first
    let milliseconds: Int64

    /// - Parameter milliseconds: that an epoch is to take.
    package init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// - Parameters:
    ///   - count: of epochs that were committed.
    ///   - milliseconds: how long that took, from the commit before it or, where the stream stood still, from their first line.
    package mutating func note(bytes count: Int, milliseconds: Int64) {
        guard count > 0 else { return }
        let fitting = Double(count) * Double(self.milliseconds) / Double(max(1, milliseconds))
        let wanted = min(Double(2 * bytes), fitting)
        // Little was read, and in time: that shows nothing about more.
        if count < bytes / 4, wanted < Double(bytes), milliseconds <= self.milliseconds { return }
        bytes = Int(min(Double(Self.most), max(Double(Self.least), wanted)))
    }
}
