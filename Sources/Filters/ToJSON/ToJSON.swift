public import Bytes

public struct ToJSON: Filter {
    public enum Problem: LineProblem {
        public var description: String { "" }
    }

    public init() {}

    public mutating func consume(
        _ lines: Span<UInt8>, firstLine: Int, now: Moment, into output: inout Output
    ) throws(MalformedLine<Problem>) {}
}
