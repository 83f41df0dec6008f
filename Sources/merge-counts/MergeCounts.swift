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
    static let window = Option.duration("window", help: "With --keep: how long the windows are, such as 10s.")
    static let windowField = Option.integer(
        "window-field", in: 1...Int.max, default: 1, help: "With --keep: field N is the label of the line's window.")
    static let keep = Option.duration(
        "keep", help: "With --updates: forget the totals of a window so long after its end; later lines of it are late."
    )
    static let zone = Option.text(
        "zone", nil, "NAME", help: "With --keep: windows are days or weeks of a time zone, such as Europe/Berlin.")
    static let maxAhead = Option.duration(
        "max-ahead", default: 3_600_000,
        help: "With --keep: a label that is further ahead of the clock than this forgets no window; default 1h.")
    static let late = Option.file("late", help: "With --keep: write lines of windows that are forgotten to FILE.")
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
            """
            Totals of windows need not be kept for ever: with --keep those of a window are forgotten when the watermark \
            has passed its end by so much. The watermark is that of the stream, if its barriers carry one, or else the \
            latest label. What comes later for such a window is late: it is counted as such, and not added.
            """,
        ],
        examples: [
            .init("cat counts-*.tsv | merge-counts", "Sum files of counts."),
            .init("cms-topk --emit partials < words | merge-counts | cms-topk --counts -k 20", "Merge partial counts."),
            .init("tail -f counts | merge-counts --updates --every 1s", "Print each total again as it changes."),
            .init(
                "merge-counts --updates --window 10s --window-field 1 --keep 1h < partials",
                "Totals of windows, which are forgotten an hour after their end."),
        ],
        options: [top, updates, every, window, windowField, keep, zone, maxAhead, late, sorted] + CommonOptions.all)

    static func main() {
        FilterTool.main(command, late: late) { arguments throws(Failure) in
            MergeCounts(try mode(arguments), keeping: try retention(arguments))
        }
    }

    static func retention(_ arguments: Arguments) throws(Failure) -> Retention? {
        guard let keep = arguments[keep] else {
            let given: [any OptionRow] = [window, windowField, zone, maxAhead, late]
            if let name = given.first(where: { arguments.has($0) })?.name {
                throw Failure(.usage, "--\(name) needs --keep")
            }
            return nil
        }
        guard arguments[updates] else { throw Failure(.usage, "--keep needs --updates") }
        guard let size = arguments[window] else { throw Failure(.usage, "--keep needs --window") }
        guard arguments.has(windowField) else { throw Failure(.usage, "--keep needs --window-field") }
        let zone = try zone(arguments)
        let shape: WindowShape
        do throws(WindowShape.Problem) {
            shape = zone == nil ? try WindowShape(labelsOf: size) : try WindowShape(size: size, zone: zone)
        } catch { throw Failure(.usage, error.description) }
        let label = EventTime(field: arguments[windowField], format: nil, maxAhead: arguments[maxAhead])
        return Retention(shape, label: label, keep: keep)
    }

    private static func zone(_ arguments: Arguments) throws(Failure) -> Zone? {
        guard let name = arguments[zone] else { return nil }
        guard let zone = Zone(file: try TimeZoneFile.read(name)) else {
            throw Failure(.cannotOpenInput, "the file of the time zone \"\(name)\" cannot be understood")
        }
        return zone
    }

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
