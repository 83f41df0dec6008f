public import Bytes
import CBytes

/// Takes the time out of a line: what is left, joined by TABs, is the line's key.
///
/// Fields are separated by TAB and counted from 1, as in cut.
public struct TimeField: ~Copyable {
    public enum Problem: LineProblem {
        case missing(field: Int)
        /// The field, quoted.
        case notATime(String, TimeFormat)
        /// The field, quoted: a time, but not in `Timestamp.range`.
        case outOfRange(String)
        /// The field, quoted: a time at which no window begins, or none at all.
        case notALabel(String)

        public var description: String {
            switch self {
            case .missing(let field): "no time: the line has no field \(field)"
            case .notATime(let text, .ms): "time is not a number of milliseconds: \(text)"
            case .notATime(let text, .us): "time is not a number of microseconds: \(text)"
            case .notATime(let text, .ns): "time is not a number of nanoseconds: \(text)"
            case .notATime(let text, .s): "time is not a number of seconds: \(text)"
            case .notATime(let text, .rfc3339): "time is not as RFC 3339 writes it: \(text)"
            case .notATime(let text, .clf): "time is not as the Common Log Format writes it: \(text)"
            case .notATime(let text, .auto): "time is in no known format: \(text)"
            case .outOfRange(let text): "time is outside the years 0001 to 9999: \(text)"
            case .notALabel(let text): "no window begins at \(text)"
            }
        }
    }

    private let number: Int
    private let format: TimeFormat
    private let isLabel: Bool
    private let windows: WindowShape
    private var reader: TimeReader
    /// Whether the last label that was read shows milliseconds.
    public private(set) var showsMilliseconds = false
    /// Where a key is put together that the time parted in two.
    private var joined: UnsafeMutableRawBufferPointer

    /// - Parameters:
    ///   - source: where the time is.
    ///   - windows: whose labels are good as well, where they are before the first time.
    public init(_ source: EventTime, in windows: WindowShape) {
        number = source.field
        format = source.format ?? .rfc3339
        isLabel = source.isLabel
        self.windows = windows
        reader = TimeReader(format)
        joined = .allocate(byteCount: 256, alignment: 1)
    }

    deinit { joined.deallocate() }

    /// What looks wrong about the times so far, in words.
    public var doubt: String? { reader.doubt }

    /// The time and the key of a line.
    /// - Parameter line: without its LF, and of a count line without the count and the TAB in front of it.
    /// - Returns: the time in milliseconds since the Unix epoch; the key, which is good until the next call, and not
    ///   longer than the line is.
    /// - Cost: one search for each field up to the time. Only a time in the middle of the line has its key copied.
    public mutating func take(
        from line: UnsafeRawBufferPointer
    ) throws(Problem) -> (time: Int64, key: UnsafeRawBufferPointer) {
        let field = try find(in: line)
        let time = try milliseconds(UnsafeRawBufferPointer(rebasing: line[field]))
        // The field was found, so there are bytes.
        guard let base = line.baseAddress else { return (time, line) }
        let (start, behind) = (field.lowerBound, field.upperBound + 1)
        if behind > line.count { return (time, UnsafeRawBufferPointer(start: base, count: max(0, start - 1))) }
        if start == 0 { return (time, UnsafeRawBufferPointer(start: base + behind, count: line.count - behind)) }
        return (time, join(base, front: start, base + behind, back: line.count - behind))
    }

    /// The time of a line, which keeps it.
    public mutating func read(in line: UnsafeRawBufferPointer) throws(Problem) -> Int64 {
        try milliseconds(UnsafeRawBufferPointer(rebasing: line[try find(in: line)]))
    }

    @inline(__always)
    private func find(in line: UnsafeRawBufferPointer) throws(Problem) -> Range<Int> {
        guard let start = line.start(ofField: number) else { throw .missing(field: number) }
        // A line without bytes is one empty field.
        guard let base = line.baseAddress else { throw notATime(line) }
        return start..<(start + cbytes_first(base + start, UInt8(ascii: "\t"), line.count - start))
    }

    private mutating func join(
        _ front: UnsafeRawPointer, front frontCount: Int, _ back: UnsafeRawPointer, back backCount: Int
    ) -> UnsafeRawBufferPointer {
        let count = frontCount + backCount
        if count > joined.count {
            joined.deallocate()
            joined = .allocate(byteCount: 2 * count, alignment: 1)
        }
        // In bounds: the buffer holds count bytes and more.
        let target = joined.baseAddress.unsafelyUnwrapped
        target.copyMemory(from: front, byteCount: frontCount)
        (target + frontCount).copyMemory(from: back, byteCount: backCount)
        return UnsafeRawBufferPointer(start: target, count: count)
    }

    @inline(__always)
    private mutating func milliseconds(_ text: UnsafeRawBufferPointer) throws(Problem) -> Int64 {
        let time: Int64?
        do throws(Decimal.Failure) { time = try reader.milliseconds(text) } catch {
            throw error == .notANumber ? notATime(text) : .outOfRange(quoted(text))
        }
        guard let time else { throw notATime(text) }
        if isLabel {
            guard windows.isStart(time) else { throw .notALabel(quoted(text)) }
            showsMilliseconds = text.count == Timestamp.longest
        } else if !Timestamp.range.contains(time), !windows.isStart(time) {
            throw .outOfRange(quoted(text))
        }
        return time
    }

    private func notATime(_ text: UnsafeRawBufferPointer) -> Problem {
        isLabel ? .notALabel(quoted(text)) : .notATime(quoted(text), format)
    }
}
