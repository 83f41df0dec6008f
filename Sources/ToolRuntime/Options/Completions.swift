extension Command {
    /// For bash, without the help of the package bash-completion.
    var bashCompletion: String {
        let function = "_" + String(name.map { $0 == "-" ? "_" : $0 })
        var cases = ""
        for row in table where row.placeholder != nil {
            let names = (row.short.map { "-\($0) | " } ?? "") + "--\(row.name)"
            switch row.completion {
            case .none: cases += "        \(names)) ;;\n"
            case .words(let words): cases += "        \(names)) words='\(words.joined(separator: " "))' ;;\n"
            case .files: cases += "        \(names)) files=yes ;;\n"
            }
        }
        let options = table.flatMap { ($0.short.map { ["-\($0)"] } ?? []) + ["--\($0.name)"] }
        return """
            # Made from the option table: \(name) --generate bash
            \(function)() {
                local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} words= files=
                # In --name=value the sign is a word of its own.
                if [[ $current == = ]]; then
                    current=
                elif [[ $previous == = ]]; then
                    previous=${COMP_WORDS[COMP_CWORD - 2]}
                fi
                case $previous in
            \(cases)        *) words='\(options.joined(separator: " "))' ;;
                esac
                COMPREPLY=()
                if [[ $files ]]; then
                    compopt -o filenames 2>/dev/null
                    mapfile -t COMPREPLY < <(compgen -f -- "$current")
                elif [[ $words ]]; then
                    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
                fi
            }
            complete -F \(function) \(name)

            """
    }

    /// For zsh, to be found as `_TOOL` in a folder of its fpath.
    var zshCompletion: String {
        var specifications: [String] = []
        for row in table {
            let help = Self.shortened(row.help).map { "[]:\\".contains($0) ? "\\\($0)" : String($0) }.joined()
            var value = ""
            if let placeholder = row.placeholder {
                switch row.completion {
                case .none: value = ":\(placeholder): "
                case .words(let words): value = ":\(row.name):(\(words.joined(separator: " ")))"
                case .files: value = ":\(placeholder):_files"
                }
            }
            let hasValue = row.placeholder != nil
            if let short = row.short { specifications.append("*-\(short)\(hasValue ? "+" : "")[\(help)]\(value)") }
            specifications.append("*--\(row.name)\(hasValue ? "=" : "")[\(help)]\(value)")
        }
        if let operands { specifications.append("*:\(operands): ") }
        let quoted = specifications.map {
            "'" + $0.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
        }
        return """
            #compdef \(name)
            # Made from the option table: \(name) --generate zsh
            _arguments -s -S \\
                \(quoted.joined(separator: " \\\n    "))

            """
    }

    /// For fish.
    var fishCompletion: String {
        var lines = ["# Made from the option table: \(name) --generate fish", "complete -c \(name) -f"]
        for row in table {
            let help = Self.shortened(row.help).map { "'\\".contains($0) ? "\\\($0)" : String($0) }.joined()
            var line = "complete -c \(name)" + (row.short.map { " -s \($0)" } ?? "") + " -l \(row.name)"
            if row.placeholder != nil {
                switch row.completion {
                case .none: line += " -x"
                case .words(let words): line += " -x -a '\(words.joined(separator: " "))'"
                case .files: line += " -r -F"
                }
            }
            lines.append(line + " -d '\(help)'")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The first part of an option's help, which fits beside it on a line.
    private static func shortened(_ help: String) -> String {
        var text = ""
        for word in help.split(separator: " ") {
            text += (text.isEmpty ? "" : " ") + word
            if word.hasSuffix(".") || word.hasSuffix(";") || word.hasSuffix(":") { return String(text.dropLast()) }
        }
        return text
    }
}
