import Filters
import ToolRuntime

@main
enum TopKTool {
    static let command = Command(
        name: "cms-topk",
        summary: "Prints the most frequent lines of its input, in bounded memory.",
        details: [
            """
            Each line printed is a key, a TAB and its count, the largest count first, equal counts in the order of the \
            keys' bytes. Counts are exact while the distinct lines fit into --memory. Beyond that the rarest go into a \
            count-min sketch: then the count printed is never below the true one, and --summary says how far it may be \
            above, and whether the list is certainly the right one ("certified").
            """,
            """
            --emit partials prints all that is held as count lines (keys, and the cells of the sketch under keys that begin \
            with #cms-topk:). Partials of any parts of an input, summed by key and read with --counts, give the same \
            answer as one run over all of it. --memory, --epsilon, --delta and --seed have to be the same.
            """,
            """
            With --window, --hop or --every each line printed begins with its window: the start of it (RFC 3339, UTC), or \
            the number of its first line. The time is that of processing, or with --time-field that of the lines; then \
            a window closes when a line comes that is --grace later than its end. With --hop, partials are those of the \
            hops, each put out once. --memory is shared out between all windows that may be open at once; where that \
            is more than four, the sketch becomes smaller.
            """,
        ],
        examples: [
            .init("tokenize -w -l < text | cms-topk -k 20", "The twenty most frequent words of a text."),
            .init(
                "cat *.partials | merge-counts | cms-topk --counts",
                "The top ten of several inputs, each counted with cms-topk --emit partials."),
        ],
        options: TopKOptions.all + CommonOptions.all)

    static func main() {
        FilterTool.main(command, late: TopKOptions.late) { (arguments) throws(Failure) in
            let settings = try TopKOptions.settings(arguments)
            do throws(TopKSettings.Problem) { return try TopK(settings) } catch {
                throw Failure(.usage, error.description)
            }
        }
    }
}
