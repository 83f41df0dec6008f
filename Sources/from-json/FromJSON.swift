import JSONFilters
import ToolRuntime

@main
enum FromJSONTool {
    static let missing = Option.text(
        "missing", nil, "WORD|skip|reject",
        help:
            "What a null or missing value gives: this word (by default an empty field); skip leaves the line out; reject "
            + "takes it as malformed.")
    static let each = Option.text(
        "each", nil, "PATH",
        help: "Print a line for each element of this array; paths that begin with PATH lead into the element.")
    static let escape = Option.flag(
        "escape",
        help: "Write TAB, LF, CR and backslash of a string as \\t, \\n, \\r and \\\\, as to-json --unescape reads them."
    )
    static let strict = Option.flag(
        "strict", help: "Check every byte of each line, also where no PATH leads.")

    static let command = Command(
        name: "from-json",
        summary: "Prints values of each JSON line as TAB-separated fields.",
        details: [
            "Each line must be one JSON object. PATH is names and array indexes joined by dots; or, where it begins with a "
                + "slash, a JSON Pointer (RFC 6901), for names with dots. The path . is the whole object.",
            "Strings are printed without quotes and with their escapes undone, numbers byte for byte as they were written, "
                + "objects and arrays as compact JSON. A string that holds TAB or LF is malformed without --escape, and so "
                + "is half of a surrogate pair.",
            "TYPE is int, number, string, bool, time (an RFC 3339 string) or any (the default); any other value is "
                + "malformed. The last colon divides PATH from TYPE. Of members of the same name the first counts.",
            "Without --strict a line's outline is checked, and the values that are asked for: where no PATH leads, that "
                + "strings are closed and that braces and brackets are as many as they must be.",
            "Blank lines are passed over, a CR before the LF is white space, and a byte order mark may begin the input.",
        ],
        operands: "PATH[:TYPE] ...",
        examples: [
            .init(
                "from-json request.path status < events.ndjson | cms-topk",
                "Which pages of a log were asked for most, by status."),
            .init(
                "from-json --each items id items.sku items.price:number < orders.ndjson",
                "A line for each item of each order."),
            .init("from-json logdata < lines.ndjson | from-json user", "JSON inside of a string."),
        ],
        options: [each, missing, escape, strict] + CommonOptions.all)

    static func main() {
        FilterTool.main(command) { (arguments) throws(Failure) in
            do throws(PathFault) {
                var paths: [ValuePath] = []
                for operand in arguments.operands { paths.append(try ValuePath(parsing: operand)) }
                return try FromJSON(
                    paths: paths,
                    each: try arguments[each].map { (text) throws(PathFault) in try ValuePath(parsing: text) },
                    missing: try arguments[missing].map { (text) throws(PathFault) in
                        try FromJSON.Missing(parsing: text)
                    } ?? .empty,
                    escapes: arguments[escape], strict: arguments[strict])
            } catch {
                throw Failure(.usage, error.description)
            }
        }
    }
}
