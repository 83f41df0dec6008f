import Bytes
import ToolRuntime

/// Checks that the barriers of a stream come as they were written: all of them, each once, in order.
struct BarrierSequence {
    /// How long an epoch is meant to be, in milliseconds.
    let epochMilliseconds: Int64
    private var last: Int64
    /// nil: `close` has not come.
    private(set) var end: StreamEnd?
    /// Between `restore` and `restored`.
    private var isRestoring = false

    /// Waits for the `open` barrier, the first line of the stream.
    init(firstOf input: inout LineInput) throws(Failure) {
        guard case .piece(let piece) = try input.next() else {
            Signals.dieIfAsked()
            throw Failure(.tryAgain, "the input ended before it began: some stage before kcat-out has failed")
        }
        // The finder takes only an `open` barrier for the first.
        guard case .barrier(let barrier, _) = piece else {
            throw Failure(
                .malformedData, "line 1: not a barrier: --exactly-once is for what kcat-in --exactly-once writes")
        }
        last = barrier.epoch
        epochMilliseconds = Int64(String(decoding: barrier.payload, as: UTF8.self)) ?? 0
    }

    /// - Returns: the offsets to be committed now; nil: none.
    mutating func take(_ barrier: Barrier) throws(Failure) -> EpochOffsets? {
        guard barrier.epoch == last + 1, end == nil else {
            throw Failure(
                .malformedData, "barrier \(barrier.epoch) came behind \(last): a stage has lost or doubled lines")
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
                throw Failure(
                    .configuration,
                    "barrier \(barrier.epoch) names no member of a group: is the stream kcat-in --ack's, or another version's?"
                )
            }
            return offsets
        }
    }

    /// Lines that come now must be of an epoch.
    func takeLines(_ first: Int) throws(Failure) {
        if end != nil { throw Failure(.malformedData, "line \(first): behind the end of the stream") }
        if isRestoring { throw Failure(.malformedData, "line \(first): state, which merge-counts --updates restores") }
    }
}
