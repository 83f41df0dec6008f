/// How long something is waited for, less the time in which this process was stopped or its machine slept: nobody could have
/// answered then.
struct AwakeTime {
    /// What counts at most from one look to the next, in milliseconds: longer than any request here is waited for.
    static let most: Int64 = 10_000

    private(set) var milliseconds: Int64 = 0
    private var lastLook: Int64?

    mutating func look(at now: Int64) {
        if let lastLook { milliseconds += min(now - lastLook, Self.most) }
        lastLook = now
    }
}
