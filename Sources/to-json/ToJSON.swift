import JSONFilters
import ToolRuntime

@main
enum ToJSONTool {
    static let constants = Option.list(
        "set", nil, "NAME[:TYPE]=VALUE", help: "Add this member, the same in every object; may be given several times.")
    static let invalid = Option.choice(
        "invalid", default: ToJSON.InvalidText.replace,
        help: "What becomes of text that is not UTF-8: replace by U+FFFD (the default), or fail as malformed.")

    static let unescape = Option.flag(
        "unescape",
        help:
            "In string columns read \\t, \\n, \\r and \\\\ as TAB, LF, CR and backslash, as from-json --escape writes them."
    )

    static let command = Command(
        name: "to-json",
        summary: "Prints each line of TAB-separated fields as a JSON object.",
        details: [
            "The columns name the fields of a line, in order. TYPE is string (the default), int, number, bool or json. "
                + "Numbers and JSON values are checked and then written as they are, byte for byte.",
            "A question mark at the end makes a column optional: an empty field is null, and the fields of optional columns "
                + "may be missing at the end of a line, and are then left out of the object. Any other line with too few "
                + "or too many fields is malformed.",
            "A NAME with dots makes objects: user.name user.age. The columns of one object stand together. A name that has "
                + "a dot of its own is written as a JSON Pointer (RFC 6901), which begins with a slash: /user.name.",
            "The last colon divides NAME from TYPE, so a name with a colon is written with its type: a:b:string.",
        ],
        operands: "NAME[:TYPE][?] ...",
        examples: [
            .init("tokenize < text | cms-topk | to-json token count:int", "The most frequent words of a text as JSON."),
            .init(
                "to-json time user? bytes:int --set host=web1 < log.tsv",
                "A log with a field that may be empty, and a constant."),
        ],
        options: [constants, invalid, unescape] + CommonOptions.all)

    static func main() {
        FilterTool.main(command) { (arguments) throws(Failure) in
            do throws(DeclarationFault) {
                var columns: [Column] = []
                for operand in arguments.operands { columns.append(try Column(parsing: operand)) }
                var added: [Constant] = []
                for text in arguments[constants] { added.append(try Constant(parsing: text)) }
                return try ToJSON(
                    columns: columns, constants: added, invalid: arguments[invalid],
                    unescapes: arguments[unescape])
            } catch {
                throw Failure(.usage, error.description)
            }
        }
    }
}
