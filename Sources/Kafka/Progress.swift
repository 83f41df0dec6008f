import Bytes
import Glibc
import ToolRuntime

/// What a bridge says of itself while it runs: `--progress`, a line on standard error that is written over once a second,
/// and `--stats`.
package struct Progress {
    private let isShown: Bool
    private var statistics: Statistics?
    private let tool: String
    private let start: Int64
    private var next: Int64
    private var last: (milliseconds: Int64, lines: Int, bytes: Int)
    /// When the time left was first asked for, and how much was left then.
    private var base: (milliseconds: Int64, left: Int64)?

    init(_ tool: String, isWanted: Bool, _ statistics: Statistics?) {
        self.statistics = statistics
        isShown = isWanted && Descriptor.standardError.isTerminal
        self.tool = tool
        start = Client.monotonicMilliseconds()
        next = start + 1000
        last = (start, 0, 0)
    }

    /// Milliseconds until the next line is due; nil: never.
    var patience: Int64? {
        let untilShown = isShown ? max(0, next - Client.monotonicMilliseconds()) : nil
        return [untilShown, statistics?.patience()].compactMap(\.self).min()
    }

    var isReportDue: Bool { statistics?.patience() == 0 }

    /// Prints the line of `--stats` if it is due.
    mutating func report(_ facts: () -> (Statistics.Counts, Summary)) { statistics?.report(facts) }

    /// Whether a line is due.
    var isDue: Bool { isShown && Client.monotonicMilliseconds() >= next }

    /// - Parameter rest: what else there is to say.
    mutating func show(lines: Int, bytes: Int, rest: String) {
        let now = Client.monotonicMilliseconds()
        next = now + 1000
        let seconds = Double(max(1, now - last.milliseconds)) / 1000
        let lineRate = Self.short(Double(lines - last.lines) / seconds)
        let byteRate = Self.short(Double(bytes - last.bytes) / seconds)
        last = (now, lines, bytes)
        Descriptor.standardError.writeIgnoringErrors(
            "\r\u{1B}[K\(tool): \(Self.short(Double(lines))) lines, \(lineRate) lines/s, \(byteRate)B/s\(rest)")
    }

    /// How long it takes until none of `left` is left, at the rate since this was first asked; nil: not known yet.
    mutating func seconds(for left: Int64) -> Int64? {
        let now = Client.monotonicMilliseconds()
        guard let base, base.left > left else {
            // Also where partitions were added.
            base = (now, left)
            return nil
        }
        return left * (now - base.milliseconds) / (base.left - left) / 1000
    }

    /// Leaves the last line as it is and goes to the next; the last line of `--stats`.
    mutating func end(_ facts: () -> (Statistics.Counts, Summary)) {
        if isShown, last.milliseconds > start { Descriptor.standardError.writeIgnoringErrors("\n") }
        if statistics != nil {
            let (counts, more) = facts()
            statistics?.end(counts, more)
        }
    }

    /// Three figures and a unit: 999, 1.2k, 35M.
    package static func short(_ number: Double) -> String {
        var (value, unit) = (number, "")
        for next in ["k", "M", "G", "T"] where value >= 1000 { (value, unit) = (value / 1000, next) }
        if unit.isEmpty || value >= 10 { return "\(Int(value))\(unit)" }
        let tenths = Int(value * 10)
        return "\(tenths / 10).\(tenths % 10)\(unit)"
    }
}
