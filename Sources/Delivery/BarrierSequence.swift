import Bytes

/// Checks that the barriers of a stream come as they were written: all of them, each once, in order.
package struct BarrierSequence {
    /// How long an epoch is meant to be, in milliseconds.
    package let epochMilliseconds: Int64
    private var last: Int64
    /// nil: `close` has not come.
    package private(set) var end: StreamEnd?
    /// Between `restore` and `restored`.
    private var isRestoring = false

    /// - Parameter open: the first line of the stream.
    package init(after open: Barrier) {
        last = open.epoch
        epochMilliseconds = Int64(String(decoding: open.payload, as: UTF8.self)) ?? 0
    }

    /// - Parameter isLenient: whatever its number.
    /// - Returns: the offsets to be committed now; nil: none.
    package mutating func take(_ barrier: Barrier, isLenient: Bool = false) throws(Ending) -> EpochOffsets? {
        guard barrier.epoch == last + 1 && end == nil || isLenient else {
            throw Ending(
                .malformed, "barrier \(barrier.epoch) came after \(last): a stage has lost or doubled lines")
        }
        last = barrier.epoch
        isRestoring = barrier.kind == .restore
        switch barrier.kind {
        case .open, .restore, .restored: return nil
        case .close:
            end = StreamEnd(rawValue: String(decoding: barrier.payload, as: UTF8.self)) ?? .failed
            return nil
        case .commit:
            guard let offsets = EpochOffsets(payload: barrier.payload) else {
                throw Ending(
                    .configuration,
                    "barrier \(barrier.epoch) names no member of a group: is the stream kcat-in --ack's, or another version's?"
                )
            }
            return offsets
        }
    }

    /// Lines that come now must be of an epoch.
    package func takeLines(_ first: Int) throws(Ending) {
        if end != nil { throw Ending(.malformed, "line \(first): after the end of the stream") }
        if isRestoring { throw Ending(.malformed, "line \(first): state, which merge-counts --updates restores") }
    }
}
