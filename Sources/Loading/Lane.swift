/// The way of the documents of some ids: one request at a time, in their order.
///
/// | state | next |
/// |---|---|
/// | idle | posted, when something is there to go |
/// | posted | idle: all is done or refused; waiting: something is to be sent again; posted: a half of it |
/// | waiting | posted again, when the time is up |
///
/// `pieces` go before `ready`, and `ready` before `filling`.
struct Lane {
    enum State {
        case idle
        case posted(Body, host: Int)
        case waiting(Body, until: Int64)
    }

    /// Something has to be sent again.
    struct Wait {
        var since: Int64
        /// When it gives up.
        var deadline: Int64
        var pause: Int64 = 100
        /// Whole requests refused with 429 in a row.
        var busy = 0
        /// Requests that were answered with an error of the server in a row.
        var doubtful = 0
    }

    /// A request that was refused as a whole, and is being halved down to the documents that are to blame.
    struct Search {
        var status: Int
        var reason: String
        /// Whether a part of it has passed: then it is not the request.
        var hasPassed = false
        var failures = 0
        /// Single documents that did not pass.
        var suspects: [(Body, reason: String)] = []
    }

    var state = State.idle
    /// The rest of a body that was halved; the next is the last.
    var pieces: [Body] = []
    /// Whole bodies, and where the next of them is.
    private var ready: [Body] = []
    private var firstReady = 0
    /// The body that grows; none while it has no document.
    var filling: Body?
    var wait: Wait?
    var search: Search?

    var isIdle: Bool { if case .idle = state { true } else { false } }
    /// Whether it has nothing to do and nothing to come.
    var isEmpty: Bool { isIdle && pieces.isEmpty && !hasReady && filling == nil }
    var hasReady: Bool { firstReady < ready.count }

    mutating func close(_ body: Body) { ready.append(body) }

    /// The next whole body.
    mutating func takeReady() -> Body? {
        guard hasReady else { return nil }
        defer {
            firstReady += 1
            if firstReady == ready.count { (ready, firstReady) = ([], 0) }
            if firstReady > 64, firstReady * 2 > ready.count {
                ready.removeFirst(firstReady)
                firstReady = 0
            }
        }
        return ready[firstReady]
    }
}
