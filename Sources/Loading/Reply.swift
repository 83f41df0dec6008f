/// What came of a request.
public enum Reply: Equatable, Sendable {
    /// - Parameter retryAfter: seconds that the server asks for; 0: it does not ask.
    case answered(status: Int, retryAfter: Int, body: [UInt8])
    /// No connection, none any more, no whole answer, or not in time: whatever the client says of it.
    case lost(String)
}

/// Why something has to be sent again.
struct Trouble: Equatable {
    enum Kind: String, CaseIterable {
        /// The server has no room just now: 429.
        case busy
        /// Nobody there who could do it: 502, 503 and their like.
        case unavailable
        /// Read-only, by somebody's order or because a disk is full.
        case blocked
        /// No reply.
        case lost
        /// A reply that is not one: it counts as none.
        case unreadable
        /// An error of the server that may be the document's.
        case doubtful
        /// Another update of the same document came between.
        case conflict
    }

    var kind: Kind
    var reason: String
    /// Seconds.
    var retryAfter = 0
}
