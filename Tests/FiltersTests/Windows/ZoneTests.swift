import Filters
import Glibc
import TestSupport
import Testing

@Suite(.serialized) struct ZoneTests {
    func zone(_ name: String) throws -> Zone { try #require(Zone(file: try file("/usr/share/zoneinfo/\(name)"))) }

    func file(_ path: String) throws -> [UInt8] {
        let file = try #require(fopen(path, "r"))
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        return Array(bytes[..<fread(&bytes, 1, bytes.count, file)])
    }

    /// 2026-03-29 and 2026-10-25 are the days of 23 and 25 hours.
    @Test func daysOfBerlinBeginAtMidnightThere() throws {
        let days = try WindowShape(size: 86_400_000, zone: try zone("Europe/Berlin"))
        let (march, october): (Int64, Int64) = (1_774_738_800_000, 1_792_879_200_000)
        for (start, hours) in [(march, 23), (october, 25)] as [(Int64, Int64)] {
            #expect(days.isStart(start))
            #expect(!days.isStart(start + 1))
            #expect(!days.isStart(start + 86_400_000))
            #expect(days.isStart(start + hours * 3_600_000))
        }
    }

    @Test func weeksBeginOnMonday() throws {
        let weeks = try WindowShape(size: 7 * 86_400_000, zone: Zone())
        // 2026-11-23 is a Monday.
        #expect(weeks.isStart(1_795_392_000_000))
        #expect(weeks.isStart(1_795_392_000_000 - 7 * 86_400_000))
        #expect(!weeks.isStart(1_795_392_000_000 + 86_400_000))
    }

    @Test func anOffsetMovesAllWindows() throws {
        let shape = try WindowShape(size: 10_000, offset: 3000)
        #expect(shape.isStart(3000) && shape.isStart(-7000) && !shape.isStart(0))
        let days = try WindowShape(size: 86_400_000, offset: 6 * 3_600_000, zone: try zone("Europe/Berlin"))
        // On the day of 25 hours six o'clock is seven hours after midnight.
        #expect(days.isStart(1_792_879_200_000 + 7 * 3_600_000))
        #expect(throws: WindowShape.Problem.offsetOutOfRange) { try WindowShape(size: 10, offset: 10) }
        #expect(throws: WindowShape.Problem.notWholeDays) { try WindowShape(size: 3_600_000, zone: Zone()) }
    }

    @Test func whatIsNoZoneFile() throws {
        let whole = try file("/usr/share/zoneinfo/Europe/Berlin")
        #expect(Zone(file: []) == nil)
        #expect(Zone(file: Array("TZif1".utf8) + [UInt8](repeating: 0, count: 60)) == nil)
        // Cut anywhere it must not crash; whole it is one.
        for count in stride(from: 0, to: whole.count, by: 7) { _ = Zone(file: Array(whole[..<count])) }
        #expect(Zone(file: whole) != nil)
    }

    /// Every instant is in the day whose date the C library says.
    @Test(arguments: [
        "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Asia/Kolkata", "Australia/Lord_Howe", "Asia/Gaza",
        "Pacific/Apia", "Africa/Casablanca", "Antarctica/Troll", "UTC", "America/Santiago", "Europe/Dublin",
    ]) func daysAreThoseOfTheCLibrary(_ name: String) throws {
        let days = try WindowShape(size: 86_400_000, zone: try zone(name))
        setenv("TZ", name, 1)
        tzset()
        func date(_ time: Int64) -> [Int32] {
            var (seconds, parts) = (Int(time / 1000), tm())
            localtime_r(&seconds, &parts)
            return [parts.tm_year, parts.tm_mon, parts.tm_mday]
        }
        try withEverySeed(2) { random in
            for _ in 0..<12 {
                // From 1900 to 2400; the C library knows no later rule.
                let hour = Int64.random(in: -613_000...3_760_000, using: &random)
                var starts: [Int64] = []
                // Days begin at a full minute since 1973; before, at any second.
                for minute in 0..<(hour < 30_000 ? 0 : 48 * 60) as Range<Int64> {
                    let time = hour * 3_600_000 + minute * 60_000
                    if days.isStart(time) { starts.append(time) }
                }
                for start in starts {
                    // No instant before it in two days has its date or a later one.
                    let day = date(start)
                    for back in 1...(24 * 4) as ClosedRange<Int64> {
                        let before = date(start - back * 900_000 + 1000)
                        try #require(before.lexicographicallyPrecedes(day), "\(name) \(start)")
                    }
                }
                try #require(hour < 30_000 || (1...3).contains(starts.count), "\(name) \(hour) \(starts)")
            }
        }
    }
}
