/// An error of a broker, or of librdkafka itself where negative, by its number. The protocol guide of Apache Kafka lists the
/// former, `rdkafka.h` the latter.
package struct ErrorCode: RawRepresentable, Hashable, Sendable {
    package let rawValue: Int32

    package init(rawValue: Int32) { self.rawValue = rawValue }
    package init(_ number: Int32) { rawValue = number }

    package static let timedOut = ErrorCode(-185)
    package static let transport = ErrorCode(-195)
    package static let allBrokersDown = ErrorCode(-187)
    package static let unknownTopic = ErrorCode(3)
    package static let offsetOutOfRange = ErrorCode(1)
    package static let rebalanceInProgress = ErrorCode(27)
    package static let invalidProducerEpoch = ErrorCode(47)
    package static let invalidTransactionTimeout = ErrorCode(50)
    package static let producerFenced = ErrorCode(90)
    package static let fenced = ErrorCode(-144)
    package static let fencedInstance = ErrorCode(82)
    /// Only a login can end it: a broker that has answered before and now breaks off a handshake may be restarting.
    package static let brokenHandshake = ErrorCode(-181)
}

/// What an error means for who waits.
package enum Judgement: Equatable {
    /// The cluster's ordinary day: a leader that moves, a broker that restarts. Waiting helps.
    case passes
    /// No broker knows the topic: true for a moment after it was made, else for good.
    case missing
    /// The offset is not there: deleted, or not written yet.
    case gone
    /// Another has taken our place, or the group has gone on without us.
    case fenced
    /// Waiting cannot help.
    case lasting(Ending.Kind)
}

extension ErrorCode {
    /// - Note: A test walks over all the codes that librdkafka knows and wants each of them here.
    package var judgement: Judgement? { Self.judgements[rawValue] }

    /// What it means; an error that nobody has heard of lasts.
    package var meaning: Judgement { judgement ?? .lasting(.unavailable) }

    /// How to end by it, where it ends a bridge.
    package var kind: Ending.Kind {
        switch meaning {
        case .fenced: .tryAgain
        case .lasting(let kind): kind
        case .passes, .missing, .gone: .unavailable
        }
    }

    /// A topic that no broker knows may have been made a moment ago.
    package static let millisecondsToAppear: Int64 = 30_000

    /// Whether it may still pass when it has lasted so long.
    /// - Parameter patience: how long is waited at most, in milliseconds.
    package func passes(after milliseconds: Int64, patience: Int64) -> Bool {
        switch meaning {
        case .passes: milliseconds < patience
        case .missing: milliseconds < min(patience, Self.millisecondsToAppear)
        case .gone, .fenced, .lasting: false
        }
    }

    private static let judgements: [Int32: Judgement] = {
        var table: [Int32: Judgement] = [:]
        for (numbers, judgement) in rows {
            for number in numbers {
                precondition(table[number] == nil, "error \(number) is judged twice")
                table[number] = judgement
            }
        }
        return table
    }()

    private static let rows: [([Int32], Judgement)] = [
        // librdkafka: no connection, no name, no answer in time, brokers down, a broker that went, no leader, no coordinator,
        // a request under way, metadata under way, an intermediate result, an old answer, a broker's handle that went.
        (
            [
                -195, -193, -192, -187, -185, -184, -183, -182, -180, -178, -177, -167, -166, -164, -163, -158, -153,
                -146, -137,
            ],
            .passes
        ),
        // Brokers: leaders, coordinators and replicas that move, load or are behind, and requests that came in between.
        (
            [
                -1, 2, 5, 6, 7, 8, 9, 11, 13, 14, 15, 16, 19, 20, 41, 51, 55, 56, 60, 70, 71, 72, 74, 75, 77, 78, 79,
                80, 83, 88, 89,
            ],
            .passes
        ),
        ([100, 103, 104, 105, 107, 108, 109, 110, 113, 114, 115, 121, 122, 124, 125, 128, 132], .passes),
        ([3, -188, -190], .missing),
        ([1, -140, -139, -168], .gone),
        // Who has our transactional id, our instance id, our partitions.
        ([-147, -144, -142, 22, 25, 27, 45, 46, 47, 48, 49, 52, 59, 82, 90, 111, 120], .fenced),
        // Logins and rights.
        ([-181, -169, 29, 30, 31, 33, 34, 53, 54, 58, 61, 62, 63, 64, 65, 66, 67, 93, 97], .lasting(.notPermitted)),
        // Settings that a broker or librdkafka refuses.
        (
            [
                -186, -165, -145, 12, 17, 21, 23, 24, 26, 28, 35, 37, 38, 39, 40, 42, 43, 44, 50, 73, 76, 81, 86, 112,
                116, 117, 126, 127,
            ],
            .lasting(.configuration)
        ),
        // Messages that are refused for what they are.
        ([4, 10, 18, 32, 87], .lasting(.malformed)),
        // All else: none of it comes in the bridges' use, and none of it would pass.
        (
            [
                -200, -199, -198, -197, -196, -194, -191, -189, -179, -176, -175, -174, -173, -172, -171, -170, -162,
                -161, -160, -159,
                -157, -156, -155, -154, -152, -151, -150, -149, -148, -143, -141, -138, -136, -100, 36, 57, 68, 69, 84,
                85, 91, 92,
                94, 95, 96, 98,
                99, 101, 102, 106, 118, 119, 123, 129, 130, 131, 133,
            ],
            .lasting(.unavailable)
        ),
    ]
}
