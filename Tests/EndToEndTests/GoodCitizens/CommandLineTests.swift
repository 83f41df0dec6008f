import TestSupport
import Testing

/// What the command line alone decides. Help, manual page and completions come from one table; so they must agree.
@Suite struct CommandLineTests {
    @Test(arguments: FilterCase.all)
    func helpNeedsNoInput(_ filter: FilterCase) throws {
        for flag in ["--help", "-h"] {
            let ended = try run([filter.path, flag], input: .closed)
            #expect(ended.ending == .status(0))
            #expect(ended.errorText == "")
            for part in ["usage: \(filter.name) ", "\nExamples:\n  ", "\nOptions:\n", "\nExit status:\n"] {
                #expect(ended.outputText.contains(part))
            }
        }
    }

    @Test(arguments: FilterCase.all)
    func helpFitsATerminalAndHasTwoExamples(_ filter: FilterCase) throws {
        let text = try run([filter.path, "--help"]).outputText
        let parts = text.split(separator: "\nOptions:\n")
        #expect(parts.count == 2)
        // Not the examples: a command that is to be copied stays on its line up to the next |.
        for line in parts[1].split(separator: "\n") { #expect(line.count <= 80) }
        let examples = parts[0].split(separator: "Examples:\n").last ?? ""
        #expect(examples.split(separator: "\n").count >= 4)
    }

    @Test(arguments: FilterCase.all)
    func versionNeedsNoInput(_ filter: FilterCase) throws {
        let ended = try run([filter.path, "--version"], input: .closed)
        #expect(ended.ending == .status(0))
        let words = ended.outputText.split(separator: " ")
        #expect(words.count == 2)
        #expect(words.first.map(String.init) == filter.name)
    }

    @Test(arguments: FilterCase.all)
    func whatItDoesNotKnowIsAnErrorOfUsage(_ filter: FilterCase) throws {
        for flag in ["--no-such-flag", "--no-such=1", "-Z", "--maxline", "--max-lin=1"] {
            let ended = try filter.run([flag], input: .nothing)
            #expect(ended.ending == .status(64))
            #expect(ended.errorText == "\(filter.name): unknown option \(flag) (try '\(filter.name) --help')\n")
            #expect(ended.outputText == "")
        }
    }

    @Test(arguments: FilterCase.all)
    func valuesThatCannotBeTakenAreErrorsOfUsage(_ filter: FilterCase) throws {
        for value in ["0", "-1", "x", "", "1.5", "1T", "99999999999999999999", "9999999999G"] {
            let ended = try filter.run(["--max-line", value], input: .nothing)
            #expect(ended.ending == .status(64))
            #expect(
                ended.errorText == """
                    \(filter.name): --max-line: expected a size such as 65536, 64K, 10M or 1G, not "\(value)" \
                    (try '\(filter.name) --help')

                    """)
        }
        #expect(try filter.run(["--summary=yes"], input: .nothing).ending == .status(64))
        #expect(try filter.run(["--reject"], input: .nothing).ending == .status(64))
    }

    @Test(arguments: FilterCase.all.filter { !["to-json", "from-json"].contains($0.name) })
    func operandsAreRefusedSinceInputComesFromAPipe(_ filter: FilterCase) throws {
        let ended = try filter.run(["file.txt"], input: .nothing)
        #expect(ended.ending == .status(64))
        #expect(ended.errorText.contains("unexpected operand \"file.txt\": input comes from standard input (< FILE)"))
    }

