public import Bytes
import JSONFilters

/// What es-load decides: which documents go into which request, what becomes of each, when to try again, what to put aside,
/// what to acknowledge and when to end. Events and the time come in, actions come out; it knows no clock and no socket.
///
/// The input is cut into batches by empty lines. A batch's documents go to lanes by the hash of index and `_id`, so that those
/// of one target keep their order: a lane has one request under way, and what has to be sent again goes before what comes
/// later. A lane posts as many documents at once as the largest batch had, and fewer when the input pauses or ends.
public struct Loader: ~Copyable {
    public struct Settings: Sendable {
        /// Requests at a time.
        public var lanes = 4
        public var hosts = 1
        /// What may be held, in bytes, before the input has to wait.
        public var memory = 64 << 20
        /// How long to try without getting anything done.
        public var patience: Int64 = 300_000
        /// Whether what is refused is put aside; else the first ends the load.
        public var putsAside = false
        public var acknowledges = false
        /// Of the waits, so that not all loaders come at the same moment.
        public var seed: UInt64 = 0

        public init() {}
    }

    public enum Action {
        /// Post the body to the host; answer with `handle`.
        case post(lane: Int, host: Int, Body)
        /// Put a refused document aside: a whole line.
        case putAside([UInt8])
        /// Make sure that what was put aside is kept, before anything that comes after this.
        case keepPutAside
        case acknowledge(session: [UInt8], epoch: Int64, isLast: Bool)
        /// Tell the user.
        case say(String)
        /// All is over; nil: all is done.
        case end(LoadFailure?)
    }

    let settings: Settings
    private(set) var actions: [Action] = []
    var lanes: [Lane]
    var hosts: Hosts
    var epochs = Epochs()
    var counts = LoadCounts()
    var judge = ReplyJudge()
    let reader = BulkActionReader()
    var random: SplitMix

    // MARK: The input

    /// The batch that is being read.
    var staged: Body
    /// The action line that waits for its document.
    var openAction: (BulkActionReader.Action, count: Int, line: Int)?
    /// What one request holds at most: as many documents as the largest batch; bytes as learnt from those that were too large.
    var limits = (documents: Int.max, bytes: Int.max)
    /// Whether a batch was read, and the bytes of the largest.
    var hasLimits = false
    var largestBatch = 0
    /// The lane of documents without an id, batch by batch.
    var nextLane = 0
    /// A stream with barriers that has not been closed.
    var isOpen = false
    var isPaused = false
    var inputEnded = false
    /// Why the input ends early.
    var inputFailure: LoadFailure?

    // MARK: Troubles

    /// Bytes that bodies which do not grow any more take up.
    var held = 0
    /// Bodies of which nothing is left: to make new ones all the time would leave holes in the memory.
    var spare: [Body] = []
    var hasUnkept = false
    /// When the user was told last that something has to wait, and whether it still does.
    var announced: (at: Int64, isOpen: Bool)?
    /// Batches in a row of which every document was refused for one reason.
    var streak = (kinds: "", batches: 0, documents: 0)
    /// Whether the server has answered a bulk request as it should.
    var hasPassed = false
    public private(set) var hasEnded = false

    public init(_ settings: Settings) {
        self.settings = settings
        lanes = Array(repeating: Lane(), count: settings.lanes)
        hosts = Hosts(count: settings.hosts)
        random = SplitMix(seed: settings.seed)
        staged = Body(epoch: 0, capacity: 64 << 10)
    }

    /// What is to be done, in this order.
    public mutating func takeActions() -> [Action] {
        defer { actions.removeAll() }
        return actions
    }

    mutating func act(_ action: Action) {
        guard !hasEnded else { return }
        actions.append(action)
        if case .end = action { hasEnded = true }
    }

    public var summary: LoadCounts { counts }

    /// Memory in use for documents, in bytes.
    public var heldBytes: Int { held + staged.size + lanes.reduce(0) { $0 + ($1.filling?.size ?? 0) } }

    /// Whether more input may come.
    public var wantsInput: Bool { !inputEnded && inputFailure == nil && !hasEnded && heldBytes < settings.memory }

    /// Milliseconds until `wake` is wanted; nil: never.
    public func patience(at now: Moment) -> Int64? {
        lanes.compactMap { lane -> Int64? in
            guard case .waiting(_, let until) = lane.state else { return nil }
            return max(0, until - now.monotonicMilliseconds)
        }.min()
    }

