/// How a bridge ends, when it does not end well: the kinds that an exit status tells apart, and the words.
package struct Ending: Error, Equatable {
    package enum Kind: Equatable {
        /// Data that no broker takes (65).
        case malformed
        /// No broker, no such topic, or data that are gone (69).
        case unavailable
        /// (70)
        case internalError
        /// Standard output could not keep what it was given (74).
        case inputOutput
        /// Fenced, aborted or reassigned: the whole pipeline may be started again (75).
        case tryAgain
        /// (77)
        case notPermitted
        /// A property that a broker or librdkafka refuses (78).
        case configuration
    }

    package let kind: Kind
    package let message: String

    package init(_ kind: Kind, _ message: String) { (self.kind, self.message) = (kind, message) }
}
