/// Points in time: milliseconds since 1970-01-01T00:00:00Z, without leap seconds, in the proleptic Gregorian calendar.
public enum Timestamp {
    /// The years 0001 to 9999: what RFC 3339 can write, less the year 0, which is left to windows that begin before
    /// their lines do.
    public static let range: ClosedRange<Int64> = -62_135_596_800_000...253_402_300_799_999

    /// The bytes of the longest label, `2026-11-22T10:00:00.000Z`.
    public static let longest = 24

    static let millisecondsPerDay: Int64 = 86_400_000

    /// Days since 1970-01-01. The year begins in March here, so that the leap day is its last.
    ///
    /// H. Hinnant, "chrono-Compatible Low-Level Date Algorithms",
    /// https://howardhinnant.github.io/date_algorithms.html#days_from_civil
    public static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400  // 0...399
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1  // 0...365
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear  // 0...146,096
        return era * 146_097 + dayOfEra - 719_468
    }

    /// The date of a day counted from 1970-01-01: the inverse of `days`, from the same source.
    public static func date(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097  // 0...146,096
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365  // 0...399
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)  // 0...365
        let shiftedMonth = (5 * dayOfYear + 2) / 153  // 0...11, from March
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    /// Writes `2026-11-22T10:00:00Z`, or with milliseconds `2026-11-22T10:00:00.000Z`, and returns how many bytes.
    /// - Parameters:
    ///   - time: in the years 0000 to 9999.
    ///   - target: has room for `longest` bytes.
    public static func write(
        _ time: Int64, withMilliseconds: Bool, to target: UnsafeMutablePointer<UInt8>
    ) -> Int {
        let days = floorDivide(time, millisecondsPerDay)
        var rest = time - days * millisecondsPerDay
        let (year, month, day) = date(days: days)
        precondition((0...9999).contains(year), "no RFC 3339 year")
        var at = 0
        func put(_ number: Int64, digits: Int, then separator: UInt8) {
            var number = number
            for place in stride(from: at + digits - 1, through: at, by: -1) {
                target[place] = UInt8(ascii: "0") + UInt8(number % 10)
                number /= 10
            }
            target[at + digits] = separator
            at += digits + 1
        }
        put(year, digits: 4, then: UInt8(ascii: "-"))
        put(month, digits: 2, then: UInt8(ascii: "-"))
        put(day, digits: 2, then: UInt8(ascii: "T"))
        put(rest / 3_600_000, digits: 2, then: UInt8(ascii: ":"))
        rest %= 3_600_000
        put(rest / 60_000, digits: 2, then: UInt8(ascii: ":"))
        rest %= 60_000
        put(rest / 1000, digits: 2, then: UInt8(ascii: withMilliseconds ? "." : "Z"))
        if withMilliseconds { put(rest % 1000, digits: 3, then: UInt8(ascii: "Z")) }
        return at
    }

    /// The largest whole number not above `dividend / divisor`. The divisor is positive.
    @inlinable
    public static func floorDivide(_ dividend: Int64, _ divisor: Int64) -> Int64 {
        let quotient = dividend / divisor
        return dividend % divisor < 0 ? quotient - 1 : quotient
    }
}

extension Timestamp {
    /// Reads RFC 3339 date-times: `2026-11-22T10:00:00Z`, `2026-11-22t10:00:00.123456+01:00`.
    ///
    /// As section 5.6 has it, `t` and `z` may be lower-case, a space may stand for `T` (GNU date writes it so), and there
    /// may be any number of fraction digits, of which those past the third are cut off. A leap second, which only the
    /// last minute of a UTC day can have, is the first second of the next day.
    ///
    /// - Cost: the lines of one minute have the same first 16 bytes, and these are then only compared.
    public struct Reader: Sendable {
        /// The first 16 bytes, `2026-11-22T10:00`, of the last date-time read, and what they say, as if in UTC.
        private var prefix: (UInt64, UInt64)
        private var minute: Int64 = 0