    /// The patience has run out.
    public mutating func wake(now: Moment) {
        let now = now.monotonicMilliseconds
        for index in lanes.indices {
            if case .waiting(let body, let until) = lanes[index].state, until <= now { post(body, index, now) }
        }
    }

    // MARK: Posting

    /// Posts what idle lanes have.
    mutating func pump(_ now: Int64) {
        let isPressed = heldBytes >= settings.memory
        for index in lanes.indices where lanes[index].isIdle {
            if let piece = lanes[index].pieces.popLast() {
                post(piece, index, now)
            } else if let body = lanes[index].takeReady() {
                post(body, index, now)
            } else if isPaused || isPressed, let body = lanes[index].filling {
                lanes[index].filling = nil
                account(body)
                post(body, index, now)
            }
        }
        settle()
    }

    mutating func post(_ body: Body, _ index: Int, _ now: Int64) {
        while body.count > limits.bytes, body.items.count > 1 { halve(body, index) }
        let host = hosts.next(now: now)
        lanes[index].state = .posted(body, host: host)
        counts.requests += 1
        counts.bytesPosted += body.count
        act(.post(lane: index, host: host, body))
    }

    /// Takes the second half off, to be posted after the first.
    mutating func halve(_ body: Body, _ index: Int) {
        let rest = body.split()
        account(body)
        account(rest)
        lanes[index].pieces.append(rest)
    }

    /// Acknowledges what is done; ends when all is.
    private mutating func settle() {
        while let mark = epochs.next() {
            keepPutAside()
            if settings.acknowledges {
                act(.acknowledge(session: mark.session, epoch: mark.epoch, isLast: mark.isLast))
                counts.acknowledged = mark.epoch
            }
        }
        guard inputEnded || inputFailure != nil, lanes.allSatisfy(\.isEmpty) else { return }
        keepPutAside()
        if let inputFailure { return act(.end(inputFailure)) }
        if isOpen { return act(.end(.brokenOff)) }
        act(.end(counts.rejected > 0 ? .putAside(count: counts.rejected) : nil))
    }

    private mutating func keepPutAside() {
        if hasUnkept { act(.keepPutAside) }
        hasUnkept = false
    }

    // MARK: Memory

    /// Puts down what a body takes that does not grow any more.
    mutating func account(_ body: Body) {
        held += body.size - body.accounted
        body.accounted = body.size
    }

    /// Nothing of the body is left. Its memory serves the next, or else goes back.
    mutating func release(_ body: Body) {
        held -= body.accounted
        body.accounted = 0
        if spare.count < lanes.count, body.size <= 1 << 20 { spare.append(body) }
    }

    /// An empty body for the lanes.
    mutating func makeBody(capacity: Int) -> Body {
        guard let body = spare.popLast() else {
            return Body(epoch: epochs.current, capacity: capacity, documents: min(limits.documents, 1 << 12))
        }
        body.reuse(epoch: epochs.current)
        return body
    }
}

/// What a load has come to so far.
public struct LoadCounts: Equatable, Sendable {
    /// Documents and bytes of the input.
    public var read = 0
    public var bytesRead = 0
    /// Documents that the server has taken, and those of which it had a newer version.
    public var done = 0
    public var superseded = 0
    public var rejected = 0
    /// Documents that were sent again, each as often as it was.
    public var retried = 0
    public var requests = 0
    /// Of all requests, before they were compressed.
    public var bytesPosted = 0
    /// Requests that were halved.
    public var halved = 0
    /// Replies after which something had to be sent again, by why.
    var troubles: [Trouble.Kind: Int] = [:]
    public var acknowledged: Int64?

    /// For `--summary` and `--stats`.
    public var facts: Summary {
        var summary = Summary()
        summary.add("superseded", superseded)
        summary.add("rejected", rejected)
        summary.add("retried", retried)
        summary.add("requests", requests)
        summary.add("halved", halved)
        for kind in Trouble.Kind.allCases { summary.add(kind.rawValue, troubles[kind] ?? 0) }
        return summary
    }
}

/// SplitMix64: S. Vigna, https://prng.di.unimi.it/splitmix64.c
struct SplitMix {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next(below bound: Int64) -> Int64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int64((mixed ^ (mixed >> 31)) % UInt64(bound))
    }
}
