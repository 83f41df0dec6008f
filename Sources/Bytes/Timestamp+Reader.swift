extension Timestamp {
    /// The offset of local time from UTC in milliseconds: `Z`, or a sign, hours and minutes; it ends the text.
    static func offset(_ text: UnsafeRawBufferPointer, _ at: Int) -> Int64? {
        guard at < text.count else { return nil }
        if text[at] | 0x20 == UInt8(ascii: "z") { return at + 1 == text.count ? 0 : nil }
        let isWest = text[at] == UInt8(ascii: "-")
        let hasColon = text.count == at + 6 && text[at + 3] == UInt8(ascii: ":")
        guard isWest || text[at] == UInt8(ascii: "+"), hasColon || text.count == at + 5,
            let hours = digits(text, at + 1), hours < 24, let minutes = digits(text, text.count - 2), minutes < 60
        else { return nil }
        return (hours * 60 + minutes) * (isWest ? -60_000 : 60_000)
    }

    /// The number that two digits spell.
    static func digits(_ text: UnsafeRawBufferPointer, _ at: Int) -> Int64? {
        let (tens, ones) = (text[at] &- UInt8(ascii: "0"), text[at + 1] &- UInt8(ascii: "0"))
        return tens < 10 && ones < 10 ? Int64(tens * 10 + ones) : nil
    }
}

extension Timestamp {
    /// Reads RFC 3339 date-times: `2026-11-22T10:00:00Z`, `2026-11-22t10:00:00.123456+01:00`.
    ///
    /// As section 5.6 has it, `t` and `z` may be lower-case, a space may stand for `T` (GNU date writes it so), and there
    /// may be any number of fraction digits, of which those past the third are cut off. A leap second, which only the
    /// last minute of a UTC day can have, is the first second of the next day. As logs write it (ISO 8601), the fraction may
    /// stand behind a comma, and the offset may lack its colon.
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
            guard text[16] == UInt8(ascii: ":"), let second = Timestamp.digits(text, 17), second <= 60 else {
                return nil
            }
            var at = 19
            var fraction: Int64 = 0
            if text[19] == UInt8(ascii: ".") || text[19] == UInt8(ascii: ",") {
                at = 20
                var unit: Int64 = 100
                while at < text.count, text[at] &- UInt8(ascii: "0") < 10 {
                    fraction += Int64(text[at] &- UInt8(ascii: "0")) * unit
                    unit /= 10
                    at += 1
                }
                guard at > 20 else { return nil }
            }
            guard let offset = Timestamp.offset(text, at) else { return nil }
            guard second == 60 else { return minute - offset + second * 1000 + fraction }
            // All of a leap second is one instant, so that no time in it is behind one in the next day.
            let end = minute - offset + 60_000
            return end % millisecondsPerDay == 0 ? end : nil
        }

        /// What the first 16 bytes say, `2026-11-22T10:00`.
        private static func minute(_ text: UnsafeRawBufferPointer) -> Int64? {
            guard let century = Timestamp.digits(text, 0), let yearOfCentury = Timestamp.digits(text, 2),
                text[4] == UInt8(ascii: "-"),
                let month = Timestamp.digits(text, 5), (1...12).contains(month), text[7] == UInt8(ascii: "-"),
                let day = Timestamp.digits(text, 8), day >= 1,
                text[10] | 0x20 == UInt8(ascii: "t") || text[10] == UInt8(ascii: " "),
                let hour = Timestamp.digits(text, 11), hour < 24, text[13] == UInt8(ascii: ":"),
                let minute = Timestamp.digits(text, 14), minute < 60
            else { return nil }
            let year = century * 100 + yearOfCentury
            let days = Timestamp.days(year: year, month: month, day: day)
            // A day that the month lacks comes back as one of the next month.
            guard Timestamp.date(days: days).day == day else { return nil }
            return days * millisecondsPerDay + (hour * 60 + minute) * 60_000
        }
    }
}
