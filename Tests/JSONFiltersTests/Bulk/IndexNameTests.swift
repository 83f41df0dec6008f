import Bytes
import JSONFilters
import TestSupport
import Testing

@Suite struct IndexNameTests {
    /// The index of a document, or what is wrong with it.
    func index(_ name: String, _ document: String) throws -> String {
        do {
            let found = try run(Bulk(BulkRequest(index: IndexName(parsing: name))), Array(document.utf8) + [0x0A]).text
            let line = found.prefix { $0 != "\n" }
            #expect(line.hasPrefix("{\"index\":{\"_index\":\"") && line.hasSuffix("\"}}"))
            return String(line.dropFirst(20).dropLast(3))
        } catch let error as MalformedLine<Bulk.Problem> {
            return error.problem.description
        }
    }

    func usage(_ name: String) -> String? {
        do {
            _ = try IndexName(parsing: name)
            return nil
        } catch { return error.description }
    }

    @Test func namesTakeValuesAndDates() throws {
        let document =
            "{\"t\":\"2026-11-22T23:30:15.5-01:00\",\"s\":{\"x\":\"web\"},\"n\":7,\"m\":1795341600000,\"d\":\"2026-01-01\"}"
        #expect(try index("words", document) == "words")
        #expect(try index("{s.x}-hits", document) == "web-hits")
        #expect(try index("a{n}b{s.x}c", document) == "a7bwebc")
        #expect(try index("logs-{t:yyyy.MM.dd}", document) == "logs-2026.11.23")
        #expect(try index("{t:HH-mm}", document) == "00-30")
        #expect(try index("{m:yyyy-MM}", document) == "2026-11")
        #expect(try index("{d:yyyyMM}", document) == "202601")
        #expect(try index("{{x}}<é\"", document) == "{x}<é\\\"")
    }

    @Test func whatIsNoDateIsMalformed() throws {
        for value in [
            "\"yesterday\"", "\"2026-13-01T00:00:00Z\"", "1.5", "1e3", "true", "9999999999999999",
            "\"2026-11-22 10:00\"",
        ] {
            let quoted = value.filter { $0 != "\"" }
            #expect(
                try index("{t:yyyy}", "{\"t\":\(value)}")
                    == "field \"t\" is not a date (RFC 3339, or milliseconds since 1970): \"\(quoted)\"")
        }
        #expect(try index("{t:yyyy}", "{}") == "field \"t\" is missing")
        #expect(try index("{t}", "{\"t\":\"\"}") == "field \"t\" is empty")
    }

    @Test func weeksAreThoseOfISO8601() throws {
        for (date, week) in [
            ("2026-01-01", "2026-01"), ("2025-12-29", "2026-01"), ("2025-12-28", "2025-52"), ("2027-01-03", "2026-53"),
            ("2027-01-04", "2027-01"), ("2000-01-01", "1999-52"), ("1970-01-01", "1970-01"), ("1969-12-28", "1969-52"),
            ("0001-01-01", "0001-01"), ("9999-12-31", "9999-52"), ("2020-12-31", "2020-53"),
        ] {
            #expect(try index("{t:xxxx-ww}", "{\"t\":\"\(date)\"}") == week)
        }
    }

    @Test func aWeekHasSevenDays() throws {
        let documents = (-200...20_000).map { "{\"t\":\($0 * 86_400_000)}\n" }.joined()
        let found = try run(Bulk(BulkRequest(index: IndexName(parsing: "{t:xxxx-ww}"))), Array(documents.utf8)).text
        let weeks = found.split(separator: "\n").filter { $0.hasPrefix("{\"index") }
        // 1970-01-01 was a Thursday: day -200 is a Sunday, with which a week ends.
        var counts: [Substring: Int] = [:]
        for week in weeks { counts[week, default: 0] += 1 }
        #expect(weeks.count == 20_201)
        #expect(counts.count { $0.value != 7 } <= 2)
        #expect(weeks == weeks.sorted())
    }

    @Test func whatIsNoName() {
        #expect(usage("") == "--index : expected a name")
        #expect(usage("a{b") == "--index a{b: a { without }; for the character write {{")
        #expect(usage("a}b") == "--index a}b: a } without {; for the character write }}")
        #expect(usage("{t:YYYY}") == "--index {t:YYYY}: the letters of a date are yyyy, MM, dd, HH, mm, xxxx and ww")
        #expect(usage("{t:yyyyy}") != nil)
        #expect(usage("{t:}") != nil)
        #expect(usage("{}") == "not a field: \"\" (expected NAME or NAME.NAME)")
        #expect(usage("{a..b}") == "not a field: \"a..b\" (expected NAME or NAME.NAME)")
    }
}
