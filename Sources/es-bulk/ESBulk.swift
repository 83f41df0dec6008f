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
    static let idOut = Option.flag("id-out", help: "Leave the fields of --id out of the document.")
    static let versionField = Option.text(
        "version-field", nil, "FIELD",
        help: "The document's version, a whole number: the server keeps the highest, whatever comes late or twice.")
    static let versionType = Option.choice(
        "version-type", default: BulkVersion.Kind.externalOrSame,
        help: "With --version-field: external_gte (the default) takes the same version again; external does not.")
    static let routing = Option.text("routing", nil, "FIELD", help: "Route by the value of this field.")
    static let pipeline = Option.text("pipeline", nil, "NAME", help: "Send documents through this ingest pipeline.")
    static let maxDocuments = Option.integer(
        "max-docs", in: 1...Int.max, default: 1000, help: "The most documents in a batch; default 1000.")
    static let maxBytes = Option.size("max-bytes", default: 10 << 20, help: "The most bytes in a batch; default 10M.")
    static let maxWait = Option.duration(
        "max-wait", default: 1000, help: "The longest a document waits for its batch to fill; default 1s.")
    static let replies = Option.flag(
        "replies", help: "Read bulk responses instead, one a line, and print what became of each item.")
    static let command = Command(
        name: "es-bulk",
        summary: "Turns JSON lines into bulk bodies for Elasticsearch and OpenSearch.",
        details: [
            "Each line must be one JSON object, or blank, and is then skipped; it is passed on byte for byte behind its action line. A batch is put out "
                + "whole, with an empty line behind it. A document larger than --max-bytes is a batch of its own.",
            "FIELD is a name, or names joined by dots where the field is inside an object; a backslash takes the next "
                + "character as it is. A field that is named must be there, once, and be a string, a number, true or false.",
            "A single FIELD of --id is the _id as it is. Several are joined by commas, with a backslash before each comma "
                + "and backslash in a value. A number counts as its text. An _id of more than 512 bytes is replaced by "
                + "xxh3: and its 128-bit XXH3.",
            "Dates are RFC 3339 strings or milliseconds since 1970, written in UTC by the letters yyyy, MM, dd, HH, mm, and "
                + "xxxx and ww for the year and week of the ISO calendar. {{ in NAME stands for a brace.",
            "--replies prints five TAB-separated fields for each item: its position in the batch, from 1; done, retry, "
                + "failed or halt; the status; the _id; the reason. A 409 of a create and a 404 of a delete are done; 429, "
                + "errors of the server and a 409 of an update are to be sent again; halt is about the index, not the "
                + "document. Position 0 is the batch as a whole.",
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
            index, action, upsert, id, idOut, versionField, versionType, routing, pipeline, maxDocuments, maxBytes,
            maxWait, replies,
        ] + CommonOptions.all)

    static func main() {
        if command.parse()[replies] {
            FilterTool.main(command) { (arguments) throws(Failure) in
                for row in ofBodies where arguments.has(row) {
                    throw Failure(.usage, "--\(row.name) does not go with --replies")
                }
                return BulkReplies()
            }
        }
        FilterTool.main(command) { (arguments) throws(Failure) in
            try bulk(arguments)
        }
    }

    /// The options that say how a body is made.
    static let ofBodies: [any OptionRow] = [
        index, action, upsert, id, idOut, versionField, versionType, routing, pipeline, maxDocuments, maxBytes, maxWait,
    ]

    static func bulk(_ arguments: Arguments) throws(Failure) -> Bulk {
        if arguments.has(versionType), !arguments.has(versionField) {
            throw Failure(.usage, "--version-type needs --version-field")
        }
        do throws(BulkUsage) {
            let request = try BulkRequest(
                arguments[action],
                index: try arguments[index].map { (text) throws(BulkUsage) in try IndexName(parsing: text) },
                id: try arguments[id].map { (text) throws(BulkUsage) in try FieldPath.list(parsing: text) } ?? [],
                routing: try arguments[routing].map { (text) throws(BulkUsage) in try FieldPath(parsing: text) },
                pipeline: arguments[pipeline],
                version: try arguments[versionField].map { (text) throws(BulkUsage) in
                    BulkVersion(try FieldPath(parsing: text), arguments[versionType])
                }, upserts: arguments[upsert], leavesIDOut: arguments[idOut])
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
