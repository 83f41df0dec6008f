import Bytes
import TestSupport

/// Line buffer and barriers, in reads of any size.
@Sendable func fuzzLines(_ input: [UInt8]) {
    var choices = Choices(input)
    let reads = (0..<3).map { _ in choices.number(upTo: 255) }
    let capacity = choices.number(upTo: 64)
    let maxLine = choices.number(upTo: 2) == 1 ? choices.number(upTo: 255) : 64 << 20
    let text = choices.rest
    let expected = referenceLines(text, maxLine: maxLine)
    precondition(bufferedLines(text, maxLine: maxLine, capacity: capacity, reads: reads) == expected)
    precondition(bufferedLines(text, maxLine: maxLine, capacity: 4096, reads: [.max]) == expected)
}
