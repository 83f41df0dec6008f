/// A command line, held against a tool's option table.
public struct Arguments: Sendable {
    private var given: [String: [String]] = [:]
    private let names: Set<String>
    public private(set) var operands: [String] = []

    public subscript<Value>(option: Option<Value>) -> Value {
        precondition(names.contains(option.name), "--\(option.name) is not in the table of this command")
        // The values were checked when the command line was read.
        guard let value = try? option.value(given[option.name] ?? []) else { preconditionFailure("unchecked value") }
        return value
    }

    public func has(_ option: some OptionRow) -> Bool { given[option.name] != nil }

    /// Reads `words`, the command line without the tool's name, in the manner of getopt_long: `-k 5`, `-k5`, `-wl`,
    /// `--top 5`, `--top=5`; options and operands in any order; all behind `--` is operands.
    public init(_ words: [String], table: [any OptionRow]) throws(Failure) {
        names = Set(table.map(\.name))
        var rest = words[...]
        while let word = rest.popFirst() {
            if word == "--" {
                operands += rest
                break
            } else if word.hasPrefix("--") {
                try takeLong(word.dropFirst(2), &rest, table)
            } else if word.hasPrefix("-"), word != "-" {
                try takeShort(word.dropFirst(), &rest, table)
            } else {
                operands.append(word)
            }
        }
        for row in table { try row.check(given[row.name] ?? []) }
    }

    private mutating func takeLong(
        _ word: Substring, _ rest: inout ArraySlice<String>, _ table: [any OptionRow]
    ) throws(Failure) {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = parts.first, let row = table.first(where: { $0.name == name }) else {
            throw Failure(.usage, "unknown option --\(word)")
        }
        if row.placeholder == nil {
            if parts.count > 1 { throw Failure(.usage, "--\(row.name) takes no value") }
            given[row.name, default: []].append("")
        } else if parts.count > 1 {
            given[row.name, default: []].append(String(parts[1]))
        } else {
            try takeValue(of: row, &rest)
        }
    }

    private mutating func takeShort(
        _ word: Substring, _ rest: inout ArraySlice<String>, _ table: [any OptionRow]
    ) throws(Failure) {
        var letters = word
        while let letter = letters.popFirst() {
            guard let row = table.first(where: { $0.short == letter }) else {
                throw Failure(.usage, "unknown option -\(letter)")
            }
            if row.placeholder == nil {
                given[row.name, default: []].append("")
            } else if letters.isEmpty {
                try takeValue(of: row, &rest)
            } else {
                given[row.name, default: []].append(String(letters))
                return
            }
        }
    }

    private mutating func takeValue(of row: any OptionRow, _ rest: inout ArraySlice<String>) throws(Failure) {
        guard let value = rest.popFirst() else {
            throw Failure(.usage, "--\(row.name) needs a value: \(row.placeholder ?? "")")
        }
        given[row.name, default: []].append(value)
    }
}
