public import Bytes

/// `--stats TIME`: one line of JSON on standard error every so often, and one at the end.
///
/// Counts are of the whole run, so that who reads the lines may miss some; rates are of what was read since the last line.
public struct Statistics: Sendable {
    /// In seconds.
    public static let option = Option<Int>(
        "stats", nil, "TIME", default: 0, expected: "a duration from 1s to 1d, such as 10s, or a number of seconds",
        help: "Print one line of JSON on standard error every so often, such as 10s, and at the end."
    ) { text in
        let seconds = Int(text) ?? milliseconds(text).flatMap { $0 % 1000 == 0 ? Int($0 / 1000) : nil }
        return seconds.flatMap { (1...86_400).contains($0) ? $0 : nil }
    }

    /// What has come in and gone out so far.
    public struct Counts {
        public var read: Int
        public var bytesRead: Int
        public var written: Int
        public var bytesWritten: Int

        public init(read: Int, bytesRead: Int, written: Int, bytesWritten: Int) {
            self.read = read
            self.bytesRead = bytesRead
            self.written = written
            self.bytesWritten = bytesWritten
        }
    }

    private let tool: String
    private let interval: Int64
    private let start: Int64
    private var next: Int64
    private var last: (milliseconds: Int64, read: Int, bytes: Int)

    /// - Returns: nil where `--stats` was not given.
    public init?(_ tool: String, _ arguments: Arguments, now: Moment = .now()) {
        guard arguments.has(Self.option) else { return nil }
        self.tool = tool
        interval = Int64(arguments[Self.option]) * 1000
        start = now.monotonicMilliseconds
        next = start + interval
        last = (start, 0, 0)
    }

    /// Milliseconds until the next line is due.
    public func patience(at now: Moment = .now()) -> Int64 { max(0, next - now.monotonicMilliseconds) }

    /// Prints a line if one is due.
    /// - Parameter facts: the counts, and what else there is to say; asked only then.
    public mutating func report(at now: Moment = .now(), _ facts: () -> (Counts, Summary)) {
        guard now.monotonicMilliseconds >= next else { return }
        let (counts, more) = facts()
        print(counts, more, now.monotonicMilliseconds)
        // After a long wait one line, not one for each that was missed.
        next += (now.monotonicMilliseconds - next) / interval * interval + interval
    }

    /// Prints the last line.
    public mutating func end(_ counts: Counts, _ more: Summary, at now: Moment = .now()) {
        print(counts, more, now.monotonicMilliseconds)
    }

    private mutating func print(_ counts: Counts, _ more: Summary, _ milliseconds: Int64) {
        let elapsed = Double(max(1, milliseconds - last.milliseconds)) / 1000
        func rate(_ count: Int) -> Int { Int((Double(count) / elapsed).rounded()) }
        var line = Summary()
        line.add("tool", tool)
        line.add("seconds", .number(Double(milliseconds - start) / 1000))
        line.add("read", counts.read)
        line.add("bytes_read", counts.bytesRead)
        line.add("written", counts.written)
        line.add("bytes_written", counts.bytesWritten)
        line.add("lines_per_second", rate(counts.read - last.read))
        line.add("bytes_per_second", rate(counts.bytesRead - last.bytes))
        line.add(contentsOf: more)
        last = (milliseconds, counts.read, counts.bytesRead)
        Descriptor.standardError.writeIgnoringErrors(line.json + "\n")
    }
}
