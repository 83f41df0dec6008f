/// How a time is written in a field.
public enum TimeFormat: String, CaseIterable, Sendable {
    /// Any of the others: of a number, by how many digits it has.
    case auto
    /// Seconds since the Unix epoch, perhaps with a fraction: `1795341600`, `1795341600.250`.
    case s
    /// Whole milliseconds since the Unix epoch.
    case ms
    /// Whole microseconds.
    case us
    /// Whole nanoseconds.
    case ns
    /// `2026-11-22T10:00:00Z`.
    case rfc3339
    /// That of the Common Log Format: `27/Nov/2026:20:54:01 +0000`, perhaps in brackets.
    case clf

    /// What a text of no declared format is written in.
    static func guess(_ text: UnsafeRawBufferPointer) -> TimeFormat {
        let isNegative = text.first == UInt8(ascii: "-")
        let digits = text.dropFirst(isNegative ? 1 : 0).prefix { $0 &- UInt8(ascii: "0") < 10 }.count
        let end = digits + (isNegative ? 1 : 0)
        guard digits > 0, end == text.count || text[end] == UInt8(ascii: ".") else {
            return text.contains(UInt8(ascii: "/")) ? .clf : .rfc3339
        }
        // Of the seconds of the years to 5138, which have eleven digits at most; then three more for each unit.
        return digits <= 11 ? .s : digits <= 14 ? .ms : digits <= 17 ? .us : .ns
    }
}

/// Reads times in one format.
public struct TimeReader: Sendable {
    private let format: TimeFormat
    private var dates = Timestamp.Reader()
    private var logs = Timestamp.LogReader()
    /// Of the numbers read, in milliseconds.
    private var least = Int64.max
    private var most = Int64.min

    public init(_ format: TimeFormat) { self.format = format }

    /// Milliseconds since the Unix epoch, rounded down; nil if `text` is no time.
    /// - Throws: `outOfRange` for a number that is none of 64 bits, or too large.
    public mutating func milliseconds(_ text: UnsafeRawBufferPointer) throws(Decimal.Failure) -> Int64? {
        let format = format == .auto ? TimeFormat.guess(text) : format
        let time: Int64
        switch format {
        case .rfc3339, .auto: return dates.milliseconds(text)
        case .clf: return logs.milliseconds(text)
        case .s: time = try Self.seconds(text)
        case .ms: time = try Decimal.parse(text)
        case .us: time = Timestamp.floorDivide(try Decimal.parse(text), 1000)
        case .ns: time = Timestamp.floorDivide(try Decimal.parse(text), 1_000_000)
        }
        (least, most) = (min(least, time), max(most, time))
        return time
    }

    /// What looks wrong about the numbers so far, in words; nil where nothing does.
    public var doubt: String? {
        let (january1970, year2200) = (Int64(0)..<31 * 86_400_000, Int64(7_258_118_400_000))
        guard least <= most else { return nil }
        if january1970.contains(least), january1970.contains(most) {
            return "all times are in January 1970: is --time-format the right one?"
        }
        return least >= year2200 ? "all times are after the year 2200: is --time-format the right one?" : nil
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
