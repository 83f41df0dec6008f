/// Windows of so many lines each: the first `size` lines, the next, and so on. A window's label is the number of its first
/// line, from 1, of those that were counted.
///
/// Where lines are counted from is not in the output, so that after a restart they are counted from 1 again.
public struct LineWindows: Equatable, Sendable {
    public let size: Int
    /// The label of the open window.
    public private(set) var start = 1
    /// How many lines it has.
    public private(set) var count = 0

    public init(size: Int) {
        precondition(size >= 1)
        self.size = size
    }

    /// How many more lines the open window takes; at 0 it is due.
    public var room: Int { size - count }

    /// Takes note of so many lines more, of which there are at most `room`.
    public mutating func take(_ lines: Int = 1) {
        precondition(lines >= 0 && lines <= room)
        count += lines
    }

    /// Closes the open window, be it full or not; the next begins with the next line.
    public mutating func close() {
        start += count
        count = 0
    }
}
