import Bytes

/// A file of the tz database: RFC 8536. Of the two blocks of data the second is read, which has 64 bits for an instant;
/// behind its last change the rule in the last line of the file goes on.
struct ZoneFile {
    private let bytes: [UInt8]
    private var at = 0
    private static let lastYear: Int64 = 9999

    /// - Returns: nil where the file has no second block.
    init?(_ bytes: [UInt8]) {
        self.bytes = bytes
        guard bytes.starts(with: Array("TZif".utf8)), bytes.count >= 44, bytes[4] >= UInt8(ascii: "2") else {
            return nil
        }
    }

    /// What a header counts, in the order in which it does.
    private struct Counts {
        var utcIndicators, standardIndicators, leapSeconds, times, types, characters: Int

        /// The length of the data behind it, where a time has so many bytes.
        func length(_ timeSize: Int) -> Int {
            times * (timeSize + 1) + types * 6 + characters + leapSeconds * (timeSize + 4) + standardIndicators
                + utcIndicators
        }
    }

    private func number(_ at: Int, _ count: Int) -> Int64 {
        bytes[at..<(at + count)].dropFirst().reduce(Int64(Int8(bitPattern: bytes[at]))) { $0 << 8 | Int64($1) }
    }

    private func counts(_ at: Int) -> Counts? {
        guard at + 44 <= bytes.count else { return nil }
        let all = (0..<6).map { Int(number(at + 20 + 4 * $0, 4)) }
        guard all.allSatisfy({ (0...1_000_000).contains($0) }) else { return nil }
        return Counts(
            utcIndicators: all[0], standardIndicators: all[1], leapSeconds: all[2], times: all[3], types: all[4],
            characters: all[5])
    }

    /// All changes up to the last year there is; nil where the file is damaged.
    func changes() -> [Zone.Change]? {
        guard let old = counts(0), let counts = counts(44 + old.length(4)), counts.types > 0 else { return nil }
        let times = 44 + old.length(4) + 44
        let indexes = times + 8 * counts.times
        let types = indexes + counts.times
        let footer = times + counts.length(8)
        guard footer <= bytes.count else { return nil }
        func offset(_ type: Int) -> Int64? { type < counts.types ? number(types + 6 * type, 4) * 1000 : nil }
        guard let first = offset(0) else { return nil }
        var changes = [Zone.Change(start: .min, offset: first)]
        for index in 0..<counts.times {
            let seconds = number(times + 8 * index, 8)
            guard seconds.magnitude < 1 << 50, let offset = offset(Int(bytes[indexes + index])),
                seconds * 1000 > changes[index].start
            else { return nil }
            changes.append(Zone.Change(start: seconds * 1000, offset: offset))
        }
        let rule = bytes[footer...].split(separator: 0x0A).first.map { String(decoding: $0, as: UTF8.self) } ?? ""
        if let rule = ZoneRule(rule) {
            let last = changes.last?.start ?? .min
            let year = last == .min ? 1 : Timestamp.date(days: Timestamp.floorDivide(last, 86_400_000)).year
            for change in rule.changes(year...Self.lastYear) where change.start > last { changes.append(change) }
        }
        return changes
    }
}
