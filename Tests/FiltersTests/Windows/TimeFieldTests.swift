import Bytes
import Filters
import Testing

@Suite struct TimeFieldTests {
    typealias Taken = Result<String, TimeField.Problem>

    /// `time|key`, or what is wrong.
    func take(_ line: String, field: Int, _ format: TimeFormat = .ms) -> Taken {
        var timeField = TimeField(EventTime(field: field, format: format), in: try! WindowShape(size: 10_000))
        return Array(line.utf8).withUnsafeBytes { line in
            do throws(TimeField.Problem) {
                let (time, key) = try timeField.take(from: line)
                return .success("\(time)|" + String(decoding: key, as: UTF8.self))
            } catch { return .failure(error) }
        }
    }

    @Test func theTimeIsTakenOutOfTheKey() {
        #expect(take("5\tthe", field: 1) == .success("5|the"))
        #expect(take("5\tthe\tend", field: 1) == .success("5|the\tend"))
        #expect(take("the\t5", field: 2) == .success("5|the"))
        #expect(take("the\t5\tend", field: 2) == .success("5|the\tend"))
        #expect(take("a\tb\t5\tc\td", field: 3) == .success("5|a\tb\tc\td"))
        #expect(take("5", field: 1) == .success("5|"))
        #expect(take("5\t", field: 1) == .success("5|"))
        #expect(take("\t5", field: 2) == .success("5|"))
        #expect(take("\t5\t", field: 2) == .success("5|\t"))
        let long = String(repeating: "long", count: 1000)
        #expect(take("\(long)\t5\t\(long)", field: 2) == .success("5|\(long)\t\(long)"))
    }

    @Test func aLineWithoutTheFieldIsMalformed() {
        #expect(take("the", field: 2) == .failure(.missing(field: 2)))
        #expect(take("", field: 2) == .failure(.missing(field: 2)))
        #expect(take("a\tb", field: 3) == .failure(.missing(field: 3)))
        #expect(take("", field: 1) == .failure(.notATime("\"\"", .ms)))
        #expect(take("a\t", field: 2) == .failure(.notATime("\"\"", .ms)))
    }

    @Test(arguments: [
        ("0", 0), ("-1", -1), ("1795341600123", 1_795_341_600_123), ("253402300799999", 253_402_300_799_999),
        ("-62135596800000", -62_135_596_800_000),
    ]) func milliseconds(_ text: String, _ time: Int64) {
        #expect(take(text, field: 1) == .success("\(time)|"))
    }

    @Test(arguments: [
        ("0", 0), ("1795341600", 1_795_341_600_000), ("1795341600.5", 1_795_341_600_500), ("1.25", 1250),
        ("1795341600.123456789", 1_795_341_600_123), ("-1", -1000), ("-1.5", -1500), ("-0.5", -500), ("-1.0005", -1001),
        ("-1.0010", -1001), ("0.0009", 0), ("-0.0009", -1), ("253402300799.9999", 253_402_300_799_999),
    ]) func seconds(_ text: String, _ time: Int64) {
        #expect(take(text, field: 1, .s) == .success("\(time)|"))
    }

    @Test func whatIsNoTime() {
        for text in ["x", "1.5", "1e3", "+1", "2026-11-22T10:00:00Z"] {
            #expect(take(text, field: 1, .ms) == .failure(.notATime("\"\(text)\"", .ms)))
        }
        for text in ["x", "1.", ".5", "1.5.", "1.5x", "1.-5", "-", "-.5", "1,5"] {
            #expect(take(text, field: 1, .s) == .failure(.notATime("\"\(text)\"", .s)))
        }
        for text in ["x", "5", "2026-11-22"] {
            #expect(take(text, field: 1, .rfc3339) == .failure(.notATime("\"\(text)\"", .rfc3339)))
        }
        #expect(take("2026-11-22T10:00:00Z\tx", field: 1, .rfc3339) == .success("1795341600000|x"))
    }

    @Test func timesOutsideTheYears1To9999() {
        let cases: [(String, TimeFormat)] = [
            ("253402300800000", .ms), ("-62135596800001", .ms), ("9223372036854775807", .ms),
            ("99999999999999999999", .ms),
            ("253402300800", .s), ("-62135596800.001", .s), ("9223372036854775807.9", .s), ("-9223372036854775808", .s),
            ("99999999999999999999", .s), ("0000-12-31T23:59:59Z", .rfc3339), ("9999-12-31T23:59:59-00:01", .rfc3339),
        ]
        for (text, format) in cases {
            #expect(take(text, field: 1, format) == .failure(.outOfRange("\"\(text)\"")), "\(text)")
        }
    }

    @Test func theWordingIsOneLine() {
        #expect(TimeField.Problem.missing(field: 3).description == "no time: the line has no field 3")
        #expect(TimeField.Problem.notATime(#""x""#, .ms).description == #"time is not a number of milliseconds: "x""#)
        #expect(TimeField.Problem.notATime(#""x""#, .s).description == #"time is not a number of seconds: "x""#)
        #expect(TimeField.Problem.notATime(#""x""#, .rfc3339).description == #"time is not as RFC 3339 writes it: "x""#)
        #expect(TimeField.Problem.outOfRange(#""9""#).description == #"time is outside the years 0001 to 9999: "9""#)
    }
}
