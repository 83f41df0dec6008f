import Bytes
import TestSupport
import Testing

@Suite struct TimestampTests {
    /// A fresh reader for each text, and one that has read all before it: they must agree.
    struct Readers {
        var used = Timestamp.Reader()

        mutating func read(_ text: String) -> Int64? {
            var fresh = Timestamp.Reader()
            return Array(text.utf8).withUnsafeBytes { text in
                let found = fresh.milliseconds(text)
                #expect(used.milliseconds(text) == found)
                return found
            }
        }
    }

    func written(_ time: Int64, withMilliseconds: Bool = false) -> String {
        var text = [UInt8](repeating: 0, count: Timestamp.longest)
        let count = text.withUnsafeMutableBufferPointer {
            Timestamp.write(time, withMilliseconds: withMilliseconds, to: $0.baseAddress!)
        }
        return String(decoding: text[..<count], as: UTF8.self)
    }

    @Test func everyDayOfTenThousandYearsInTurn() {
        // Counted up day by day, which is the slow and obvious way.
        var (year, month, day) = (Int64(0), Int64(1), Int64(1))
        for days in Int64(-719_528)...2_932_896 {
            if Timestamp.days(year: year, month: month, day: day) != days {
                Issue.record("days of \(year)-\(month)-\(day)")
            }
            if Timestamp.date(days: days) != (year, month, day) { Issue.record("date of \(days)") }
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            let length: Int64 = month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
            day += 1
            if day > length { (month, day) = (month + 1, 1) }
            if month > 12 { (year, month) = (year + 1, 1) }
        }
        #expect((year, month, day) == (10000, 1, 1))
    }

    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("2026-11-22T10:00:00Z", 1_795_341_600_000), ("1969-12-31T23:59:59Z", -1000),
        ("0001-01-01T00:00:00Z", Timestamp.range.lowerBound),
        ("9999-12-31T23:59:59Z", Timestamp.range.upperBound - 999),
        ("2000-02-29T00:00:00Z", 951_782_400_000), ("0000-01-01T00:00:00Z", -62_167_219_200_000),
    ]) func knownTimes(_ text: String, _ time: Int64) {
        var readers = Readers()
        #expect(readers.read(text) == time)
        #expect(written(time) == text)
        #expect(written(time, withMilliseconds: true) == text.dropLast() + ".000Z")
        #expect(written(time + 999) == text)
        #expect(written(time + 7, withMilliseconds: true) == text.dropLast() + ".007Z")
    }

    @Test func whatIsWrittenIsRead() throws {
        try withEverySeed(20) { random in
            var readers = Readers()
            for _ in 0..<1000 {
                let time = Int64.random(in: Timestamp.range, using: &random)
                #expect(readers.read(written(time, withMilliseconds: true)) == time)
                #expect(readers.read(written(time)) == Timestamp.floorDivide(time, 1000) * 1000)
                // Neighbours share the first sixteen bytes.
                let near = time / 60_000 * 60_000 + .random(in: 0..<60_000, using: &random)
                #expect(readers.read(written(near, withMilliseconds: true)) == near)
            }
        }
    }

    @Test func offsetsAndFractions() {
        var readers = Readers()
        let ten: Int64 = 1_795_341_600_000
        #expect(readers.read("2026-11-22t10:00:00z") == ten)
        #expect(readers.read("2026-11-22 10:00:00Z") == ten)
        #expect(readers.read("2026-11-22T11:00:00+01:00") == ten)
        #expect(readers.read("2026-11-22T04:30:00-05:30") == ten)
        #expect(readers.read("2026-11-23T09:59:00+23:59") == ten)
        #expect(readers.read("2026-11-22T10:00:00-00:00") == ten)
        #expect(readers.read("2026-11-22T10:00:00.5Z") == ten + 500)
        #expect(readers.read("2026-11-22T10:00:00.05Z") == ten + 50)
        #expect(readers.read("2026-11-22T10:00:00.0059Z") == ten + 5)
        #expect(readers.read("2026-11-22T10:00:00.999999999999999999999999Z") == ten + 999)
        #expect(readers.read("2026-11-22T10:00:00.123+00:00") == ten + 123)
        #expect(readers.read("1969-12-31T23:59:59.999Z") == -1)
        #expect(readers.read("2026-11-22T11:00:00+0100") == ten)
        #expect(readers.read("2026-11-22T04:30:00-0530") == ten)
        #expect(readers.read("2026-11-22T10:00:00,5Z") == ten + 500)
        #expect(readers.read("2026-11-22 10:00:00,123+0000") == ten + 123)
    }

    @Test func aLeapSecondIsTheFirstOfTheNextDay() {
        var readers = Readers()
        let next = readers.read("2017-01-01T00:00:00Z")
        #expect(readers.read("2016-12-31T23:59:60Z") == next)
        #expect(readers.read("2016-12-31T23:59:60.999Z") == next)
        #expect(readers.read("2016-12-31T15:59:60-08:00") == next)
        #expect(readers.read("2016-12-31T23:58:60Z") == nil)
        #expect(readers.read("2016-12-31T23:59:60-08:00") == nil)
        #expect(readers.read("2016-12-31T23:59:61Z") == nil)
    }

    @Test(arguments: [
        "", "Z", "2026-11-22", "2026-11-22T10:00:00", "2026-11-22T10:00:00.Z", "2026-11-22T10:00:00,Z",
        "2026-11-22T10:00Z",
        "2026-13-22T10:00:00Z", "2026-00-22T10:00:00Z", "2026-11-31T10:00:00Z", "2026-11-00T10:00:00Z",
        "2026-02-29T10:00:00Z",
        "1900-02-29T10:00:00Z", "2026-11-22T24:00:00Z", "2026-11-22T10:60:00Z", "2026-11-22T10:00:00+1:00",
        "2026-11-22T10:00:00+010", "2026-11-22T10:00:00+01000", "2026-11-22T10:00:00+2400", "2026-11-22T10:00:00+24:00",
        "2026-11-22T10:00:00+01:60", "2026-11-22T10:00:00Z ",
        " 2026-11-22T10:00:00Z", "2026-11-22T10:00:00ZZ", "2026-11-22T10:00:00.5", "20261122T100000Z0000",
        "2026-11-22_10:00:00Z",
        "+026-11-22T10:00:00Z", "2026-11-22T10:00:0xZ", "2026/11/22T10:00:00Z", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0:00Z",
    ]) func whatIsNoDateTime(_ text: String) {
        var readers = Readers()
        #expect(readers.read(text) == nil)
        _ = readers.read("2026-11-22T10:00:00Z")
        #expect(readers.read(text) == nil)
    }

    @Test func roundingDown() {
        #expect(Timestamp.floorDivide(7, 5) == 1)
        #expect(Timestamp.floorDivide(-7, 5) == -2)
        #expect(Timestamp.floorDivide(-10, 5) == -2)
        #expect(Timestamp.floorDivide(0, 5) == 0)
    }
}
