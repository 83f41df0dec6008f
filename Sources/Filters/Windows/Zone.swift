import Bytes

/// A time zone: what its clocks show at each instant.
public struct Zone: Equatable, Sendable {
    /// From an instant on clocks are so far ahead of UTC; both in milliseconds.
    struct Change: Equatable, Sendable {
        let start: Int64
        let offset: Int64
    }

    /// By start, the first before all times.
    private let changes: [Change]

    /// UTC.
    public init() { changes = [Change(start: .min, offset: 0)] }

    /// - Parameter file: a file of the tz database (TZif: RFC 8536), such as /usr/share/zoneinfo/Europe/Berlin.
    /// - Returns: nil where it is none.
    public init?(file: [UInt8]) {
        guard let changes = ZoneFile(file)?.changes() else { return nil }
        self.changes = changes
    }

    /// The change that holds at an instant. Cost: a binary search.
    private func current(at time: Int64) -> Int {
        var (low, high) = (0, changes.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if changes[middle].start <= time { low = middle } else { high = middle }
        }
        return low
    }

    /// How far clocks are ahead of UTC, in milliseconds.
    func offset(at time: Int64) -> Int64 { changes[current(at: time)].offset }

    /// The first instant at which clocks show `local` or later; in milliseconds since 1970-01-01 00:00.
    func first(at local: Int64) -> Int64 {
        // No clock is ever further from UTC than this.
        var at = current(at: local - 26 * 3_600_000)
        while true {
            let instant = max(changes[at].start, local - changes[at].offset)
            if at + 1 == changes.count || instant < changes[at + 1].start { return instant }
            at += 1
        }
    }
}
