/// What a counter may hold: its table, its arena and its sketch together stay within `total` bytes at any time.
///
/// While all is exact there is no sketch, and the table may double: the old and the new one then exist side by side. The
/// sketch begins when the keys no longer fit, and from then on the table keeps its size.
public struct MemoryPlan: Equatable, Sendable {
    /// In bytes.
    public let total: Int
    public let geometry: SketchGeometry

    /// For a table that is not bounded, and has no sketch.
    static let unbounded = MemoryPlan(total: 1 << 60, geometry: SketchGeometry(rows: 1, width: 1)).unsafelyUnwrapped

    /// The least that a counter can work with, in bytes.
    public static let least = 64 << 10
    static let firstSlots = 512

    /// - Returns: nil where the sketch would take more than half of `total`, or `total` is below `least`.
    public init?(total: Int, geometry: SketchGeometry) {
        guard total >= Self.least, geometry.bytes <= total / 2 else { return nil }
        self.total = total
        self.geometry = geometry
    }

    /// What table and arena may take once there is a sketch.
    var share: Int { total - geometry.bytes }

    static func bytes(slots: Int) -> Int { slots * MemoryLayout<Slot>.stride }

    /// Entries in a table of `slots` slots: three quarters, since from there probes get long.
    static func entries(slots: Int) -> Int { slots / 4 * 3 }

    /// Whether a table and an arena of these sizes are within the plan, now and when the table has just been doubled.
    ///
    /// What fits when larger fits when smaller. So whether the keys of a stream fit depends on their number and lengths
    /// alone, not on their order.
    func fits(slots: Int, arena: Int) -> Bool {
        let table = Self.bytes(slots: slots)
        return table + arena <= share && table + table / 2 + arena <= total
    }
}
