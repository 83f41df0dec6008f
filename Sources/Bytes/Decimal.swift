/// Signed 64-bit decimals, as counts are written: an optional minus, digits, nothing else.
public enum Decimal {
    /// The bytes of the longest one, `-9223372036854775808`.
    public static let longest = 20

    public enum Failure: Error, Equatable, Sendable {
        case notANumber
        case outOfRange
    }

    /// The number that `bytes` spell. No sign but `-`, no spaces, no empty text.
    @inlinable
    public static func parse(_ bytes: UnsafeRawBufferPointer) throws(Failure) -> Int64 {
        let negative = bytes.count > 0 && bytes[0] == UInt8(ascii: "-")
        var at = negative ? 1 : 0
        guard at < bytes.count else { throw .notANumber }
        var value: UInt64 = 0
        // Eighteen digits cannot overflow; what is longer takes the careful way.
        let safe = min(bytes.count, at + 18)
        while safe - at >= 8 {
            // In bounds: eight bytes and more lie between at and the end.
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self))
            guard let digits = eightDigits(word) else { throw .notANumber }
            value = value &* 100_000_000 &+ digits
            at += 8
        }
        while at < safe {
            let digit = bytes[at] &- UInt8(ascii: "0")
            guard digit < 10 else { throw .notANumber }
            value = value &* 10 &+ UInt64(digit)
            at += 1
        }
        if at < bytes.count { value = try parseRest(bytes, from: at, value) }
        guard negative else {
            guard let result = Int64(exactly: value) else { throw .outOfRange }
            return result
        }
        guard value <= Int64.min.magnitude else { throw .outOfRange }
        return Int64(truncatingIfNeeded: 0 &- value)
    }

    /// The number that eight digits spell, the first of them in the lowest byte of `word`; nil if one is no digit.
    ///
    /// Digits to pairs, pairs to fours, fours to one number: D. Lemire, "Number parsing at a gigabyte per second",
    /// doi:10.1002/spe.2984.
    @inlinable
    public static func eightDigits(_ word: UInt64) -> UInt64? {
        let every: UInt64 = 0x0101_0101_0101_0101
        let zeros = every &* 0x30
        // Adding 0x46 sets the top bit of a byte above '9', subtracting 0x30 that of one below '0'.
        guard ((word &+ (every &* 0x46)) | (word &- zeros)) & (every &* 0x80) == 0 else { return nil }
        let pairs = ((word &- zeros) &* 2561) &>> 8
        let fours = ((pairs & 0x00FF_00FF_00FF_00FF) &* 6_553_601) &>> 16
        return ((fours & 0x0000_FFFF_0000_FFFF) &* 42_949_672_960_001) &>> 32
    }

    @usableFromInline
    static func parseRest(
        _ bytes: UnsafeRawBufferPointer, from start: Int, _ leading: UInt64
    ) throws(Failure) -> UInt64 {
        var value = leading
        var overflowed = false
        for byte in bytes[start...] {
            let digit = byte &- UInt8(ascii: "0")
            guard digit < 10 else { throw .notANumber }
            let (tenfold, first) = value.multipliedReportingOverflow(by: 10)
            let (sum, second) = tenfold.addingReportingOverflow(UInt64(digit))
            overflowed = overflowed || first || second
            value = sum
        }
        if overflowed { throw .outOfRange }
        return value
    }

    /// Writes `number` to `target`, which has room for `longest` bytes, and returns how many it wrote.
    @inlinable
    public static func write(_ number: Int64, to target: UnsafeMutablePointer<UInt8>) -> Int {
        var rest = number.magnitude
        var length = number < 0 ? 2 : 1
        var limit: UInt64 = 10
        while rest >= limit {
            length += 1
            let (next, overflow) = limit.multipliedReportingOverflow(by: 10)
            if overflow { break }
            limit = next
        }
        if number < 0 { target[0] = UInt8(ascii: "-") }
        var at = length
        repeat {
            at -= 1
            target[at] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest > 0
        return length
    }
}
