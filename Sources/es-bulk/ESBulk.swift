import JSONFilters
import ToolRuntime

@main
enum BulkTool {
    static let index = Option.text(
        "index", nil, "NAME",
        help: "The index; {field} in NAME is a value out of the document, {field:yyyy.MM.dd} a date.")
    static let action = Option.choice(
        "action", default: BulkAction.index, help: "What to do with each document: index (the default) stores it.")
    static let upsert = Option.flag("upsert", help: "With --action update: store a document that is not there yet.")
    static let id = Option.text(
        "id", nil, "FIELD[,FIELD...]",
        help: "Make the _id of these fields, so that a replay overwrites, never duplicates.")
    static let routing = Option.text("routing", nil, "FIELD", help: "Route by the value of this field.")
    static let pipeline = Option.text("pipeline", nil, "NAME", help: "Send documents through this ingest pipeline.")
    static let maxDocuments = Option.integer(
        "max-docs", in: 1...Int.max, default: 1000, help: "The most documents in a batch; default 1000.")
    static let maxBytes = Option.size("max-bytes", default: 10 << 20, help: "The most bytes in a batch; default 10M.")
    static let maxWait = Option.duration(
        "max-wait", default: 1000, help: "The longest a document waits for its batch to fill; default 1s.")
    static let replies = Option.flag(
        "replies", help: "Read bulk responses instead, one a line, and print what became of each item.")
    static let resend = Option.file(
        "resend",
        help: "With --replies: FILE is the batch that was posted; print what of it to send again, and what was refused."
    )
    static let frame = Option.flag(
        "frame", help: "Read batches instead, and print each behind a line with its documents and bytes, for loaders.")

    static let command = Command(
        name: "es-bulk",
        summary: "Turns JSON lines into bulk bodies for Elasticsearch and OpenSearch.",
        details: [
            "Each line must be one JSON object; it is passed on byte for byte behind its action line. A batch is put out "
                + "whole, with an empty line behind it. A document larger than --max-bytes is a batch of its own.",
            "FIELD is a name, or names joined by dots where the field is inside an object; a backslash takes the next "
                + "character as it is. A field that is named must be there, once, and be a string, a number, true or false.",
            "A single FIELD of --id is the _id as it is. Several are joined by commas, with a backslash before each comma "
                + "and backslash in a value. A number counts as its text. An _id of more than 512 bytes is replaced by "
                + "xxh3: and its 128-bit XXH3.",
            "Dates are RFC 3339 strings or milliseconds since 1970, written in UTC by the letters yyyy, MM, dd, HH, mm, and "
                + "xxxx and ww for the year and week of the ISO calendar. {{ in NAME stands for a brace.",
            "--replies prints five TAB-separated fields for each item: its position in the batch, from 1; done, retry or "
                + "failed; the status; the _id; the reason. A 409 of a create and a 404 of a delete are done; 429, 502, "
                + "503, 504 and a 409 of an update are to be sent again. Position 0 is the batch as a whole.",
            "--resend reads the one response to FILE. It prints a line of four numbers: the items to send again, the bytes "
                + "of their batch, the items done and those that failed; then that batch, then a line for each that failed: "
                + "the reason, a TAB and the document. An item that is done is sent again where it stands behind one for "
                + "the same _id that is to be sent again.",
            "--frame puts no limit to the documents of a batch, and 100M to its bytes, unless --max-docs or --max-bytes do.",
        ],
        examples: [
            .init(
                "cms-topk < words | to-json token count:int | es-bulk --index words --id token",
                "The most frequent words, each stored under itself."),
            .init(
                "es-bulk --replies < responses | awk '$2 == \"retry\" { print $1 }'",
                "Which documents of a batch to send again, from the server's response."),
        ],
        options: [
            index, action, upsert, id, routing, pipeline, maxDocuments, maxBytes, maxWait, replies, resend, frame,
        ] + CommonOptions.all)

    static func main() {
        if let page = LoaderPages.page(CommandLine.arguments) { return print(page, terminator: "") }
        let given = command.parse()
        if given[replies] {
            if given.has(resend) {
                FilterTool.main(command) { (arguments) throws(Failure) in
                    try refuse(ofBodies + [maxDocuments, maxBytes, frame], with: replies, arguments)
                    return BulkResend(body: try InputFile.read(arguments[resend] ?? ""))
                }
            }
            FilterTool.main(command) { (arguments) throws(Failure) in
                try refuse(ofBodies + [maxDocuments, maxBytes, frame], with: replies, arguments)
                return BulkReplies()
            }
        }
        if given[frame] {
            FilterTool.main(command) { (arguments) throws(Failure) in
                try refuse(ofBodies + [resend], with: frame, arguments)
                return BulkFrames(
                    limits: .init(
                        documents: arguments.has(maxDocuments) ? arguments[maxDocuments] : .max,
                        bytes: arguments.has(maxBytes) ? arguments[maxBytes] : 100 << 20))
            }
        }
        FilterTool.main(command) { (arguments) throws(Failure) in
            if arguments.has(resend) { throw Failure(.usage, "--resend needs --replies") }
            return try bulk(arguments)
        }
    }

    /// The options that say how a body is made.
    static let ofBodies: [any OptionRow] = [index, action, upsert, id, routing, pipeline, maxWait]

    static func refuse(
        _ rows: [any OptionRow], with mode: Option<Bool>, _ arguments: Arguments
    ) throws(Failure) {
        for row in rows where arguments.has(row) {
            throw Failure(.usage, "--\(row.name) does not go with --\(mode.name)")
        }
    }

    static func bulk(_ arguments: Arguments) throws(Failure) -> Bulk {
        do throws(BulkUsage) {
            let request = try BulkRequest(
                arguments[action],
                index: try arguments[index].map { (text) throws(BulkUsage) in try IndexName(parsing: text) },
                id: try arguments[id].map { (text) throws(BulkUsage) in try FieldPath.list(parsing: text) } ?? [],
                routing: try arguments[routing].map { (text) throws(BulkUsage) in try FieldPath(parsing: text) },
                pipeline: arguments[pipeline], upserts: arguments[upsert])
            return Bulk(
                request,
                limits: .init(
                    documents: arguments[maxDocuments], bytes: arguments[maxBytes],
                    milliseconds: arguments[maxWait] ?? .max))
        } catch {
            throw Failure(.usage, error.description)
        }
    }
}
