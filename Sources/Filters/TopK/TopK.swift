public import Bytes
import Sketches

public struct TopK: Filter, ~Copyable {
    public enum Problem: LineProblem {
        case overflow
        public var description: String { "" }
    }
    private var counter = HeavyHitters(MemoryPlan(total: 64 << 20, geometry: SketchGeometry(bytes: 8 << 20)!)!)
    public init() {}

    public mutating func consume(
        _ lines: Span<UInt8>, firstLine: Int, now: Moment, into output: inout Output
    ) throws(MalformedLine<Problem>) {
        lines.withUnsafeBytes { try! counter.count($0) }
    }
    public consuming func finish(now: Moment, into output: inout Output) -> Summary {
        let ranking = try! counter.rank(top: 10)
        for i in 0..<ranking.count {
            let e = counter.entry(i)
            output.lines.append(e.key)
            output.lines.append(9)
            output.lines.append(decimal: e.high)
            output.lines.append(10)
        }
        return Summary()
    }
}
