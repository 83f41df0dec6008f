import Filters
import ToolRuntime

@main
enum BarsTool {
    static let top = Option.integer(
        "top", "k", in: 1...Int.max, default: 1,
        help: "Draw the N largest; default: all, or as many as the terminal has room.")

    static let command = Command(
        name: "bars",
        summary: "Draws count lines as bars, live on a terminal.",
        details: [
            """
            A line is KEY TAB COUNT, or WINDOW TAB KEY TAB COUNT where it has more than two fields. The largest count comes \
            first; a count that comes again for a key takes the place of the one before. With the next window a new \
            picture begins.
            """,
            """
            On a terminal pictures are drawn one over the other, in colour unless the variable NO_COLOR is set; elsewhere \
            they come one after the other, each when it is complete. The width is that of the terminal or the variable \
            COLUMNS, else 80; bars are of # where the locale is not UTF-8. Control characters in keys, and bytes that \
            are not UTF-8, are shown as escapes.
            """,
        ],
        examples: [
            .init(
                "tail -f access.log | tokenize | cms-topk --window 1s -k 20 | bars",
                "The most frequent words of each second."),
            .init("merge-counts --updates --every 1s < counts | bars -k 10", "The ten largest totals as they grow."),
        ],
        options: [top] + CommonOptions.all)

    static func main() {
        FilterTool.main(command) { (arguments) throws(Failure) in
            let (isLive, hasColor, hasBlocks) = (Terminal.isLive, Terminal.hasColor, Terminal.isUTF8)
            return Bars(top: arguments.has(top) ? arguments[top] : nil) {
                let size = Terminal.size
                return Canvas(
                    columns: size.columns ?? 80, rows: isLive ? size.rows ?? 24 : nil, isLive: isLive,
                    hasColor: hasColor,
                    hasBlocks: hasBlocks)
            }
        }
    }
}
