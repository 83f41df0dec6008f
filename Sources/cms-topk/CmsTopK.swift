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
            a window closes when the watermark passes its end: that of the stream, if it has barriers that carry one, or \
            else the latest time less --grace. A line whose windows have closed is late: it is counted as such, and not \
            in a list. With --emit partials nothing is late, since another partial of the window takes it in.
            """,
            """
            With --hop, partials are those of the hops, each put out once. --memory is shared out between all windows \
            that may be open at once; where that is more than four, the sketch becomes smaller.
            """,
            """
            With --window-field lines carry the label of their window, as this tool and the others print it, and each \
            window's list is printed once, when it is complete. In a stream with barriers the windows that are not are \
            kept over them: they come back as state, which is the input itself (kcat-in --restore). With --hop the \
            labels are those of hops, as --emit partials prints them.
            """,
        ],
        examples: [
            .init("tokenize -w -l < text | cms-topk -k 20", "The twenty most frequent words of a text."),
            .init(
                "cat *.partials | merge-counts | cms-topk --counts",
                "The top ten of several inputs, each counted with cms-topk --emit partials."),
            .init(
                "cms-topk --window 1d --zone Europe/Berlin --time-field 1 --time-format clf < log",
                "The top ten of each day in Berlin, by the times of an access log."),
        ],
        options: TopKOptions.all + CommonOptions.all)

    static func main() {
        FilterTool.main(command, late: WindowOptions.late) { (arguments) throws(Failure) in
            let settings = try TopKOptions.settings(arguments)
            do throws(TopKSettings.Problem) { return try TopK(settings) } catch {
                throw Failure(.usage, error.description)
            }
        }
    }
}