        public init() {
            let start: StaticString = "1970-01-01T00:00"
            let text = UnsafeRawBufferPointer(start: start.utf8Start, count: 16)
            prefix = (text.loadUnaligned(as: UInt64.self), text.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }

        /// Milliseconds since 1970-01-01T00:00:00Z; nil if `text` is no RFC 3339 date-time.
        public mutating func milliseconds(_ text: UnsafeRawBufferPointer) -> Int64? {
            guard text.count >= 20 else { return nil }
            // In bounds: there are 20 bytes and more.
            let front = text.loadUnaligned(fromByteOffset: 0, as: UInt64.self)
            let back = text.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
            if front != prefix.0 || back != prefix.1 {
                guard let minute = Self.minute(text) else { return nil }
                self.minute = minute
                prefix = (front, back)
            }
            guard text[16] == UInt8(ascii: ":"), let second = Self.digits(text, 17), second <= 60 else { return nil }
            var at = 19
            var fraction: Int64 = 0
            if text[19] == UInt8(ascii: ".") {
                at = 20
                var unit: Int64 = 100
                while at < text.count, text[at] &- UInt8(ascii: "0") < 10 {
                    fraction += Int64(text[at] &- UInt8(ascii: "0")) * unit
                    unit /= 10
                    at += 1
                }
                guard at > 20 else { return nil }
            }
            guard let offset = Self.offset(text, at) else { return nil }
            guard second == 60 else { return minute - offset + second * 1000 + fraction }
            // All of a leap second is one instant, so that no time in it is behind one in the next day.
            let end = minute - offset + 60_000
            return end % millisecondsPerDay == 0 ? end : nil
        }

        /// What the first 16 bytes say, `2026-11-22T10:00`.
        private static func minute(_ text: UnsafeRawBufferPointer) -> Int64? {
            guard let century = digits(text, 0), let yearOfCentury = digits(text, 2), text[4] == UInt8(ascii: "-"),
                let month = digits(text, 5), (1...12).contains(month), text[7] == UInt8(ascii: "-"),
                let day = digits(text, 8), day >= 1,
                text[10] | 0x20 == UInt8(ascii: "t") || text[10] == UInt8(ascii: " "),
                let hour = digits(text, 11), hour < 24, text[13] == UInt8(ascii: ":"),
                let minute = digits(text, 14), minute < 60
            else { return nil }
            let year = century * 100 + yearOfCentury
            let days = Timestamp.days(year: year, month: month, day: day)
            // A day that the month lacks comes back as one of the next month.
            guard Timestamp.date(days: days).day == day else { return nil }
            return days * millisecondsPerDay + (hour * 60 + minute) * 60_000
        }

        /// The offset of local time from UTC in milliseconds: `Z`, or a sign, hours and minutes; it ends the text.
        private static func offset(_ text: UnsafeRawBufferPointer, _ at: Int) -> Int64? {
            guard at < text.count else { return nil }
            if text[at] | 0x20 == UInt8(ascii: "z") { return at + 1 == text.count ? 0 : nil }
            let isWest = text[at] == UInt8(ascii: "-")
            guard isWest || text[at] == UInt8(ascii: "+"), text.count == at + 6, text[at + 3] == UInt8(ascii: ":"),
                let hours = digits(text, at + 1), hours < 24, let minutes = digits(text, at + 4), minutes < 60
            else { return nil }
            return (hours * 60 + minutes) * (isWest ? -60_000 : 60_000)
        }

        /// The number that two digits spell.
        private static func digits(_ text: UnsafeRawBufferPointer, _ at: Int) -> Int64? {
            let (tens, ones) = (text[at] &- UInt8(ascii: "0"), text[at + 1] &- UInt8(ascii: "0"))
            return tens < 10 && ones < 10 ? Int64(tens * 10 + ones) : nil
        }
    }
}
