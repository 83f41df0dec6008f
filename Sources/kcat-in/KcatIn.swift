import Kafka
import ToolRuntime

@main
enum KcatInTool {
    static let group = Option.text(
        "group", "g", "GROUP",
        help: "Read as a member of GROUP and commit; without it: all partitions, nothing committed.")
    static let start = Option<StartOffset>(
        "offset", "o", "WHERE", default: .stored, expected: "beginning, end, stored, N, -N or @MILLISECONDS",
        help: """
            Where to begin: beginning, end, stored, the offset N, N before the end, or the first message at a time. In a group \
            this holds for partitions of which the group has committed nothing.
            """
    ) { StartOffset($0) }
    static let partitions = Option<[Int32]?>(
        "partitions", "p", "LIST", default: nil, expected: "partition numbers such as 0,2",
        help: "Read only these partitions."
    ) { text in
        let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Int32($0) }
        let known = numbers.compactMap { $0 }
        return known.count == numbers.count && known.allSatisfy { $0 >= 0 } && Set(known).count == known.count
            ? .some(known) : nil
    }
    static let untilEnd = Option.flag("until-end", help: "End at what is the end of the topic now.")
    static let untilEndOfStream = Option<Int?>(
        "until-eof", nil, "WRITERS", default: nil, expected: "how many writers there are", valueIfOmitted: "1",
        help: """
            End when each partition has had the end-of-stream record of so many writers (kcat-out --eof); fail if the input \
            of one of them had failed.
            """
    ) { Int($0).flatMap { $0 > 0 ? .some($0) : nil } }
    static let limit = Option.integer("count", "c", in: 1...Int.max, default: Int.max, help: "End after N lines.")
    static let with = BridgeOptions.with(help: "Put these in front of each line, each with a TAB.")
    static let embeddedLF = Option<ReadPlan.EmbeddedLF>.choice(
        "embedded-lf", default: .split,
        help:
            "What a message with line ends in it becomes: several lines, one line with \\n and \\\\ for LF and \\, or an error."
    )
    static let exactlyOnce = Option.flag(
        "exactly-once", help: "Write barriers, by which kcat-out --exactly-once commits lines and offsets together.")
    static let epoch = Option.duration(
        "epoch", default: 1000, help: "How often a barrier ends an epoch (1s).")
    static let ack = Option.file(
        "ack", help: "Write barriers, and commit an epoch when its number comes out of the FIFO FILE.")
    static let restore = Option.text(
        "restore", nil, "TOPIC",
        help: "First write the totals that TOPIC holds in the same partitions, for merge-counts --updates.")

    static let onGap = Option<OnGap>.choice(
        "on-gap", default: .fail,
        help: "Where messages are gone that were to be read: end with 69, or say so and skip to the next that is there."
    )

    enum OnGap: String, CaseIterable, Sendable { case fail, skip }

    static let command = Command(
        name: "kcat-in",
        summary: "Prints the messages of a Kafka topic, one a line.",
        details: [
            """
            In a group, an offset is committed when standard output has accepted the line, never before: what kills \
            kcat-in repeats lines to its successor at worst, and loses none. While standard output is blocked, the \
            membership is kept alive. With --until-end or --until-eof a member stays until all partitions are done, whoever \
            reads them. With --with, TAB, LF, CR and \\ in a key or header are written \\t, \\n, \\r and \\\\, \
            and a missing key \\N.
            """,
            """
            With --exactly-once barriers cut the lines into epochs. Filters put out at a barrier all that they owe and pass it \
            on; kcat-out --exactly-once commits each epoch with its offsets. Partitions are given back, and kcat-in ends (at a \
            signal, too), when all epochs are committed; status 75 says that some were not, and that the pipeline is to be \
            started again. For sinks outside Kafka --ack takes the numbers of the epochs that are done, one a line: at least \
            once.
            """,
        ],
        examples: [
            .init(
                "kcat-in -b localhost:9092 -t lines --until-end | tokenize | cms-topk", "A topic as a file: to its end."
            ),
            .init(
                "kcat-in -t tokens -g count | cms-topk --window 10s | kcat-out -t top", "A stage of a distributed pipe."
            ),
        ],
        options: [
            group, start, partitions, untilEnd, untilEndOfStream, limit, with, embeddedLF, onGap, exactlyOnce, epoch,
            ack,
            restore,
        ] + TimeOptions.all + BridgeOptions.all,
        exitStatus: BridgeOptions.exitStatus)

    static func main() {
        BridgeTool.main(command) { arguments throws(Failure) in
            var plan = ReadPlan()
            plan.topic = try BridgeOptions.topicName(arguments)
            plan.group = arguments[group]
            plan.start = arguments[start]
            plan.partitions = arguments[partitions]
            if plan.group != nil, plan.partitions != nil {
                throw Failure(.usage, "--partitions and --group exclude each other: a group deals out the partitions")
            }
            plan.untilEnd = arguments[untilEnd]
            plan.untilEndOfStream = arguments[untilEndOfStream]
            plan.limit = arguments.has(limit) ? arguments[limit] : nil
            plan.with = arguments[with]
            plan.embeddedLF = arguments[embeddedLF]
            if arguments[exactlyOnce] || arguments[ack] != nil {
                guard plan.group != nil else { throw Failure(.usage, "--exactly-once and --ack commit for a --group") }
                guard plan.limit == nil else {
                    throw Failure(.usage, "--count and barriers exclude each other: a message may hold more lines")
                }
                plan.epochMilliseconds = arguments[epoch]
                plan.ack = arguments[ack]
                plan.restore = arguments[restore]
            } else if arguments[restore] != nil {
                throw Failure(.usage, "--restore needs --exactly-once: state and offsets must fit")
            }
            try TimeOptions.add(to: &plan, arguments)
            plan.skipsGaps = arguments[onGap] == .skip
            plan.patience = arguments[BridgeOptions.patience] ?? 300_000
            plan.wantsSummary = arguments[CommonOptions.summary]
            plan.wantsProgress = arguments[BridgeOptions.progress]
            plan.statistics = Statistics(command.name, arguments)
            try TopicReader(try BridgeOptions.settings(arguments), plan).run()
        }
    }
}
