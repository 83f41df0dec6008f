import Bytes

/// How a date is written into an index name, in the letters of Elasticsearch and Java: `yyyy.MM.dd`. Dates are in UTC.
///
/// `yyyy` year, `MM` month, `dd` day, `HH` hour, `mm` minute; `xxxx` and `ww` year and week of the ISO week calendar.
/// What is no letter stands for itself.
struct DateFormat: Equatable, Sendable {
    private enum Part: Equatable {
        case year, month, day, hour, minute, weekYear, week
        case literal(UInt8)
    }

    static let letters = "yyyy, MM, dd, HH, mm, xxxx and ww"

    private let parts: [Part]

    /// Nil where a letter means nothing.
    init?(parsing text: String) {
        var parts: [Part] = []
        var rest = text[...]
        let known: [(String, Part)] = [
            ("yyyy", .year), ("MM", .month), ("dd", .day), ("HH", .hour), ("mm", .minute), ("xxxx", .weekYear),
            ("ww", .week),
        ]
        while let first = rest.first {
            // As long as the letter goes on: yyyyy is not yyyy and a y.
            let run = rest.prefix { $0 == first }
            if let (_, part) = known.first(where: { $0.0 == run }) {
                parts.append(part)
                rest.removeFirst(run.count)
            } else if first.isLetter {
                return nil
            } else {
                parts += String(first).utf8.map(Part.literal)
                rest.removeFirst()
            }
        }
        if parts.isEmpty { return nil }
        self.parts = parts
    }

    /// Adds `time`, in milliseconds since 1970-01-01T00:00:00Z and within `Timestamp.range`, to `text`.
    func write(_ time: Int64, to text: inout [UInt8]) {
        let days = Timestamp.floorDivide(time, 86_400_000)
        let minutes = (time - days * 86_400_000) / 60_000
        let date = Timestamp.date(days: days)
        // A week belongs to the year of its Thursday. 1970-01-01 was one.
        let thursday = Timestamp.floorDivide(days + 3, 7) * 7
        let weekYear = Timestamp.date(days: thursday).year
        for part in parts {
            switch part {
            case .year: Self.write(date.year, digits: 4, to: &text)
            case .month: Self.write(date.month, digits: 2, to: &text)
            case .day: Self.write(date.day, digits: 2, to: &text)
            case .hour: Self.write(minutes / 60, digits: 2, to: &text)
            case .minute: Self.write(minutes % 60, digits: 2, to: &text)
            case .weekYear: Self.write(weekYear, digits: 4, to: &text)
            case .week:
                let first = Timestamp.days(year: weekYear, month: 1, day: 1)
                Self.write((thursday - first) / 7 + 1, digits: 2, to: &text)
            case .literal(let byte): text.append(byte)
            }
        }
    }

    private static func write(_ number: Int64, digits: Int, to text: inout [UInt8]) {
        var place: Int64 = digits == 4 ? 1000 : 10
        while place > 0 {
            text.append(UInt8(ascii: "0") + UInt8(number / place % 10))
            place /= 10
        }
    }
}
