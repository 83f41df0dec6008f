public import Sketches

/// What the options of cms-topk say.
public struct TopKSettings: Sendable {
    public enum Emission: String, CaseIterable, Sendable {
        case top
        case partials
    }

    public enum Windows: Sendable {
        /// From barrier to barrier, or all of the input.
        case none
        /// So many lines each.
        case lines(Int)
        case processingTime(WindowShape)
        case eventTime(WindowShape, field: Int, TimeFormat)
    }

    /// How many keys a list has; nil for all that are held.
    public var top: Int? = 10
    public var emission = Emission.top
    /// Whether a line shows the low end of its count as well.
    public var showsBounds = false
    /// Whether the input is count lines.
    public var readsCounts = false
    /// In bytes, for all open windows together.
    public var memory = 64 << 20
    /// The error of the sketch; nil for what the memory gives.
    public var epsilon: Double?
    public var delta: Double?
    public var seed: UInt64 = 0
    public var windows = Windows.none
    /// After how many milliseconds without input the open windows are closed.
    public var idle: Int64?

    public init() {}

    /// The memory cannot be shared out as it should; worded for the user.
    public struct Problem: Error, Equatable, Sendable, CustomStringConvertible {
        public let description: String
    }

    /// Counters that can be in use at once: one for each pane that can be open, and where windows hop one for their sum.
    var counters: Int {
        switch windows {
        case .none, .lines: 1
        case .processingTime(let shape), .eventTime(let shape, _, _):
            Int(shape.paneLimit) + (shape.hop < shape.size && emission == .top ? 1 : 0)
        }
    }

    /// The share of each counter. The sketch gets an eighth of all the memory, so that its shape, which partials must have
    /// in common, depends on few things; only of more than four counters the sketches get half of the memory together.
    public func plan() throws(Problem) -> MemoryPlan {
        if memory / counters < MemoryPlan.least { throw tooLittle(MemoryPlan.least) }
        let sketch = memory / max(8, 2 * counters)
        guard let geometry = SketchGeometry(bytes: sketch, epsilon: epsilon, delta: delta) else {
            throw Problem(description: "no sketch has errors so small: give a larger --epsilon or --delta")
        }
        guard let plan = MemoryPlan(total: memory / counters, geometry: geometry) else {
            throw tooLittle(2 * geometry.bytes)
        }
        return plan
    }

    private func tooLittle(_ share: Int) -> Problem {
        let windows = counters > 1 ? " for \(counters) windows at once" : ""
        let kibibytes = (counters * share + 1023) / 1024
        let size = kibibytes % 1024 == 0 ? "\(kibibytes / 1024)M" : "\(kibibytes)K"
        return Problem(description: "too little memory\(windows): give --memory \(size) or more")
    }
}
