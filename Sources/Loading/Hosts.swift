/// Several addresses of one cluster: in turn, and one that does not answer is left out for a while.
struct Hosts {
    private struct Host {
        /// Left out until then, in milliseconds of the monotonic clock.
        var deadUntil: Int64 = .min
        /// How long it is left out next time.
        var pause: Int64 = 1000
    }

    private var hosts: [Host]
    private var turn = 0
    private static let longestPause: Int64 = 60_000

    init(count: Int) { hosts = Array(repeating: Host(), count: count) }

    /// Who is next. Where none answers, the one whose time is up first.
    mutating func next(now: Int64) -> Int {
        for offset in 0..<hosts.count {
            let host = (turn + offset) % hosts.count
            guard hosts[host].deadUntil <= now else { continue }
            turn = (host + 1) % hosts.count
            return host
        }
        return hosts.indices.min { hosts[$0].deadUntil < hosts[$1].deadUntil } ?? 0
    }

    mutating func noteReply(_ host: Int) { hosts[host] = Host() }

    mutating func noteLost(_ host: Int, now: Int64) {
        // Requests that were under way together are lost together: they count once.
        guard hosts[host].deadUntil <= now else { return }
        hosts[host].deadUntil = now + hosts[host].pause
        hosts[host].pause = min(hosts[host].pause * 2, Self.longestPause)
    }
}
