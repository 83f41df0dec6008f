import CBytes

/// Turns reads of any size into chunks of whole lines, cut at barriers.
///
/// The buffer's bytes fall into three parts, one behind the other:
///
///     0 ..< consumed          handed out, no longer needed
///     consumed ..< whole      whole lines, not yet handed out
///     whole ..< filled        the beginning of a line whose end has not come
///
/// When there is no whole line left, the third part is rolled to the front and the rest of the buffer filled again. It
/// doubles only when a partial line fills half of it, so a line costs time in proportion to its length, and the buffer
/// stays under four times the longest line. The kernel moves a large buffer without a copy, and only what was read into
/// it takes memory.
public struct LineBuffer: ~Copyable {
    public enum Piece {
        /// One or more whole lines, each with its LF, and the number of the first. Good until the next call.
        case lines(UnsafeBufferPointer<UInt8>, firstLine: Int)
        /// A barrier, and its line with the LF.
        case barrier(Barrier, UnsafeRawBufferPointer)
    }

    /// A line grew past `maxLine`.
    public struct LineTooLong: Error, Equatable, Sendable, CustomStringConvertible {
        public let number: Int
        public let maxLine: Int
        public var description: String { "line \(number): longer than \(maxLine) bytes (--max-line)" }
    }

    private var storage: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private var consumed = 0
    private var whole = 0
    private var filled = 0
    private let maxLine: Int
    private var finder = BarrierFinder()
    /// The barrier behind the lines that were handed out last.
    private var pending: (line: Range<Int>, barrier: Barrier)?
    /// Lines handed out so far.
    public private(set) var lineCount = 0

    /// - Parameters:
    ///   - capacity: in bytes; how much one read may bring.
    ///   - maxLine: in bytes, without the LF.
    public init(capacity: Int = 256 << 10, maxLine: Int = 64 << 20) {
        self.capacity = capacity
        self.maxLine = maxLine
        storage = Self.resized(nil, to: capacity)
    }

    deinit { cbytes_release(storage) }

    /// Room for the next read. Only to be called when `next` has returned nil.
    public mutating func space() throws(LineTooLong) -> UnsafeMutableRawBufferPointer {
        precondition(consumed == whole, "whole lines are left")
        let partial = filled - whole
        if whole > 0 {
            UnsafeMutableRawPointer(storage).copyMemory(from: storage + whole, byteCount: partial)
            (consumed, whole, filled) = (0, 0, partial)
        }
        if partial > maxLine { throw LineTooLong(number: lineCount + 1, maxLine: maxLine) }
        // One byte stays free for the LF that a last line may lack.
        if filled + 1 > capacity / 2 { grow() }
        return UnsafeMutableRawBufferPointer(start: storage + filled, count: capacity - 1 - filled)
    }

    /// Declares that a read has put `count` bytes at the front of the last `space`.
    public mutating func fill(_ count: Int) {
        precondition(count >= 0 && filled + count < capacity)
        let behindLast = cbytes_behind_last(storage + filled, 0x0A, count)
        if behindLast > 0 { whole = filled + behindLast }
        filled += count
    }

    /// Declares the end of the input: a last line without LF gets one.
    public mutating func end() throws(LineTooLong) {
        guard filled > whole else { return }
        if filled - whole > maxLine { throw LineTooLong(number: lineCount + 1, maxLine: maxLine) }
        storage[filled] = 0x0A
        filled += 1
        whole = filled
    }

    /// The next chunk or barrier; nil when more input is needed.
    /// - Throws: `LineTooLong` when a whole line is longer than `maxLine`.
    public mutating func next() throws(LineTooLong) -> Piece? {
        if let (line, barrier) = pending {
            if line.count > maxLine { throw LineTooLong(number: lineCount + 1, maxLine: maxLine) }
            pending = nil
            consumed = line.upperBound + 1
            lineCount += 1
            return .barrier(barrier, UnsafeRawBufferPointer(start: storage + line.lowerBound, count: line.count + 1))
        }
        guard consumed < whole else { return nil }
        let start = consumed
        pending = finder.next(in: UnsafeRawBufferPointer(start: storage, count: whole), from: start)
        var end = pending?.line.lowerBound ?? whole
        guard end > start else { return try next() }
        if end - start > maxLine, let tooLong = firstTooLong(in: start..<end) {
            guard tooLong > start else { throw LineTooLong(number: lineCount + 1, maxLine: maxLine) }
            // The lines in front of it are still good; the next call throws.
            pending = nil
            end = tooLong
        }
        let firstLine = lineCount + 1
        lineCount += cbytes_count(storage + start, 0x0A, end - start)
        consumed = end
        return .lines(UnsafeBufferPointer(start: storage + start, count: end - start), firstLine: firstLine)
    }

    /// Where the first line that is longer than `maxLine` starts.
    private func firstTooLong(in lines: Range<Int>) -> Int? {
        var scanner = LineScanner(UnsafeRawBufferPointer(start: storage + lines.lowerBound, count: lines.count))
        while let line = scanner.next() {
            if line.count > maxLine { return lines.lowerBound + line.lowerBound }
        }
        return nil
    }

    private mutating func grow() {
        capacity *= 2
        storage = Self.resized(storage, to: capacity)
    }

    private static func resized(
        _ storage: UnsafeMutablePointer<UInt8>?, to capacity: Int
    ) -> UnsafeMutablePointer<UInt8> {
        guard let resized = cbytes_resize(storage, capacity) else { fatalError("out of memory") }
        return resized.assumingMemoryBound(to: UInt8.self)
    }
}
