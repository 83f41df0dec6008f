/// How far a stream has come in event time: from here on no line with an earlier time comes, but for late ones.
public enum Watermark: Equatable, Sendable {
    /// Not known yet; written `-`.
    case unknown
    /// Milliseconds since the Unix epoch, in decimal. Past all times (`end`) nothing comes any more.
    case time(Int64)

    /// That of a stream that has ended: every window is complete.
    public static let end = Watermark.time(.max)

    /// The one that `text` spells; nil if it spells none.
    init?(_ text: UnsafeRawBufferPointer) {
        if text.count == 1, text[0] == UInt8(ascii: "-") {
            self = .unknown
        } else {
            guard let time = try? Decimal.parse(text) else { return nil }
            self = .time(time)
        }
    }

    var text: String {
        switch self {
        case .unknown: "-"
        case .time(let time): String(time)
        }
    }
}
