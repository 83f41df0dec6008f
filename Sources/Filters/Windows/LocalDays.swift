import Bytes

/// Days, or so many days at a time, by the clocks of a time zone; counted from one that begins on a Monday.
///
/// A day begins with the first instant at which the date is its, or a later one where clocks have skipped midnight. So each
/// instant is in one day, also where clocks go back over midnight.
struct LocalDays: Equatable, Sendable {
    static let length: Int64 = 86_400_000
    /// 1970-01-05, in days since the Unix epoch.
    private static let monday: Int64 = 4

    private let zone: Zone
    private let count: Int64
    /// What the clocks show when a day begins, in milliseconds.
    private let offset: Int64

    init(_ zone: Zone, count: Int64, offset: Int64) { (self.zone, self.count, self.offset) = (zone, count, offset) }

    /// The first instant of the days with this number.
    func start(_ index: Int64) -> Int64 { zone.first(at: (Self.monday + index * count) * Self.length + offset) }

    func index(of time: Int64) -> Int64 {
        let local = time + zone.offset(at: time) - offset
        var index = Timestamp.floorDivide(Timestamp.floorDivide(local, Self.length) - Self.monday, count)
        // Where clocks go back over midnight the date does, too; the day does not.
        while start(index) > time { index -= 1 }
        while start(index + 1) <= time { index += 1 }
        return index
    }
}
