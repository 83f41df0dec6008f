/// A count line cut in two: `KEY TAB COUNT`. The count is the last field, and all before it is the key, TABs included;
/// the key may be empty.
public struct CountLine: Equatable, Sendable {
    /// What can be wrong with one.
    public enum Problem: LineProblem {
        case noTab
        /// The last field, quoted.
        case notANumber(String)
        /// The last field, quoted: a number, but none of 64 bits.
        case outOfRange(String)

        public var description: String {
            switch self {
            case .noTab: "no count: the line has no TAB"
            case .notANumber(let text): "count is not a number: \(text)"
            case .outOfRange(let text): "count is out of 64-bit range: \(text)"
            }
        }
    }

    /// Offset of the TAB behind the key.
    public let keyEnd: Int
    public let count: Int64

    @inlinable
    init(keyEnd: Int, count: Int64) {
        self.keyEnd = keyEnd
        self.count = count
    }

    /// Cuts the line that `line`, without its LF, names in `bytes`; `keyEnd` is then an offset in `bytes` as well.
    ///
    /// Counts of one to seven digits, nearly all there are, are read as one 64-bit word without a loop.
    @inlinable
    public init(_ bytes: UnsafeRawBufferPointer, _ line: Range<Int>) throws(Problem) {
        if let base = bytes.baseAddress, line.upperBound >= 8,
            let short = Self.short(base + line.upperBound, lineLength: line.count)
        {
            self.init(keyEnd: line.upperBound &- 1 &- short.digits, count: short.count)
        } else {
            self = try Self.careful(bytes, line)
        }
    }

    /// The count of the line that ends at `end`, if it has one to seven digits and no sign. Eight bytes in front of
    /// `end` must be readable, be they the line's or not.
    @inlinable
    static func short(_ end: UnsafeRawPointer, lineLength: Int) -> (digits: Int, count: Int64)? {
        let every: UInt64 = 0x0101_0101_0101_0101
        let word = UInt64(littleEndian: (end - 8).loadUnaligned(as: UInt64.self))
        // The top bit of each byte that is a TAB: adding 0x7F carries into it unless the other seven bits are 0.
        let apart = word ^ (every &* 0x09)
        let low = every &* 0x7F
        let tabs = ~(((apart & low) &+ low) | apart | low)
        let bits = tabs.leadingZeroBitCount  // 8 for each byte behind the last TAB; 64 where there is none
        guard bits != 0, bits < 64, bits >> 3 < lineLength else { return nil }
        // The bytes up to the TAB become leading zeros.
        let keep: UInt64 = ~0 << UInt64(64 - bits)
        guard let value = Decimal.eightDigits((word & keep) | ((every &* 0x30) & ~keep)) else { return nil }
        return (bits >> 3, Int64(truncatingIfNeeded: value))
    }

    /// Any line at all, byte by byte.
    @inline(never)
    @usableFromInline
    static func careful(_ bytes: UnsafeRawBufferPointer, _ line: Range<Int>) throws(Problem) -> CountLine {
        guard let tab = bytes[line].lastIndex(of: UInt8(ascii: "\t")) else { throw .noTab }
        let text = UnsafeRawBufferPointer(rebasing: bytes[(tab + 1)..<line.upperBound])
        do {
            return CountLine(keyEnd: tab, count: try Decimal.parse(text))
        } catch {
            switch error {
            case .notANumber: throw .notANumber(quoted(text))
            case .outOfRange: throw .outOfRange(quoted(text))
            }
        }
    }
}
