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
