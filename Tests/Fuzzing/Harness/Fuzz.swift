import Glibc

/// What libFuzzer, which brings the main function, calls with each input.
///
/// The parser that the environment names in FUZZ_PARSER is held against its slow, obvious reference. A difference ends
/// the process, and libFuzzer keeps the input that led to it. `bin/fuzz` runs them all.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    parser(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

private let parsers: [String: @Sendable ([UInt8]) -> Void] = [
    "bulk": fuzzBulk,
    "count-line": fuzzCountLine,
    "escapes": fuzzEscapes,
    "from-json": fuzzFromJSON,
    "json-string": fuzzJSONString,
    "lines": fuzzLines,
    "load": fuzzLoad,
    "replies": fuzzReplies,
    "tokenize": fuzzTokenize,
]

private let parser = {
    guard let name = getenv("FUZZ_PARSER"), let parser = parsers[String(cString: name)] else {
        print("FUZZ_PARSER must be one of: \(parsers.keys.sorted().joined(separator: " "))")
        exit(64)
    }
    return parser
}()

/// Small numbers out of an input, for sizes and cut points; the rest of it is the text.
struct Choices {
    private var bytes: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { self.bytes = bytes[...] }

    mutating func number(upTo limit: Int) -> Int { bytes.popFirst().map { Int($0) % limit + 1 } ?? 1 }
    var rest: [UInt8] { Array(bytes) }
}
