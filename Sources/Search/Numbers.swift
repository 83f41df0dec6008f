import Bytes
import Loading
import ToolRuntime

/// What es-load says of itself while it runs: `--stats`, and `--progress`, a line on a terminal that is written over once a
/// second.
struct Numbers {
    private var isShown: Bool
    private var statistics: Statistics?
    private var next: Int64
    private var last: (milliseconds: Int64, done: Int)
    private var hasLine = false

    init(isShown: Bool, _ statistics: Statistics?) {
        self.isShown = isShown && Descriptor.standardError.isTerminal
        self.statistics = statistics
        let now = Moment.now().monotonicMilliseconds
        next = now + 1000
        last = (now, 0)
    }

    /// Milliseconds until something is to be told; nil: never.
    func patience(at now: Moment) -> Int64? {
        let untilShown = isShown ? max(0, next - now.monotonicMilliseconds) : nil
        return [untilShown, statistics?.patience(at: now)].compactMap(\.self).min()
    }

    /// Tells what is due.
    mutating func tell(_ counts: LoadCounts, _ held: Int) {
        statistics?.report { Self.facts(counts, held) }
        guard isShown else { return }
        let now = Moment.now().monotonicMilliseconds
        guard now >= next else { return }
        let rate = (counts.done - last.done) * 1000 / Int(max(1, now - last.milliseconds))
        Descriptor.standardError.writeIgnoringErrors(
            "\r\u{1B}[Kes-load: \(counts.done) documents, \(rate) documents/s, \(counts.retried) sent again, "
                + "\(counts.rejected) refused")
        (next, last, hasLine) = (now + 1000, (now, counts.done), true)
    }

    /// Leaves the line of `--progress` as it is.
    mutating func leaveLine() {
        if hasLine { Descriptor.standardError.writeIgnoringErrors("\n") }
        hasLine = false
    }

    mutating func end(_ counts: LoadCounts, _ held: Int) {
        leaveLine()
        let (numbers, more) = Self.facts(counts, held)
        statistics?.end(numbers, more)
    }

    private static func facts(_ counts: LoadCounts, _ held: Int) -> (Statistics.Counts, Summary) {
        var more = counts.facts
        more.add("held_bytes", held)
        let numbers = Statistics.Counts(
            read: counts.read, bytesRead: counts.bytesRead, written: counts.done, bytesWritten: counts.bytesPosted)
        return (numbers, more)
    }
}
