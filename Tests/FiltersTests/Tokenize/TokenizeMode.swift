import Filters
import TestSupport
import Testing

/// The ways to split, as the filter and as the reference have them.
enum TokenizeMode: CaseIterable {
    case whiteSpace, whiteSpaceLowercase, words, wordsLowercase, delimiters, delimitersLowercase

    private static let set = ",;:! \\t\"-"

    private var isLowercase: Bool {
        switch self {
        case .whiteSpaceLowercase, .wordsLowercase, .delimitersLowercase: true
        case .whiteSpace, .words, .delimiters: false
        }
    }

    var options: Tokenize.Options {
        var options = Tokenize.Options()
        options.lowercase = isLowercase
        switch self {
        case .whiteSpace, .whiteSpaceLowercase: options.split = .whiteSpace
        case .words, .wordsLowercase: options.split = .words
        case .delimiters, .delimitersLowercase: options.split = .delimiters(DelimiterSet(Self.set).unsafelyUnwrapped)
        }
        return options
    }

    var reference: ReferenceTokenizer {
        switch self {
        case .whiteSpace, .whiteSpaceLowercase: ReferenceTokenizer(.whiteSpace, lowercase: isLowercase)
        case .words, .wordsLowercase: ReferenceTokenizer(.words, lowercase: isLowercase)
        case .delimiters, .delimitersLowercase:
            ReferenceTokenizer(.delimiters(Set(",;:! \t\"-".utf8)), lowercase: isLowercase)
        }
    }
}

extension Tokenize.Options {
    /// The same with and without wide registers.
    var ways: [Self] {
        var narrow = self
        narrow.wideRegisters = false
        return [self, narrow]
    }
}

/// What the filter puts out for a text, as tokens.
func tokens(_ text: String, _ change: (inout Tokenize.Options) -> Void = { _ in }) throws -> [String] {
    var options = Tokenize.Options()
    change(&options)
    return try run(Tokenize(options), Array(text.utf8)).text.split(separator: "\n", omittingEmptySubsequences: false)
        .dropLast()
        .map(String.init)
}
