/// A time in which something is wrong that may pass: since when, and what was said of it. One line is said when it has lasted
/// ten seconds, and one when it is over.
package struct Outage {
    /// Milliseconds that pass before a word is said.
    package static let quiet: Int64 = 10_000

    private var since: Int64?
    private var waited = AwakeTime()
    private var reason = ""
    private var isSaid = false

    package init() {}

    package mutating func note(_ reason: String, at now: Int64) {
        if since == nil { since = now }
        waited.look(at: now)
        self.reason = reason
    }

    /// What is to be said now.
    package mutating func words(at now: Int64) -> String? {
        guard let since, !isSaid, now - since >= Self.quiet else { return nil }
        isSaid = true
        return "waiting for \((now - since) / 1000) s: \(reason)"
    }

    /// It is over. Returns what is to be said of that.
    package mutating func end(at now: Int64) -> String? {
        defer { (since, waited, isSaid) = (nil, AwakeTime(), false) }
        guard let since, isSaid else { return nil }
        return "going on after \((now - since) / 1000) s"
    }

    /// How long it has been noted in vain.
    package var milliseconds: Int64 { waited.milliseconds }
    package var isOpen: Bool { since != nil }
    package var nextWords: Int64? { isSaid ? nil : since.map { $0 + Self.quiet } }
}
