import CBytes

/// A control line that `kcat-in --exactly-once` writes into the stream:
///
///     RS barrier TAB session TAB epoch TAB kind TAB watermark TAB payload LF        RS = 0x1E
///
/// `session` is 32 lower-case hexadecimal digits, `epoch` is a decimal, `watermark` as `Watermark` says (or empty, where the
/// stream carries none), and `payload`, to the end of the line, is between the two bridges. This is the one place where the
/// format is written down.
public struct Barrier: Equatable, Sendable {
    public enum Kind: String, Sendable {
        /// The first line of the stream.
        case open
        /// The lines behind it, up to the next barrier, are state: totals, of which the last of a key counts. State comes in
        /// parts, a part for each partition, each behind a `restore` of its own, and then `restored`. The first part of a
        /// restore is the one whose `restore` does not follow on another `restore` (among the barriers; lines do not matter):
        /// at it, what was held before is void.
        case restore
        case restored
        /// The end of an epoch.
        case commit
        /// The last line of the stream.
        case close
    }

    public static let recordSeparator: UInt8 = 0x1E

    public let session: [UInt8]
    public let epoch: Int64
    public let kind: Kind
    /// The stream's; of `restore`, how far the partition is done whose lines follow: windows that end by then have been put
    /// out for it. Nil where the stream carries no watermarks; one that does says so from `open` on.
    public let watermark: Watermark?
    public let payload: [UInt8]

    public init(session: [UInt8], epoch: Int64, kind: Kind, watermark: Watermark?, payload: [UInt8]) {
        self.session = session
        self.epoch = epoch
        self.kind = kind
        self.watermark = watermark
        self.payload = payload
    }

    /// The barrier that `line`, without its LF, spells; nil if it is data.
    public init?(_ line: UnsafeRawBufferPointer) {
        guard line.first == Self.recordSeparator else { return nil }
        let fields = line.dropFirst().split(
            separator: UInt8(ascii: "\t"), maxSplits: 5, omittingEmptySubsequences: false)
        guard fields.count == 6, fields[0].elementsEqual("barrier".utf8) else { return nil }
        guard fields[1].count == 32, fields[1].allSatisfy(Self.isHexadecimal) else { return nil }
        guard let epoch = try? Decimal.parse(UnsafeRawBufferPointer(rebasing: fields[2])), epoch >= 0 else {
            return nil
        }
        guard let kind = Kind(rawValue: String(decoding: fields[3], as: UTF8.self)) else { return nil }
        var watermark: Watermark?
        if !fields[4].isEmpty {
            watermark = Watermark(UnsafeRawBufferPointer(rebasing: fields[4]))
            if watermark == nil { return nil }
        }
        self.init(session: Array(fields[1]), epoch: epoch, kind: kind, watermark: watermark, payload: Array(fields[5]))
    }

    /// The line, with its LF.
    public var line: [UInt8] {
        var line = [Self.recordSeparator] + "barrier\t".utf8 + session
        line += "\t\(epoch)\t\(kind.rawValue)\t\(watermark?.text ?? "")\t".utf8
        return line + payload + [0x0A]
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
}

/// Tells barriers from data. A stream that does not begin with an `open` barrier has none, and in one that does only
/// the lines with the same session are barriers: data cannot forge one.
public struct BarrierFinder {
    private var session: [UInt8]?
    private var atStart = true

    public init() {}

    /// Where the next barrier line lies, with the barrier; nil if the rest is data.
    /// - Parameters:
    ///   - lines: whole lines, the first of them the one behind the last that this finder was shown.
    ///   - start: the offset of a line in them.
    /// - Cost: one search for RS, and none in a stream without barriers.
    public mutating func next(
        in lines: UnsafeRawBufferPointer, from start: Int
    ) -> (line: Range<Int>, barrier: Barrier)? {
        guard start < lines.count else { return nil }
        if atStart {
            atStart = false
            guard let found = barrier(in: lines, at: start), found.barrier.kind == .open else { return nil }
            session = found.barrier.session
            return found
        }
        guard session != nil else { return nil }
        var at = start
        while true {
            let rest = UnsafeRawBufferPointer(rebasing: lines[at...])
            guard let base = rest.baseAddress else { return nil }
            at += cbytes_first(base, Barrier.recordSeparator, rest.count)
            guard at < lines.count else { return nil }
            if at == start || lines[at - 1] == 0x0A, let found = barrier(in: lines, at: at),
                found.barrier.session == session
            {
                return found
            }
            at += 1
        }
    }

    private func barrier(in lines: UnsafeRawBufferPointer, at start: Int) -> (line: Range<Int>, barrier: Barrier)? {
        guard lines[start] == Barrier.recordSeparator, let base = lines.baseAddress else { return nil }
        let length = cbytes_first(base + start, 0x0A, lines.count - start)
        let line = start..<(start + length)
        return Barrier(UnsafeRawBufferPointer(rebasing: lines[line])).map { (line, $0) }
    }
}
