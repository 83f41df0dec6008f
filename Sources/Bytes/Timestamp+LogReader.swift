extension Timestamp {
    /// Reads the date-times of the Common Log Format, `27/Nov/2026:20:54:01 +0000`, bare or in brackets.
    ///
    /// - Cost: the lines of one minute have the same first 18 bytes, and these are then only compared.
    public struct LogReader: Sendable {
        /// The bytes 0 to 7, 8 to 15 and 10 to 17 of the last one read, and what they say, as if in UTC.
        private var prefix: (UInt64, UInt64, UInt64) = (0, 0, 0)
        private var minute: Int64 = 0
        private static let months: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"

        public init() {}

        /// Milliseconds since 1970-01-01T00:00:00Z; nil if `text` is none.
        public mutating func milliseconds(_ text: UnsafeRawBufferPointer) -> Int64? {
            var text = text
            if text.count == 28, text[0] == UInt8(ascii: "["), text[27] == UInt8(ascii: "]") {
                text = UnsafeRawBufferPointer(rebasing: text[1..<27])
            }
            guard text.count == 26 else { return nil }
            // In bounds: there are 26 bytes.
            let front = text.loadUnaligned(fromByteOffset: 0, as: UInt64.self)
            let middle = text.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
            let back = text.loadUnaligned(fromByteOffset: 10, as: UInt64.self)
            if front != prefix.0 || middle != prefix.1 || back != prefix.2 {
                guard let minute = Self.minute(text) else { return nil }
                self.minute = minute
                prefix = (front, middle, back)
            }
            guard text[17] == UInt8(ascii: ":"), let second = Timestamp.digits(text, 18), second <= 60,
                text[20] == UInt8(ascii: " "), let offset = Timestamp.offset(text, 21)
            else { return nil }
            return minute - offset + second * 1000
        }

        /// What the first 17 bytes say, `27/Nov/2026:20:54`.
        private static func minute(_ text: UnsafeRawBufferPointer) -> Int64? {
            guard let day = Timestamp.digits(text, 0), day >= 1, text[2] == UInt8(ascii: "/"), let month = month(text),
                text[6] == UInt8(ascii: "/"), let century = Timestamp.digits(text, 7),
                let yearOfCentury = Timestamp.digits(text, 9), text[11] == UInt8(ascii: ":"),
                let hour = Timestamp.digits(text, 12), hour < 24, text[14] == UInt8(ascii: ":"),
                let minute = Timestamp.digits(text, 15), minute < 60
            else { return nil }
            let days = Timestamp.days(year: century * 100 + yearOfCentury, month: month, day: day)
            // A day that the month lacks comes back as one of the next month.
            guard Timestamp.date(days: days).day == day else { return nil }
            return days * millisecondsPerDay + (hour * 60 + minute) * 60_000
        }

        private static func month(_ text: UnsafeRawBufferPointer) -> Int64? {
            let names = UnsafeRawBufferPointer(start: months.utf8Start, count: months.utf8CodeUnitCount)
            return (0..<12).first { names[(3 * $0)..<(3 * $0 + 3)].elementsEqual(text[3..<6]) }.map { Int64($0 + 1) }
        }
    }
}
