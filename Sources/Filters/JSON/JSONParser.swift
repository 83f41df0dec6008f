import CSimdjson

/// Checks JSON texts with simdjson, and fetches fields out of them.
///
/// Its buffers grow with the longest text, to about twenty times its bytes, of which most are only touched by texts that
/// are mostly numbers.
struct JSONParser: ~Copyable {
    let handle: OpaquePointer

    init() {
        guard let handle = csimdjson_create() else { fatalError("out of memory") }
        self.handle = handle
    }

    deinit { csimdjson_destroy(handle) }

    /// What is wrong with the text; nil if it is one JSON value, or with `onlyObjects` one object.
    func fault(in text: UnsafeRawBufferPointer, onlyObjects: Bool) -> JSONFault? {
        guard let start = text.baseAddress else { return .empty }
        let outcome = csimdjson_check(handle, start, text.count, onlyObjects)
        if outcome == csimdjson_valid { return nil }
        return JSONFault(outcome, startsWithMark: text.starts(with: [0xEF, 0xBB, 0xBF]))
    }
}

/// Why a text is not JSON, or not the JSON that is wanted.
public enum JSONFault: Error, Equatable, Sendable, CustomStringConvertible {
    case empty
    case byteOrderMark
    case notAnObject
    case notUTF8
    case controlCharacter
    case openString
    case badString
    case badNumber
    case badWord
    case badStructure
    case tooDeep
    case tooLong

    init(_ outcome: csimdjson_outcome, startsWithMark: Bool) {
        self =
            switch outcome {
            case csimdjson_empty: .empty
            case csimdjson_not_an_object: .notAnObject
            case csimdjson_not_utf8: .notUTF8
            case csimdjson_control_character: .controlCharacter
            case csimdjson_open_string: .openString
            case csimdjson_bad_string: .badString
            case csimdjson_bad_number: .badNumber
            case csimdjson_bad_word: .badWord
            case csimdjson_too_deep: .tooDeep
            case csimdjson_too_long: .tooLong
            default: startsWithMark ? .byteOrderMark : .badStructure
            }
    }

    public var description: String {
        switch self {
        case .empty: "nothing there"
        case .byteOrderMark: "a byte order mark stands in front"
        case .notAnObject: "not an object"
        case .notUTF8: "not UTF-8"
        case .controlCharacter: "a control character in a string is not escaped"
        case .openString: "a string has no end"
        case .badString: "a bad escape in a string"
        case .badNumber: "a bad number"
        case .badWord: "a word that is not true, false or null"
        case .badStructure: "a comma, colon, bracket or brace is missing or one too many"
        case .tooDeep: "nested more than 1024 levels deep"
        case .tooLong: "too long to be checked"
        }
    }
}
