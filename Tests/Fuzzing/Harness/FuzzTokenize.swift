import Filters
import TestSupport

/// Tokens, split in each of the ways.
@Sendable func fuzzTokenize(_ input: [UInt8]) {
    var choices = Choices(input)
    let read = choices.number(upTo: 255)
    var options = Tokenize.Options()
    options.lowercase = choices.number(upTo: 2) == 1
    let split: ReferenceTokenizer.Split
    switch choices.number(upTo: 3) {
    case 1: (options.split, split) = (.whiteSpace, .whiteSpace)
    case 2: (options.split, split) = (.words, .words)
    default:
        guard let set = DelimiterSet(",;:! -") else { preconditionFailure("no set") }
        (options.split, split) = (.delimiters(set), .delimiters(Set(",;:! -".utf8)))
    }
    let text = choices.rest
    let expected = ReferenceTokenizer(split, lowercase: options.lowercase).lines(text)
    for wide in [true, false] {
        options.wideRegisters = wide
        guard let written = try? run(Tokenize(options), text, reads: [read]) else {
            preconditionFailure("a line without --carry is malformed")
        }
        precondition(written.lines == expected)
    }
}
