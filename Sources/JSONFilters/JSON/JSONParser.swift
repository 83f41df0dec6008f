import CSimdjson

/// Checks JSON texts with simdjson, and fetches fields out of them.
///
/// Its buffers grow with the longest text, to about twenty times its bytes, of which most are only touched by texts that
/// are mostly numbers.
struct JSONParser: ~Copyable {
    static let mostFields = Int(CSIMDJSON_MOST_PATHS)

    let handle: OpaquePointer
    private let fields: UnsafeMutablePointer<csimdjson_field>

    /// - Parameter paths: the fields that `fetch` is to fetch, each as the names that lead to it; at most `mostFields`.
    init(wanting paths: [[[UInt8]]] = []) {
        guard let handle = csimdjson_create() else { fatalError("out of memory") }
        self.handle = handle
        fields = .allocate(capacity: max(1, paths.count))
        for path in paths {
            // All names in one piece: its address stays the same while the shim copies them.
            path.flatMap { $0 }.withUnsafeBufferPointer { bytes in
                var names: [csimdjson_slice] = []
                var start = 0
                for name in path {
                    names.append(csimdjson_slice(start: bytes.baseAddress.map { $0 + start }, count: name.count))
                    start += name.count
                }
                precondition(csimdjson_want(handle, names, names.count), "too many fields")
            }
        }
    }

    deinit {
        fields.deallocate()
        csimdjson_destroy(handle)
    }

    /// The wanted fields of the object that was last found without fault. Good until the next call.
    func fetch() -> UnsafePointer<csimdjson_field> {
        csimdjson_fetch(handle, fields)
        return UnsafePointer(fields)
    }

    /// What is wrong with the text; nil if it is one JSON value, or with `onlyObjects` one object.
    func fault(in text: UnsafeRawBufferPointer, onlyObjects: Bool) -> JSONFault? {
        guard let start = text.baseAddress else { return .empty }
        let outcome = csimdjson_check(handle, start, text.count, onlyObjects)
        if outcome == csimdjson_valid { return nil }
        return JSONFault(outcome)
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
    /// It was too long for its fault to be found.
    case unknown

    init(_ outcome: csimdjson_outcome) {
        self =
            switch outcome {
            case csimdjson_empty: .empty
            case csimdjson_byte_order_mark: .byteOrderMark
            case csimdjson_not_an_object: .notAnObject
            case csimdjson_not_utf8: .notUTF8
            case csimdjson_control_character: .controlCharacter
            case csimdjson_open_string: .openString
            case csimdjson_bad_string: .badString
            case csimdjson_bad_number: .badNumber
            case csimdjson_bad_word: .badWord
            case csimdjson_too_deep: .tooDeep
            case csimdjson_too_long: .tooLong
            default: .badStructure
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
        case .unknown: "the line is too long to say why"
        }
    }
}