    @Test(arguments: FilterCase.all)
    func whatIsNotUTF8IsNotRepaired(_ filter: FilterCase) throws {
        let ended = try bash(#"\#(filter.shell()) --reject=$'/tmp/a\xffb' </dev/null"#)
        #expect(ended.ending == .status(64))
        #expect(ended.errorText.contains(#"not valid UTF-8: "--reject=/tmp/a\xffb""#))
    }

    @Test(arguments: FilterCase.all)
    func everyOptionOfTheHelpIsInTheManualAndTheCompletions(_ filter: FilterCase) throws {
        let options = try Self.options(filter)
        #expect(options.contains("--reject"))
        let folder = try TemporaryFolder()
        let manual = folder.file("\(filter.name).1")
        try write(try generated("man", filter), to: manual)
        let page = try bash("mandoc -T ascii \(manual) | col -b").outputText
        for kind in ["bash", "zsh", "fish"] {
            let completions = String(decoding: try generated(kind, filter), as: UTF8.self)
            for option in options {
                let found = kind == "fish" ? "-l \(option.dropFirst(2))" : option
                #expect(completions.contains(found), "\(kind)")
            }
        }
        for option in options { #expect(page.contains(option), "man") }
    }

    @Test(arguments: FilterCase.all)
    func theManualPageIsWellFormed(_ filter: FilterCase) throws {
        let folder = try TemporaryFolder()
        try write(try generated("man", filter), to: folder.file("page.1"))
        // Style: its system is ours and its neighbours are not installed yet.
        let ended = try bash("mandoc -T lint -W warning page.1", folder: folder.path)
        #expect(ended.ending == .status(0))
        #expect(ended.outputText == "")
    }

    @Test(arguments: FilterCase.all)
    func bashCompletesOptionsValuesAndFiles(_ filter: FilterCase) throws {
        let folder = try TemporaryFolder()
        try write([UInt8](), to: folder.file("rejected lines"))
        func complete(_ words: String...) throws -> String {
            let function = "_" + filter.name.map { $0 == "-" ? "_" : String($0) }.joined()
            let quoted = ([filter.name] + words).map { "'\($0)'" }.joined(separator: " ")
            let command = """
                source <(\(filter.name) --generate bash)
                complete -p \(filter.name) >/dev/null || exit
                COMP_WORDS=(\(quoted)) COMP_CWORD=\(words.count)
                \(function) && printf '%s,' "${COMPREPLY[@]}"
                """
            let ended = try bash(command, folder: folder.path)
            #expect(ended.errorText == "")
            return ended.outputText
        }
        #expect(try complete("--max-li") == "--max-line,")
        #expect(try complete("--reject", "rej") == "rejected lines,")
        #expect(try complete("--reject", "=", "rej") == "rejected lines,")
        #expect(try complete("--max-line", "") == ",")
        for option in try Self.options(filter) { #expect(try complete("").contains("\(option),")) }
    }

    @Test(arguments: FilterCase.all)
    func fishCompletesOptions(_ filter: FilterCase) throws {
        let folder = try TemporaryFolder()
        try write(try generated("fish", filter), to: folder.file("completions"))
        let ended = try bash(
            "HOME=$PWD fish -c 'source completions; complete -C \"\(filter.name) --max-li\"'", folder: folder.path)
        #expect(ended.outputText.hasPrefix("--max-line\t"))
    }

    @Test(arguments: FilterCase.all)
    func zshCompletesOptions(_ filter: FilterCase) throws {
        let folder = try TemporaryFolder()
        try write(try generated("zsh", filter), to: folder.file("_\(filter.name)"))
        // A zsh on a terminal of its own; Control-A and a colon turn the completed line into a comment that it shows.
        let script = #"""
            zmodload zsh/zpty
            zpty shell TERM=dumb zsh -f -i
            zpty -w shell "PS1=; fpath=($PWD \$fpath); autoload -U compinit; compinit -u -D; echo BEG''UN"
            zpty -r shell shown $'*\nBEGUN*'
            zpty -w -n shell $'\#(filter.name) --max-li\t7\C-a: \n'
            zpty -w shell exit
            while zpty -r shell shown; do print -r -- $shown; done
            """#
        let ended = try run(["/usr/bin/zsh", "-f", "-c", script], folder: folder.path, deadline: 20)
        #expect(ended.outputText.contains("\(filter.name) --max-line=7"))
    }

    private func generated(_ kind: String, _ filter: FilterCase) throws -> [UInt8] {
        let ended = try run([filter.path, "--generate", kind])
        #expect(ended.ending == .status(0))
        return ended.output
    }

    /// The long options that the help lists.
    private static func options(_ filter: FilterCase) throws -> [String] {
        try run([filter.path, "--help"]).outputText.split(separator: "\n").compactMap { line in
            guard line.hasPrefix("  -") || line.hasPrefix("      --"), let start = line.firstRange(of: "--") else {
                return nil
            }
            return String(line[start.lowerBound...].prefix { $0 != " " })
        }
    }
}
