import Bytes

/// How clocks change each year, as POSIX writes it in TZ: `CET-1CEST,M3.5.0,M10.5.0/3`, the last line of a tz file.
struct ZoneRule {
    /// A day of the year, and what clocks show when they change.
    private enum Day {
        /// The day 0 to 365, or where leap days are left out 1 to 365.
        case ofYear(Int64, skipsLeapDay: Bool)
        /// Week 5 is the last one; Sunday is 0.
        case ofMonth(Int64, week: Int64, weekday: Int64)
    }

    private struct Turn {
        let day: Day
        let time: Int64
    }

    private let standard: Int64
    private let summer: (offset: Int64, begin: Turn, end: Turn)?

    init?(_ text: String) {
        var reader = Reader(rest: Substring(text))
        guard reader.name(), let west = reader.time() else { return nil }
        standard = -west
        guard !reader.rest.isEmpty else {
            summer = nil
            return
        }
        guard reader.name() else { return nil }
        var offset = standard + 3_600_000
        if reader.rest.first != ",", let west = reader.time() { offset = -west }
        guard let begin = reader.turn(), let end = reader.turn(), reader.rest.isEmpty else { return nil }
        summer = (offset, begin, end)
    }

    /// The changes of these years, by start.
    func changes(_ years: ClosedRange<Int64>) -> [Zone.Change] {
        guard let summer else { return [] }
        return years.flatMap { year in
            let begin = Self.instant(summer.begin, year) - standard
            let end = Self.instant(summer.end, year) - summer.offset
            return [Zone.Change(start: begin, offset: summer.offset), Zone.Change(start: end, offset: standard)]
                .sorted { $0.start < $1.start }
        }
    }

    private static func instant(_ turn: Turn, _ year: Int64) -> Int64 {
        let first = Timestamp.days(year: year, month: 1, day: 1)
        let days: Int64
        switch turn.day {
        case .ofYear(let day, let skipsLeapDay):
            let isLeap = Timestamp.days(year: year + 1, month: 1, day: 1) - first == 366
            days = first + day + (skipsLeapDay ? (isLeap && day >= 60 ? 0 : -1) : 0)
        case .ofMonth(let month, let week, let weekday):
            let start = Timestamp.days(year: year, month: month, day: 1)
            let next = Timestamp.days(year: month == 12 ? year + 1 : year, month: month % 12 + 1, day: 1)
            // 1970-01-01 was a Thursday.
            var day = start + (weekday - (start + 4) % 7 + 14) % 7 + 7 * (week - 1)
            while day >= next { day -= 7 }
            days = day
        }
        return days * 86_400_000 + turn.time
    }

    private struct Reader {
        var rest: Substring

        private mutating func take(_ character: Character) -> Bool {
            guard rest.first == character else { return false }
            rest.removeFirst()
            return true
        }

        private mutating func number(_ range: ClosedRange<Int64>) -> Int64? {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            return Int64(digits).flatMap { range.contains($0) ? $0 : nil }
        }

        /// Letters, or anything between < and >.
        mutating func name() -> Bool {
            if take("<") {
                guard let end = rest.firstIndex(of: ">") else { return false }
                rest = rest[rest.index(after: end)...]
                return true
            }
            let letters = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(letters.count)
            return letters.count >= 3
        }

        /// Hours, perhaps minutes and seconds, as milliseconds.
        mutating func time() -> Int64? {
            let isNegative = take("-")
            if !isNegative { _ = take("+") }
            guard let hours = number(0...167) else { return nil }
            var seconds = hours * 3600
            for unit in [60, 1] as [Int64] where take(":") {
                guard let part = number(0...59) else { return nil }
                seconds += part * unit
            }
            return (isNegative ? -seconds : seconds) * 1000
        }

        /// A comma, a day, and perhaps a time, which else is 02:00.
        mutating func turn() -> Turn? {
            guard take(","), let day = day() else { return nil }
            guard take("/") else { return Turn(day: day, time: 7_200_000) }
            return time().map { Turn(day: day, time: $0) }
        }

        private mutating func day() -> Day? {
            if take("M") {
                guard let month = number(1...12), take("."), let week = number(1...5), take("."),
                    let weekday = number(0...6)
                else { return nil }
                return .ofMonth(month, week: week, weekday: weekday)
            }
            if take("J") { return number(1...365).map { .ofYear($0, skipsLeapDay: true) } }
            return number(0...365).map { .ofYear($0, skipsLeapDay: false) }
        }
    }
}
