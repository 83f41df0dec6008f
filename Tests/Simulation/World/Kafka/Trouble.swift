/// What Kafka or its client says when something cannot be done, by the numbers of librdkafka's `rdkafka.h`.
enum Trouble: Int32 {
    case transport = -195
    case timedOut = -185
    case messageTimedOut = -192
    case state = -172
    case pollExceeded = -147
    case fenced = -144
    case autoOffsetReset = -140
    case unknown = -1
    case offsetOutOfRange = 1
    case unknownTopic = 3
    case leaderNotAvailable = 5
    case notLeader = 6
    case coordinatorLoading = 14
    case coordinatorNotAvailable = 15
    case notCoordinator = 16
    case notEnoughReplicas = 19
    case illegalGeneration = 22
    case unknownMember = 25
    case rebalanceInProgress = 27
    case invalidProducerEpoch = 47
    case invalidTransactionState = 48
    case concurrentTransactions = 51
    case fencedLeaderEpoch = 74
    case unknownLeaderEpoch = 75
    case offsetNotAvailable = 78
    case fencedInstance = 82
    case unstableOffsets = 88
    case producerFenced = 90

    /// Whether the client tries again by itself.
    var passes: Bool {
        switch self {
        case .transport, .timedOut, .unknownTopic, .leaderNotAvailable, .notLeader, .coordinatorLoading,
            .coordinatorNotAvailable, .notCoordinator, .notEnoughReplicas, .concurrentTransactions, .fencedLeaderEpoch,
            .unknownLeaderEpoch, .offsetNotAvailable:
            true
        default: false
        }
    }
}

typealias Reply<Value> = Result<Value, Refusal>

struct Refusal: Error, Equatable {
    let trouble: Trouble
    init(_ trouble: Trouble) { self.trouble = trouble }
}

extension Result where Failure == Refusal {
    static func refused(_ trouble: Trouble) -> Self { .failure(Refusal(trouble)) }
}
