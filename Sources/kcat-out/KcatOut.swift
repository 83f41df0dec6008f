import Kafka
import ToolRuntime

@main
enum KcatOutTool {
    static let keyFields = Option<FieldList?>(
        "key-fields", "k", "LIST", default: nil, expected: "fields as in cut -f: 1 or 1,3 or 2-4 or 3-",
        help: "The message key: these TAB-separated fields of the line. A key goes to one partition."
    ) {
        FieldList($0).map { .some($0) }
    }
    static let partition = Option.integer(
        "partition", "p", in: 0...Int(Int32.max), default: -1, help: "Send all lines to this partition.")
    static let codec = Option.text(
        "compression", "z", "CODEC", help: "Compress with lz4, zstd, snappy or gzip; default: none.")
    static let timestampField = Option.integer(
        "timestamp-field", in: 1...Int.max, default: 0,
        help:
            "The message timestamp is this field of the line, in milliseconds since 1970; default: the time of sending."
    )
    static let headers = Option.list(
        "header", nil, "NAME=VALUE", help: "Give each message this header; may be given several times.")
    static let with = BridgeOptions.with(
        help:
            "Take these fields off the front of each line and make them the message's own, as kcat-in --with wrote them."
    )
    static let create = Option.integer(
        "create", nil, "PARTITIONS", in: 1...Int(Int32.max), default: 0, help: "Make the topic if it is missing.")
    static let pack = Option.size(
        "pack", in: 1...(1 << 30), default: 0,
        help: "Put the lines of a partition together into messages of up to SIZE bytes.")
    static let endOfStream = Option.flag(
        "eof", help: "At the end write a record to each partition that ends the stream for kcat-in --until-eof.")

    static let onNewPartitions = Option<OnNewPartitions>.choice(
        "on-new-partitions", default: .use,
        help: """
            When partitions are added, keys go to others than before: say so and use them, or end with 78. Lines without a key \
            go to them in any case.
            """)

    enum OnNewPartitions: String, CaseIterable, Sendable { case use, end }

    static let exactlyOnce = Option.flag(
        "exactly-once",
        help: "Take the barriers of kcat-in --exactly-once: each epoch's lines and offsets are one transaction.")
    static let transactionalID = Option.text(
        "transactional-id", nil, "ID",
        help: """
            Write transactions under this name, stable and of this replica only; without --exactly-once all of the input is \
            one: all lines or none.
            """)
    static let watermarkEvery = Option.duration(
        "watermark-every", default: 1000,
        help: "With --exactly-once: write the stream's watermarks into the topic at most so often; default 1s.")

    static let command = Command(
        name: "kcat-out",
        summary: "Sends the lines of its input to a Kafka topic, one message a line.",
        details: [
            """
            The producer is idempotent and waits for all in-sync replicas: a line is written once, in order within its \
            partition, and exit status 0 means that every line was acknowledged. While the broker cannot be reached, \
            kcat-out waits and tries again, for as long as --patience says, and then says which line was the first \
            that was not delivered.
            """,
            """
            With --exactly-once the input comes from kcat-in --exactly-once through filters that pass barriers on. An epoch is \
            committed with the group's offsets, together or not at all. When the input is cut off, the member has lost its \
            partitions or another process has taken the id, the open epoch is given up and the status is 75: start the \
            pipeline again, and it goes on behind the last commit.
            """,
        ],
        examples: [
            .init("cat access.log | kcat-out -b localhost:9092 -t lines", "A file into a topic."),
            .init(
                "tokenize -w < text | kcat-out -t tokens -k 1 --create 4 --eof",
                "Tokens, each word always to the same partition, and the end of the stream."),
            .init(
                """
                kcat-in -t lines -g split --exactly-once | tokenize |
                      kcat-out -t tokens --exactly-once --transactional-id split-1
                """, "A stage that may be killed at any moment."),
        ],
        options: [
            keyFields, partition, codec, timestampField, headers, with, create, pack, onNewPartitions, endOfStream,
            exactlyOnce, transactionalID, watermarkEvery, CommonOptions.reject, CommonOptions.maxLine,
        ] + BridgeOptions.all, exitStatus: BridgeOptions.exitStatus)

    static func main() {
        BridgeTool.main(command) { arguments throws(Failure) in
            var plan = KcatOut.Plan()
            plan.topic = try BridgeOptions.topicName(arguments)
            plan.shape.keyFields = arguments[keyFields]
            plan.shape.partition = arguments.has(partition) ? Int32(arguments[partition]) : nil
            plan.shape.timestampField = arguments.has(timestampField) ? arguments[timestampField] : nil
            for text in arguments[headers] { plan.shape.headers.append(try Header(assignment: text)) }
            plan.shape.with = arguments[with]
            plan.shape.pack = arguments.has(pack) ? arguments[pack] : nil
            plan.shape.endsOnNewPartitions = arguments[onNewPartitions] == .end
            plan.create = arguments.has(create) ? arguments[create] : nil
            plan.writesEndOfStream = arguments[endOfStream]
            plan.isExactlyOnce = arguments[exactlyOnce]
            plan.transactionalID = arguments[transactionalID]
            if plan.isExactlyOnce, plan.transactionalID == nil {
                throw Failure(.usage, "--exactly-once needs --transactional-id: a name that this replica keeps")
            }
            if arguments.has(watermarkEvery), !plan.isExactlyOnce {
                throw Failure(.usage, "--watermark-every needs --exactly-once")
            }
            plan.watermarkEvery = arguments[watermarkEvery] ?? 1000
            plan.maxLine = arguments[CommonOptions.maxLine]
            plan.reject = arguments[CommonOptions.reject]
            plan.patience = arguments[BridgeOptions.patience] ?? 300_000
            plan.wantsSummary = arguments[CommonOptions.summary]
            plan.wantsProgress = arguments[BridgeOptions.progress]
            plan.statistics = Statistics(command.name, arguments)
            var settings = try BridgeOptions.settings(arguments)
            if let codec = arguments[codec] { try settings.add("compression.codec=\(codec)") }
            command.refuseTerminal()
            try KcatOut.run(plan, settings)
        }
    }
}
