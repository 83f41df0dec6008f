public import Bytes
import Glibc

/// Standard input as chunks of whole lines and barriers.
public struct LineInput: ~Copyable {
    public enum Event {
        case piece(LineBuffer.Piece)
        /// The patience ran out, or the wake descriptor became readable.
        case idle
        /// The input has ended, or a signal asks for the end (`Signals.isAsked`).
        case end
    }

    private var buffer: LineBuffer
    private var hasEnded = false
    /// Bytes read so far.
    public private(set) var byteCount = 0

    public init(maxLine: Int) { buffer = LineBuffer(maxLine: maxLine) }

    /// Lines handed out so far.
    public var lineCount: Int { buffer.lineCount }

    /// The next piece.
    /// - Parameters:
    ///   - patience: milliseconds to wait for input; nil: for ever.
    ///   - wake: another descriptor that ends the wait.
    public mutating func next(patience: Int64? = nil, wake: CInt? = nil) throws(Failure) -> Event {
        while !Signals.isAsked {
            if let piece = try checked({ (buffer) throws(LineBuffer.LineTooLong) in try buffer.next() }) {
                return .piece(piece)
            }
            if hasEnded { return .end }
            if patience != nil || wake != nil,
                !Descriptor.standardInput.isReadable(within: patience, or: wake)
            {
                return Signals.isAsked ? .end : .idle
            }
            let space = try checked { (buffer) throws(LineBuffer.LineTooLong) in try buffer.space() }
            guard let count = try Descriptor.standardInput.read(into: space) else { continue }
            // An end that a signal's handler made is not the end of the input: a partial line stays one.
            if Signals.isAsked { break }
            byteCount += count
            if count > 0 {
                buffer.fill(count)
            } else {
                hasEnded = true
                try checked { (buffer) throws(LineBuffer.LineTooLong) in try buffer.end() }
            }
        }
        return .end
    }

    private mutating func checked<Result>(
        _ body: (inout LineBuffer) throws(LineBuffer.LineTooLong) -> Result
    ) throws(Failure) -> Result {
        do { return try body(&buffer) } catch { throw Failure(.malformedData, error.description) }
    }
}
