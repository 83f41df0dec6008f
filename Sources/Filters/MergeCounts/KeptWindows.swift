import Bytes

/// Of which windows totals are kept, and for how long (`--window-field`, `--keep`).
public struct Retention: Sendable {
    let shape: WindowShape
    let label: EventTime
    let keep: Int64

    /// - Parameters:
    ///   - shape: of the windows; its hop plays no part.
    ///   - label: where in a line the label is.
    ///   - keep: how many milliseconds behind the end of a window its totals are still wanted.
    public init(_ shape: WindowShape, label: EventTime, keep: Int64) {
        precondition(keep >= 0)
        (self.shape, self.label, self.keep) = (shape, label, keep)
    }
}

/// Tells which windows are over: those whose end the watermark has passed by the time to keep.
struct KeptWindows: ~Copyable {
    private let shape: WindowShape
    private let keep: Int64
    private let maxAhead: Int64?
    private var labels: TimeField
    /// With more keys than this, those of windows that are over are looked for.
    private(set) var limit = leastLimit
    private static let leastLimit = 1 << 14

    init(_ retention: Retention) {
        (shape, keep, maxAhead) = (retention.shape, retention.keep, retention.label.maxAhead)
        labels = TimeField(retention.label, in: retention.shape)
    }

    /// Takes note of what time it is.
    func begin(at now: Moment, _ events: inout EventClock) {
        if let maxAhead { events.ceiling = now.unixMilliseconds + maxAhead }
    }

    /// Takes note of a line, and tells whether its window is over. State never is.
    mutating func isLate(_ line: UnsafeRawBufferPointer, _ events: inout EventClock) throws(TimeField.Problem) -> Bool {
        let start = try labels.read(in: line)
        events.see(start)
        return !events.isRestoring && isOver(start, events.watermark)
    }

    private func isOver(_ start: Int64, _ watermark: Int64) -> Bool {
        watermark != EventClock.notKnown && shape.end(ofWindow: start) + keep <= watermark
    }

    /// Whether the window of a key is over. A key has come in a line, so it has a label.
    mutating func isOver(key: UnsafeRawBufferPointer, _ watermark: Int64) -> Bool {
        guard let start = try? labels.read(in: key) else { return false }
        return isOver(start, watermark)
    }

    /// Takes note of how many keys are left: to look again is worth it when they have doubled.
    mutating func setLimit(left: Int) { limit = max(Self.leastLimit, 2 * left) }
}
