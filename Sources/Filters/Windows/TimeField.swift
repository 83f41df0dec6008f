public import Bytes
import CBytes

/// How a time is written in a field.
public enum TimeFormat: String, CaseIterable, Sendable {
    /// Whole milliseconds since the Unix epoch.
    case ms
    /// Seconds since the Unix epoch, perhaps with a fraction: `1795341600`, `1795341600.250`.
    case s
    /// `2026-11-22T10:00:00Z`.
    case rfc3339
}

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

        public var description: String {
            switch self {
            case .missing(let field): "no time: the line has no field \(field)"
            case .notATime(let text, .ms): "time is not a number of milliseconds: \(text)"
            case .notATime(let text, .s): "time is not a number of seconds: \(text)"
            case .notATime(let text, .rfc3339): "time is not as RFC 3339 writes it: \(text)"
            case .outOfRange(let text): "time is outside the years 0001 to 9999: \(text)"
            }
        }
    }

    private let number: Int
    private let format: TimeFormat
    private var reader = Timestamp.Reader()
    /// Where a key is put together that the time parted in two.
    private var joined: UnsafeMutableRawBufferPointer

    /// - Parameter number: which field is the time, from 1.
    public init(_ number: Int, format: TimeFormat) {
        precondition(number >= 1)
        self.number = number
        self.format = format
        joined = .allocate(byteCount: 256, alignment: 1)
    }

    deinit { joined.deallocate() }

    /// The time and the key of a line.
    /// - Parameter line: without its LF, and of a count line without the count and the TAB in front of it.
    /// - Returns: the time in milliseconds since the Unix epoch; the key, which is good until the next call, and not
    ///   longer than the line is.
    /// - Cost: one search for each field up to the time. Only a time in the middle of the line has its key copied.
    public mutating func take(
        from line: UnsafeRawBufferPointer
    ) throws(Problem) -> (time: Int64, key: UnsafeRawBufferPointer) {
        guard let base = line.baseAddress else {
            // A line without bytes is one empty field.
            throw number == 1 ? .notATime(quoted(line), format) : .missing(field: number)
        }
        var start = 0
        for _ in 1..<number {
            start += cbytes_first(base + start, UInt8(ascii: "\t"), line.count - start) + 1
            if start > line.count { throw .missing(field: number) }
        }
        let length = cbytes_first(base + start, UInt8(ascii: "\t"), line.count - start)
        let time = try milliseconds(UnsafeRawBufferPointer(start: base + start, count: length))
        let behind = start + length + 1
        if behind > line.count { return (time, UnsafeRawBufferPointer(start: base, count: max(0, start - 1))) }
        if start == 0 { return (time, UnsafeRawBufferPointer(start: base + behind, count: line.count - behind)) }
        return (time, join(base, front: start, base + behind, back: line.count - behind))
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

    private mutating func milliseconds(_ text: UnsafeRawBufferPointer) throws(Problem) -> Int64 {
        let time: Int64?
        do throws(Decimal.Failure) {
            switch format {
            case .ms: time = try Decimal.parse(text)
            case .s: time = try Self.seconds(text)
            case .rfc3339: time = reader.milliseconds(text)
            }
        } catch {
            throw error == .notANumber ? .notATime(quoted(text), format) : .outOfRange(quoted(text))
        }
        guard let time else { throw .notATime(quoted(text), format) }
        guard Timestamp.range.contains(time) else { throw .outOfRange(quoted(text)) }
        return time
    }

    /// Seconds, perhaps with a fraction, as milliseconds, rounded down: into the past also before 1970.
    private static func seconds(_ text: UnsafeRawBufferPointer) throws(Decimal.Failure) -> Int64 {
        let point = text.firstIndex(of: UInt8(ascii: ".")) ?? text.count
        let whole = try Decimal.parse(UnsafeRawBufferPointer(rebasing: text[..<point]))
        guard whole.magnitude <= Timestamp.range.upperBound.magnitude / 1000 else { throw .outOfRange }
        let start = whole * 1000
        guard point < text.count else { return start }
        guard point + 1 < text.count else { throw .notANumber }
        var fraction: Int64 = 0
        var unit: Int64 = 100
        var isCut = false
        for byte in text[(point + 1)...] {
            let digit = Int64(byte) - 0x30
            guard (0...9).contains(digit) else { throw .notANumber }
            isCut = isCut || unit == 0 && digit != 0
            fraction += digit * unit
            unit /= 10
        }
        return text[0] == UInt8(ascii: "-") ? start - fraction - (isCut ? 1 : 0) : start + fraction
    }
}
