import Bytes
import Filters
import Testing

@Suite struct TimeReaderTests {
    func read(_ text: String, _ format: TimeFormat) throws -> Int64 {
        var field = TimeField(EventTime(field: 1, format: format), in: try WindowShape(size: 1000))
        return try Array(text.utf8).withUnsafeBytes { try field.take(from: $0).time }
    }

    static let ten: Int64 = 1_795_341_600_000

    @Test(arguments: [
        ("1795341600", TimeFormat.s, ten), ("1795341600000", .ms, ten), ("1795341600000000", .us, ten),
        ("1795341600000999", .us, ten), ("1795341600000000000", .ns, ten), ("1795341600000999999", .ns, ten),
        ("-1", .us, -1), ("-1", .ns, -1), ("2026-11-22T10:00:00+0000", .rfc3339, ten),
        ("2026-11-22T11:00:00,250+0100", .rfc3339, ten + 250), ("2026-11-22 10:00:00,250Z", .rfc3339, ten + 250),
        ("22/Nov/2026:10:00:00 +0000", .clf, ten), ("[22/Nov/2026:04:30:00 -0530]", .clf, ten),
        ("01/Jan/1970:00:00:00 +0000", .clf, 0), ("29/Feb/2000:00:00:00 +0000", .clf, 951_782_400_000),
    ]) func everyFormatReadsItsOwn(_ text: String, _ format: TimeFormat, _ time: Int64) throws {
        #expect(try read(text, format) == time)
        // Of small numbers nobody can tell the unit.
        if !text.hasPrefix("-") { #expect(try read(text, .auto) == time) }
    }

    @Test func autoTellsSecondsByTheirFraction() throws {
        #expect(try read("1795341600.5", .auto) == Self.ten + 500)
    }

    @Test(arguments: [
        ("31/Nov/2026:10:00:00 +0000", TimeFormat.clf), ("22/nov/2026:10:00:00 +0000", .clf),
        ("22/Nov/2026:10:00:00", .clf), ("[22/Nov/2026:10:00:00 +0000", .clf), ("22/Nov/2026:24:00:00 +0000", .clf),
        ("22/Nov/2026 10:00:00 +0000", .clf), ("2026-11-22T10:00:00Z", .clf), ("x", .auto), ("", .auto), ("1e9", .auto),
        ("1.5", .us), ("1.5", .ns), ("2026-11-22T10:00:00+01", .rfc3339), ("2026-11-22T10:00:00,Z", .rfc3339),
    ]) func whatIsNoTime(_ text: String, _ format: TimeFormat) {
        #expect(throws: TimeField.Problem.notATime("\"\(text)\"", format)) { try read(text, format) }
    }

    func doubt(_ texts: [String], _ format: TimeFormat) throws -> String? {
        var field = TimeField(EventTime(field: 1, format: format), in: try WindowShape(size: 1000))
        for text in texts { _ = try Array(text.utf8).withUnsafeBytes { try field.take(from: $0).time } }
        return field.doubt
    }

    @Test func aUnitThatIsLikelyWrongIsDoubted() throws {
        #expect(try doubt([], .ms) == nil)
        #expect(
            try doubt(["1795341600", "1795341700"], .ms)
                == "all times are in January 1970: is --time-format the right one?")
        #expect(
            try doubt(["17953416000"], .s) == "all times are after the year 2200: is --time-format the right one?")
        #expect(try doubt(["1795341600", "1795341600000"], .ms) == nil)
        #expect(try doubt(["1970-01-01T00:00:00Z"], .rfc3339) == nil)
    }
}
