public import Sketches

/// What the options of cms-topk say.
public struct TopKSettings: Sendable {
    public enum Emission: String, CaseIterable, Sendable {
        case top
        case partials
    }

    /// How many keys a list has; nil for all that are held.
    public var top: Int? = 10
    public var emission = Emission.top
    /// Whether a line shows the low end of its count as well.
    public var showsBounds = false
    /// Whether the input is count lines.
    public var readsCounts = false
    /// Whether they are totals, of which the last of a key counts.
    public var readsTotals = false
    /// In bytes, for all open windows together.
    public var memory = 64 << 20
    /// The error of the sketch; nil for what the memory gives.
    public var epsilon: Double?
    public var delta: Double?
    public var seed: UInt64 = 0
    public var windows = Windowing.none
    /// After how many milliseconds without input the open windows are closed.
    public var idle: Int64?

    public init() {}

    /// The memory cannot be shared out as it should; worded for the user.
    public struct Problem: Error, Equatable, Sendable, CustomStringConvertible {
        public let description: String
    }

    /// Whether each window's list is put out once, when it is complete, and kept over barriers until then.
    var isFinal: Bool {
        if case .eventTime(_, let time) = windows { time.isLabel && emission == .top } else { false }
    }

    /// Panes that the memory is shared out to. Where it is not the grace that holds windows open but the stream or the
    /// labels, there may be more, as long as all of them together stay within the memory.
    var paneLimit: Int {
        switch windows {
        case .none, .lines: 1
        case .processingTime(let shape): Int(shape.paneLimit)
        case .eventTime(let shape, let time):
            if readsTotals { 1 } else { max(time.isLabel ? 4 : 1, Int(shape.paneLimit)) }
        }
    }

    /// Whether a window is the sum of several panes.
    var sumsPanes: Bool {
        switch windows {
        case .none, .lines: false
        case .processingTime(let shape), .eventTime(let shape, _): shape.hop < shape.size && emission == .top
        }
    }

    /// Counters that can be in use at once: one for each pane that can be open, and where windows hop one for their sum.
    private var counters: Int { paneLimit + (sumsPanes ? 1 : 0) }

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
