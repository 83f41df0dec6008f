/// What pictures are drawn on.
public struct Canvas: Equatable, Sendable {
    public var columns: Int
    /// nil: as many as there are bars.
    public var rows: Int?
    /// Whether a picture can be drawn over the one before.
    public var isLive: Bool
    public var hasColor: Bool
    /// Whether it shows block characters; else bars are of number signs.
    public var hasBlocks: Bool

    public init(
        columns: Int = 80, rows: Int? = nil, isLive: Bool = false, hasColor: Bool = false, hasBlocks: Bool = true
    ) {
        self.columns = columns
        self.rows = rows
        self.isLive = isLive
        self.hasColor = hasColor
        self.hasBlocks = hasBlocks
    }
}

/// A line for the window, and one for each key: the key, its count, and a bar.
struct Picture {
    private let canvas: Canvas
    private(set) var bytes: [UInt8] = []
    private(set) var lineCount = 0

    init(_ canvas: Canvas) { self.canvas = canvas }

    /// Draws over the lines of the picture before.
    mutating func goBack(_ lines: Int) {
        if canvas.isLive, lines > 0 { add("\u{1B}[\(lines)A\r\u{1B}[J") }
    }

    mutating func draw(_ window: [UInt8]?, _ entries: [(key: [UInt8], count: Int64)]) {
        // A terminal that is full to its last column may go on in the next line.
        let columns = max(1, canvas.columns - (canvas.isLive ? 1 : 0))
        let cut = canvas.hasBlocks ? "…" : "~"
        if let window { addLine(colored("1", PlainText(window).fitted(to: columns, cut: cut).text)) }
        let keys = entries.map { PlainText($0.key) }
        let keyWidth = min(keys.map(\.width).max() ?? 0, max(8, columns * 2 / 5))
        let counts = entries.map { String($0.count) }
        let countWidth = counts.map(\.utf8.count).max() ?? 0
        let room = max(1, columns - keyWidth - countWidth - 2)
        let most = max(1, entries.map(\.count).max() ?? 1)
        for (index, key) in keys.enumerated() {
            let key = key.fitted(to: keyWidth, cut: cut)
            let padding = String(
                repeating: " ", count: keyWidth - key.width + 1 + countWidth - counts[index].utf8.count)
            let bar = bar(entries[index].count, of: most, room: room)
            addLine(key.text + padding + counts[index] + (bar.isEmpty ? "" : " " + colored("36", bar)))
        }
    }

    /// A bar in proportion to `count`, to an eighth of a character; whatever is more than 0 shows.
    private func bar(_ count: Int64, of most: Int64, room: Int) -> String {
        guard count > 0 else { return "" }
        let share = Double(count) / Double(most) * Double(room)
        guard canvas.hasBlocks else { return String(repeating: "#", count: max(1, Int(share.rounded()))) }
        let eighths = max(1, Int((share * 8).rounded()))
        let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
        return String(repeating: "█", count: eighths / 8) + parts[eighths % 8]
    }

    private func colored(_ code: String, _ text: String) -> String {
        canvas.hasColor ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }

    private mutating func addLine(_ text: String) {
        add(text)
        add("\n")
        lineCount += 1
    }

    private mutating func add(_ text: String) { bytes += text.utf8 }
}
