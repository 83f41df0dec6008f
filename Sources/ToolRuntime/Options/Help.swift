extension Command {
    var usage: String { "usage: \(name) [OPTION]..." + (operands.map { " " + $0 } ?? "") }

    /// What is shown on a terminal when there is nothing to read.
    var shortHelp: String { "\(usage) < FILE\n\(summary)\nTry '\(name) --help'.\n" }

    /// What `--help` prints.
    public var help: String {
        var text = "\(usage)\n\n\(summary)\n\nExamples:\n"
        for example in examples {
            let command = Self.pipelineLines(example.command).joined(separator: "\n    ")
            text += "  \(command)\n      \(example.explanation)\n"
        }
        text += "\nOptions:\n"
        for row in table {
            let title =
                (row.short.map { "  -\($0), " } ?? "      ") + "--\(row.name)"
                + (row.placeholder.map { " \($0)" } ?? "")
            let lines = Self.wrap(row.help, width: 80 - 28)
            let joins = title.count < 27
            text += joins ? title + String(repeating: " ", count: 28 - title.count) + lines[0] + "\n" : title + "\n"
            for line in joins ? lines.dropFirst() : lines[...] {
                text += String(repeating: " ", count: 28) + line + "\n"
            }
        }
        for paragraph in details { text += "\n" + Self.wrap(paragraph, width: 80).joined(separator: "\n") + "\n" }
        return text + "\nExit status:\n  " + Self.wrap(Self.exitStatus, width: 78).joined(separator: "\n  ") + "\n"
    }

    static let exitStatus = """
        0 all read and written; 64 usage; 65 malformed data; 66 cannot open an input file; 70 internal error; \
        74 read or write failed. A signal kills the tool by that signal.
        """

    /// A pipeline, broken behind a `|` where it is too long, so that it can still be copied into a shell.
    static func pipelineLines(_ command: String) -> [String] {
        var lines = [""]
        for stage in command.split(separator: " | ").map(String.init) {
            if lines[lines.count - 1].isEmpty {
                lines[lines.count - 1] = stage
            } else if lines[lines.count - 1].count + 5 + stage.count <= 76 {
                lines[lines.count - 1] += " | " + stage
            } else {
                lines[lines.count - 1] += " |"
                lines.append(stage)
            }
        }
        return lines
    }

    static func wrap(_ text: String, width: Int) -> [String] {
        var lines = [""]
        for word in text.split(separator: " ") {
            if !lines[lines.count - 1].isEmpty, lines[lines.count - 1].count + 1 + word.count > width {
                lines.append("")
            }
            lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + word
        }
        return lines
    }
}
