import Filters
import ToolRuntime

@main
enum MergeCountsTool {
    static let top = Option.integer(
        "top", "k", default: 0,
        help: "Print the N largest totals, largest first; 0: all in this order. Default: all, sorted by key.")
    static let updates = Option.flag(
        "updates", help: "Print the new total of each key that came, at each barrier and at the end; keep the totals.")
    static let every = Option.interval(
        "every", help: "With --updates: print also every N lines, or TIME after the first line since the last print.")
    static let sorted = Option.flag(
        "sorted", help: "The input is sorted by key, byte by byte (LC_ALL=C): hold one key at a time.")

    static let command = Command(
        name: "merge-counts",
        summary: "Sums count lines by key.",
        details: [
            """
            A count line is KEY TAB COUNT. The count is the last field, a signed 64-bit number, and the key is all before \
            it, TABs included. A total that passes 64 bits is an error of the line that does it.
            """,
            """
            Totals come out sorted by key, byte by byte, whatever the order of the input. Memory grows with the number of \
            different keys: up to 130 bytes for each, and the length of keys longer than 15 bytes. --sorted needs none \
            of it: it takes what `LC_ALL=C sort -t "$(printf '\\t')" -k1,1` or this tool put out.
            """,
            """
            In a stream with barriers the totals of each epoch are printed at its end, and the next starts from zero. With \
            --updates they are kept, and lines between the barriers `restore` and `restored` are totals themselves, which \
            replace what was held: the last one of each key counts, and none is printed.
            """,
        ],
        examples: [
            .init("cat counts-*.tsv | merge-counts", "Sum files of counts."),
            .init("cms-topk --emit partials < words | merge-counts | cms-topk --counts -k 20", "Merge partial counts."),
            .init("tail -f counts | merge-counts --updates --every 1s", "Print each total again as it changes."),
        ],
        options: [top, updates, every, sorted] + CommonOptions.all)

    static func main() { FilterTool.main(command) { arguments throws(Failure) in MergeCounts(try mode(arguments)) } }

    static func mode(_ arguments: Arguments) throws(Failure) -> MergeCounts.Mode {
        let (isTop, isUpdates, isSorted) = (arguments.has(top), arguments[updates], arguments[sorted])
        if isTop && isUpdates { throw Failure(.usage, "--top and --updates do not go together") }
        if isSorted && (isTop || isUpdates) {
            throw Failure(.usage, "--sorted and --\(isTop ? "top" : "updates") do not go together")
        }
        if arguments.has(every) && !isUpdates { throw Failure(.usage, "--every needs --updates") }
        if isUpdates { return .updates(every: arguments[every]) }
        return isSorted ? .sorted : .totals(top: isTop ? arguments[top] : nil)
    }
}
