public import Bytes
import CBytes
public import Sketches

/// The reserved keys of partials, in version 1 of the format.
///
/// Partials are count lines: the keys held, and the cells of the sketch that are not 0 under keys that begin with
/// `#cms-topk:`. A cell's key is
///
///     #cms-topk:1:4x262144:5ac0ba5e93f5b4a9:02:012345
///
/// the version, the rows and the width of the sketch, a fingerprint of hash function and seed in 16 hexadecimal digits,
/// the row and the column, each with as many digits as the largest needs. Cells of the same sketch thus sort by row and
/// column, and add up like any other counts. A key of the data that begins with `#cms-topk:` is written with `#cms-topk:=`
/// in front of it. No other key is touched, and no other reserved key is understood.
public struct CellKey: Sendable {
    public static let version = 1
    static let magic = Array("#cms-topk:".utf8)
    static let escape = Array("#cms-topk:=".utf8)

    /// What a reserved key of a count line can be besides one of ours.
    public enum Problem: LineProblem {
        case otherVersion(String)
        case otherGeometry(String, ours: String)
        case otherSeed
        /// The key, quoted.
        case notUnderstood(String)

        public var description: String {
            switch self {
            case .otherVersion(let version):
                "partials of version \(version), of which this program knows only \(CellKey.version)"
            case .otherGeometry(let theirs, let ours):
                "partials of a \(theirs) sketch, but this one is \(ours): give the same --memory, --epsilon and --delta"
            case .otherSeed: "partials of another seed: give the same --seed"
            case .notUnderstood(let key): "a key that begins with #cms-topk: is neither a cell nor escaped: \(key)"
            }
        }
    }

    /// What a reserved key stands for.
    public enum Meaning: Equatable, Sendable {
        case cell(row: Int, column: Int)
        /// The data key behind the first so many bytes.
        case data(from: Int)
    }

    private let geometry: SketchGeometry
    /// All that the cells of this sketch have in common.
    private let prefix: [UInt8]
    private let rowDigits: Int
    private let columnDigits: Int

    public init(_ geometry: SketchGeometry, seed: UInt64) {
        self.geometry = geometry
        // The fingerprint is the hash of the magic, so that neither another seed nor another hash has it.
        let fingerprint = Self.magic.withUnsafeBytes { CountMinSketch.hash($0, seed: seed) }
        let hexadecimal = String(fingerprint, radix: 16)
        let padding = String(repeating: "0", count: 16 - hexadecimal.count)
        let fields = "\(Self.version):\(geometry.rows)x\(geometry.width):\(padding)\(hexadecimal):"
        prefix = Self.magic + Array(fields.utf8)
        rowDigits = String(geometry.rows - 1).utf8.count
        columnDigits = String(geometry.width - 1).utf8.count
    }

    /// Whether a key needs a reading or an escape.
    @inline(__always)
    static func isReserved(_ key: UnsafeRawBufferPointer) -> Bool {
        guard key.count >= magic.count, key[0] == magic[0] else { return false }
        return key.starts(with: magic)
    }

    /// What a reserved key means.
    func meaning(of key: UnsafeRawBufferPointer) throws(Problem) -> Meaning {
        if key.count > Self.magic.count, key[Self.magic.count] == UInt8(ascii: "=") {
            return .data(from: Self.escape.count)
        }
        let numbers = prefix.count
        guard key.starts(with: prefix), key.count == numbers + rowDigits + 1 + columnDigits,
            key[numbers + rowDigits] == UInt8(ascii: ":")
        else { throw problem(with: key) }
        let row = Self.number(key[numbers..<(numbers + rowDigits)])
        let column = Self.number(key[(numbers + rowDigits + 1)...])
        guard let row, row < geometry.rows, let column, column < geometry.width else { throw problem(with: key) }
        return .cell(row: row, column: column)
    }

    private static func number(_ digits: Slice<UnsafeRawBufferPointer>) -> Int? {
        var number = 0
        for byte in digits {
            let digit = byte &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            number = number * 10 + Int(digit)  // at most 13 digits
        }
        return number
    }

    private func problem(with key: UnsafeRawBufferPointer) -> Problem {
        let theirs = key.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        let ours = String(decoding: prefix, as: UTF8.self).split(separator: ":").map(String.init)
        guard theirs.count >= 2, Int(theirs[1]) != nil else { return .notUnderstood(quoted(key)) }
        if theirs[1] != ours[1] { return .otherVersion(theirs[1]) }
        guard theirs.count == 6, theirs[3].utf8.count == 16,
            theirs[2].split(separator: "x").allSatisfy({ Int($0) != nil })
        else { return .notUnderstood(quoted(key)) }
        if theirs[2] != ours[2] { return .otherGeometry(theirs[2], ours: ours[2]) }
        return theirs[3] == ours[3] ? .notUnderstood(quoted(key)) : .otherSeed
    }

    /// Writes the key of a cell.
    func append(row: Int, column: Int, to lines: inout OutputBuffer) {
        lines.append(prefix)
        Self.append(row, digits: rowDigits, to: &lines)
        lines.append(UInt8(ascii: ":"))
        Self.append(column, digits: columnDigits, to: &lines)
    }

    private static func append(_ number: Int, digits: Int, to lines: inout OutputBuffer) {
        let target = lines.reserve(digits)
        var rest = number
        for at in (0..<digits).reversed() {
            target[at] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
        lines.commit(digits)
    }
}

extension OutputBuffer {
    mutating func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { append($0) } }
}
