/// Properties of code points, as the files of Debian's unicode-data list them.
public final class UnicodeData: Sendable {
    public static let shared: UnicodeData = {
        do { return try UnicodeData() } catch { fatalError("\(error) (apt-get install unicode-data)") }
    }()

    /// In the spelling of the files.
    // swift-format-ignore: AlwaysUseLowerCamelCase
    public enum WordBreak: String, Sendable {
        case other, CR, LF, Newline, Extend, ZWJ, Format, Regional_Indicator, Katakana, Hebrew_Letter, ALetter
        case Single_Quote, Double_Quote, MidNumLet, MidLetter, MidNum, Numeric, ExtendNumLet, WSegSpace
    }

    static let folder = "/usr/share/unicode"

    let wordBreak: [WordBreak]
    let isWhiteSpace: [Bool]
    let isPictograph: [Bool]
    /// Line_Break = SA.
    let isSouthEastAsian: [Bool]
    /// A letter, a decimal digit, an ideograph or kana.
    let isLetterLike: [Bool]
    let lowercase: [UInt32: [UInt32]]

    private init() throws {
        var wordBreak = [WordBreak](repeating: .other, count: 0x110000)
        try Self.eachRange(in: "auxiliary/WordBreakProperty.txt") { range, fields in
            guard let value = WordBreak(rawValue: fields[1]) else { fatalError("new Word_Break value \(fields[1])") }
            for point in range { wordBreak[point] = value }
        }
        self.wordBreak = wordBreak
        isWhiteSpace = try Self.flags(("PropList.txt", ["White_Space"]))
        isPictograph = try Self.flags(("emoji/emoji-data.txt", ["Extended_Pictographic"]))
        isSouthEastAsian = try Self.flags(("extracted/DerivedLineBreak.txt", ["SA"]))
        isLetterLike = try Self.flags(
            ("extracted/DerivedGeneralCategory.txt", ["Lu", "Ll", "Lt", "Lm", "Lo", "Nd"]),
            ("PropList.txt", ["Ideographic"]), ("Scripts.txt", ["Han", "Hiragana", "Katakana"]),
            ("extracted/DerivedLineBreak.txt", ["SA"]),
            ("auxiliary/WordBreakProperty.txt", ["ALetter", "Hebrew_Letter", "Numeric", "Katakana"]))
        var lowercase: [UInt32: [UInt32]] = [:]
        for line in try Self.lines(of: "UnicodeData.txt") {
            let fields = line.split(separator: ";", omittingEmptySubsequences: false)
            if let point = UInt32(fields[0], radix: 16), let lower = UInt32(fields[13], radix: 16) {
                lowercase[point] = [lower]
            }
        }
        for fields in try Self.rows(of: "SpecialCasing.txt") where fields[4].isEmpty {
            if let point = UInt32(fields[0], radix: 16) {
                lowercase[point] = fields[1].split(separator: " ").compactMap { UInt32($0, radix: 16) }
            }
        }
        self.lowercase = lowercase
    }

    public static func lines(of file: String) throws -> [Substring] {
        String(decoding: try contents(of: "\(folder)/\(file)"), as: UTF8.self).split(separator: "\n")
    }

    /// The fields of each line, without comments.
    private static func rows(of file: String) throws -> [[String]] {
        try lines(of: file).compactMap { line in
            let fields = line.prefix { $0 != "#" }.split(separator: ";", omittingEmptySubsequences: false)
            return fields.count < 2 ? nil : fields.map { $0.split(separator: " ").joined(separator: " ") }
        }
    }

    private static func eachRange(in file: String, _ body: (ClosedRange<Int>, [String]) -> Void) throws {
        for fields in try rows(of: file) {
            let ends = fields[0].split(separator: ".").compactMap { Int($0, radix: 16) }
            body(ends[0]...ends[ends.count - 1], fields)
        }
    }

    private static func flags(_ sources: (file: String, values: Set<String>)...) throws -> [Bool] {
        var flags = [Bool](repeating: false, count: 0x110000)
        for (file, values) in sources {
            try eachRange(in: file) { range, fields in
                if values.contains(fields[1]) { for point in range { flags[point] = true } }
            }
        }
        return flags
    }
}
