import Glibc

/// What there is to know of where standard output goes, for pictures.
public enum Terminal {
    /// Whether standard output is a terminal that can move its cursor.
    public static var isLive: Bool { Descriptor.standardOutput.isTerminal && variable("TERM") ?? "dumb" != "dumb" }

    /// Whether colours are wanted there (https://no-color.org).
    public static var hasColor: Bool { isLive && (variable("NO_COLOR") ?? "").isEmpty }

    /// Whether text is UTF-8, as far as the locale says.
    public static var isUTF8: Bool {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].compactMap(variable).first { !$0.isEmpty } ?? ""
        return locale.uppercased().contains("UTF-8") || locale.uppercased().contains("UTF8")
    }

    /// Columns and rows: the variables say, or else the terminal; nil where neither does.
    public static var size: (columns: Int?, rows: Int?) {
        var size = winsize()
        let isKnown = ioctl(1, UInt(TIOCGWINSZ), &size) == 0
        func number(_ name: String, _ ofTerminal: UInt16) -> Int? {
            variable(name).flatMap(Int.init).flatMap { $0 > 0 ? $0 : nil }
                ?? (isKnown && ofTerminal > 0 ? Int(ofTerminal) : nil)
        }
        return (number("COLUMNS", size.ws_col), number("LINES", size.ws_row))
    }

    private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
