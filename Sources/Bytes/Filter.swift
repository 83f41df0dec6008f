/// A line filter: bytes in, bytes out, nothing else. It cannot block and knows no clock.
///
/// Its caller cuts the input into chunks of whole lines; where it cuts must not show in the output.
public protocol Filter: ~Copyable {
    /// What can be wrong with an input line.
    associatedtype Problem: LineProblem

    /// Takes the next lines.
    /// - Parameters:
    ///   - lines: one or more whole lines, each with its LF.
    ///   - firstLine: the number of the first of them, counted from 1.
    ///   - now: when they were read.
    mutating func consume(
        _ lines: Span<UInt8>, firstLine: Int, now: Moment, into output: inout Output
    ) throws(MalformedLine<Problem>)

    /// Whether it takes the lines between the barriers `restore` and `restored` as what it has put out before.
    var keepsState: Bool { get }

    /// How many milliseconds from `now` until `wake` is wanted even if no line comes; nil: never.
    func patience(at now: Moment) -> Int64?

    /// The memory for what it keeps between lines, in bytes.
    var heldBytes: Int { get }

    /// Called when the patience has run out.
    mutating func wake(now: Moment, into output: inout Output) throws(MalformedLine<Problem>)

    /// Puts out all that is owed for the lines so far: after it, a restart may begin with the next line.
    /// - Parameter watermark: the barrier's; nil where the stream carries none.
    mutating func barrier(
        _ kind: Barrier.Kind, watermark: Watermark?, now: Moment, into output: inout Output
    ) throws(MalformedLine<Problem>)

    /// The input has ended: puts out the rest. Returns what `--summary` shows besides the line counts.
    consuming func finish(now: Moment, into output: inout Output) throws(MalformedLine<Problem>) -> Summary
}

/// A filter that keeps nothing between lines need only consume.
extension Filter where Self: ~Copyable {
    public var keepsState: Bool { false }
    public func patience(at now: Moment) -> Int64? { nil }
    public var heldBytes: Int { 0 }
    public mutating func wake(now: Moment, into output: inout Output) {}
    public mutating func barrier(
        _ kind: Barrier.Kind, watermark: Watermark?, now: Moment, into output: inout Output
    ) {}
    public consuming func finish(now: Moment, into output: inout Output) -> Summary { Summary() }
}
