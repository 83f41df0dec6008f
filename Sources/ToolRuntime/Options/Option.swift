public import Bytes

/// One row of a tool's option table. The table alone feeds the parser, `--help`, the manual page and the completions.
public protocol OptionRow: Sendable {
    /// The long name, without the dashes.
    var name: String { get }
    var short: Character? { get }
    /// What stands for the value in help; nil for a flag, which takes none.
    var placeholder: String? { get }
    /// The value where the option is given without one, so that `--name` and `--name=VALUE` both stand; nil: it must be given.
    var valueIfOmitted: String? { get }
    var help: String { get }
    /// The values that completion offers: words, or files.
    var completion: OptionCompletion { get }
    /// Whether the values given, in order, can be taken.
    func check(_ given: [String]) throws(Failure)
}

public enum OptionCompletion: Equatable, Sendable {
    case none
    case files
    case words([String])
}

/// An option whose value is a `Value`. What is given twice counts as given last, but for `list`.
public struct Option<Value: Sendable>: OptionRow {
    public let name: String
    public let short: Character?
    public let placeholder: String?
    public let valueIfOmitted: String?
    public let help: String
    public let completion: OptionCompletion
    /// Turns the values given, in order and perhaps none, into the value.
    let value: @Sendable ([String]) throws(Failure) -> Value

    public func check(_ given: [String]) throws(Failure) { _ = try value(given) }

    /// An option with a value of your own kind.
    /// - Parameter parse: nil says that the text cannot be taken; `expected` then says what could.
    public init(
        _ name: String, _ short: Character? = nil, _ placeholder: String, default fallback: Value, expected: String,
        valueIfOmitted: String? = nil, completion: OptionCompletion = .none, help: String,
        parse: @escaping @Sendable (String) -> Value?
    ) {
        self.name = name
        self.short = short
        self.placeholder = placeholder
        self.valueIfOmitted = valueIfOmitted
        self.help = help
        self.completion = completion
        value = { (given) throws(Failure) in
            guard let text = given.last else { return fallback }
            guard let value = parse(text) else {
                throw Failure(.usage, "--\(name): expected \(expected), not \"\(text)\"")
            }
            return value
        }
    }
}

extension Option<Bool> {
    public static func flag(_ name: String, _ short: Character? = nil, help: String) -> Self {
        Option(name: name, short: short, placeholder: nil, help: help, completion: .none) { !$0.isEmpty }
    }

    private init(
        name: String, short: Character?, placeholder: String?, help: String, completion: OptionCompletion,
        value: @escaping @Sendable ([String]) -> Value
    ) {
        self.name = name
        self.short = short
        self.placeholder = placeholder
        valueIfOmitted = nil
        self.help = help
        self.completion = completion
        self.value = value
    }
}

extension Option<Int> {
    public static func integer(
        _ name: String, _ short: Character? = nil, _ placeholder: String = "N",
        in range: ClosedRange<Int> = 0...Int.max,
        default fallback: Int, help: String
    ) -> Self {
        let expected =
            range.upperBound == .max
            ? "a whole number from \(range.lowerBound)"
            : "a whole number from \(range.lowerBound) to \(range.upperBound)"
        return Option(name, short, placeholder, default: fallback, expected: expected, help: help) { text in
            Int(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// Bytes: a whole number, perhaps followed by K, M or G for powers of 1024.
    public static func size(
        _ name: String, _ short: Character? = nil, in range: ClosedRange<Int> = 1...(1 << 50), default fallback: Int,
        help: String
    ) -> Self {
        Option(name, short, "SIZE", default: fallback, expected: "a size such as 65536, 64K, 10M or 1G", help: help) {
            text in bytes(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    private static func bytes(_ text: String) -> Int? {
        let units: [Character: Int] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30]
        guard let last = text.last, let unit = units[last] else { return Int(text) }
        guard let number = Int(text.dropLast()) else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: unit)
        return overflow ? nil : product
    }
}

extension Option<Int64?> {
    /// A duration in milliseconds: a whole number followed by ms, s, m, h or d.
    public static func duration(
        _ name: String, _ short: Character? = nil, default fallback: Int64? = nil, help: String
    ) -> Self {
        Option(
            name, short, "TIME", default: fallback, expected: "a duration such as 500ms, 10s, 5m, 1h or 1d", help: help
        ) {
            text in milliseconds(text).map { .some($0) }
        }
    }
}

extension Option<Interval?> {
    /// So many lines, a whole number, or so much time, a duration.
    public static func interval(_ name: String, _ short: Character? = nil, help: String) -> Self {
        let expected = "a number of lines such as 1000, or a duration such as 500ms, 10s, 5m, 1h or 1d"
        return Option(name, short, "N|TIME", default: nil, expected: expected, help: help) { text in
            if let lines = Int(text) { return lines >= 1 ? .some(.lines(lines)) : nil }
            return milliseconds(text).flatMap { $0 >= 1 ? .some(.milliseconds($0)) : nil }
        }
    }
}

/// At most a century, so that sums and multiples of durations and times fit.
func milliseconds(_ text: String) -> Int64? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let units = ["ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000] as [Substring: Int64]
    if text == "0" { return 0 }
    guard let number = Int64(digits), let unit = units[text.dropFirst(digits.count)] else { return nil }
    return number <= 36_525 * 86_400_000 / unit ? number * unit : nil
}

extension Option<String?> {
    public static func text(_ name: String, _ short: Character? = nil, _ placeholder: String, help: String) -> Self {
        Option(name, short, placeholder, default: nil, expected: "some text", help: help) { .some($0) }
    }

    public static func file(_ name: String, _ short: Character? = nil, help: String) -> Self {
        Option(name, short, "FILE", default: nil, expected: "a file", completion: .files, help: help) {
            $0.isEmpty ? nil : .some($0)
        }
    }
}

extension Option<[String]> {
    /// May be given several times.
    public static func list(_ name: String, _ short: Character? = nil, _ placeholder: String, help: String) -> Self {
        Option(name: name, short: short, placeholder: placeholder, help: help, completion: .none, value: { $0 })
    }

    private init(
        name: String, short: Character?, placeholder: String?, help: String, completion: OptionCompletion,
        value: @escaping @Sendable ([String]) -> Value
    ) {
        self.name = name
        self.short = short
        self.placeholder = placeholder
        valueIfOmitted = nil
        self.help = help
        self.completion = completion
        self.value = value
    }
}

extension Option where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
    /// One of the cases of an enumeration, by its raw value.
    public static func choice(
        _ name: String, _ short: Character? = nil, default fallback: Value, help: String
    ) -> Self {
        let words = Value.allCases.map(\.rawValue)
        return Option(
            name, short, words.joined(separator: "|"), default: fallback, expected: words.joined(separator: ", "),
            completion: .words(words), help: help
        ) { Value(rawValue: $0) }
    }
}
