import CSimdjson

/// Says whether a text is JSON, and what is wrong with it.
///
/// simdjson takes up to twenty times the bytes of a text. So a long one is walked, which needs no memory but tells no
/// more than yes or no. Both judge alike.
struct JSONJudge: ~Copyable {
    /// Longer texts are walked.
    static let longest = 256 << 10

    private let parser = JSONParser()
    private let walk = JSONLines(strict: true)

    /// nil if the text, which has no LF, is one JSON value, or with `onlyObjects` one object.
    func fault(in text: UnsafeRawBufferPointer, onlyObjects: Bool) -> JSONFault? {
        guard text.count > Self.longest, let start = text.baseAddress else {
            return parser.fault(in: text, onlyObjects: onlyObjects)
        }
        return jsonlines_are_json(walk.handle, start, text.count, onlyObjects) ? nil : .unknown
    }
}
