extension Command {
    /// The other tools, for SEE ALSO.
    private static let family = [
        "bars", "cms-topk", "es-bulk", "es-load", "from-json", "kcat-in", "kcat-out", "merge-counts", "to-json",
        "tokenize",
    ]

    /// The manual page, in the mdoc(7) macros that both groff and mandoc read.
    var manual: String {
        var page = """
            .\\" Made from the option table: \(name) --generate man
            .Dd \(Self.released)
            .Dt \(name.uppercased()) 1
            .Os "Distributed pipes \(Self.version)"
            .Sh NAME
            .Nm \(name)
            .Nd \(Self.lowercasedFirst(Self.roff(summary, dropping: ".")))
            .Sh SYNOPSIS
            .Nm
            .Op Ar option ...

            """
        if let operands { page += ".Ar \(Self.roff(operands))\n" }
        page += ".Sh DESCRIPTION\n" + Self.paragraph(summary)
        for text in details { page += ".Pp\n" + Self.paragraph(text) }
        page += ".Sh OPTIONS\n.Bl -tag -width Ds\n"
        for row in table {
            let value =
                row.placeholder.map { Self.roff($0) }.map { placeholder in
                    row.valueIfOmitted == nil ? " Ar \(placeholder)" : " Ns Oo Ns = Ns Ar \(placeholder) Oc"
                } ?? ""
            let short = row.short.map { "Fl \($0)\(value) , " } ?? ""
            page += ".It \(short)Fl \\-\(Self.roff(row.name))\(value)\n" + Self.paragraph(row.help)
        }
        page += ".El\n.Sh EXIT STATUS\n" + Self.paragraph(exitStatus)
        if !examples.isEmpty { page += ".Sh EXAMPLES\n" }
        for (index, example) in examples.enumerated() {
            page += (index > 0 ? ".Pp\n" : "") + Self.paragraph(example.explanation)
            let command = Self.pipelineLines(example.command).map(Self.line).joined(separator: "\n    ")
            page += ".Bd -literal -offset indent\n\(command)\n.Ed\n"
        }
        let others = Self.family.filter { $0 != name }.map { ".Xr \($0) 1" }
        return page + ".Sh SEE ALSO\n" + others.joined(separator: " ,\n") + "\n"
    }

    /// Each sentence begins a line, as roff wants it to set the space between them.
    private static func paragraph(_ text: String) -> String {
        var sentences = [""]
        for word in text.split(separator: " ") {
            sentences[sentences.count - 1] += word + " "
            if word.hasSuffix(".") { sentences.append("") }
        }
        return sentences.filter { !$0.isEmpty }.flatMap { wrap($0, width: 72) }.map { line($0) + "\n" }.joined()
    }

    /// A line of text: one that begins with a dot or a quote would be a request.
    private static func line(_ text: String) -> String {
        (text.hasPrefix(".") || text.hasPrefix("'") ? "\\&" : "") + roff(text)
    }

    /// Text with what roff would take for its own made literal. A minus that is typed must not be set as a hyphen.
    private static func roff(_ text: String, dropping end: String = "") -> String {
        var text = text[...]
        if text.hasSuffix(end) { text = text.dropLast(end.count) }
        return text.map { character in
            switch character {
            case "\\": "\\e"
            case "-": "\\-"
            case "\"": "\\(dq"
            case "`": "\\(ga"
            case "~": "\\(ti"
            case "^": "\\(ha"
            default: String(character)
            }
        }.joined()
    }

    private static func lowercasedFirst(_ text: String) -> String { text.prefix(1).lowercased() + text.dropFirst() }
}
