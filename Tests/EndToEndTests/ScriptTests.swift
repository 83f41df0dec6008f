import Glibc
import TestSupport
import Testing

/// The scripts in bin, which people type.
@Suite(.serialized) struct ScriptTests {
    /// Of whoever runs the tests: these scripts build.
    static let environment = Repository.environment.merging([
        "PATH": environmentVariable("PATH") ?? "/usr/bin:/bin", "HOME": environmentVariable("HOME") ?? "/",
    ]) { $1 }

    func run(_ script: String, _ arguments: String..., folder: String = "/") throws -> Ended {
        try TestSupport.run(
            ["\(Repository.root)/bin/\(script)"] + arguments, environment: Self.environment, folder: folder,
            deadline: 600)
    }

    @Test(arguments: FilterCase.all)
    func launchersRunFromAnyFolderAndThroughLinks(_ filter: FilterCase) throws {
        let (folder, bin) = (try TemporaryFolder(), "\(Repository.root)/bin")
        for command in [
            "\(bin)/\(filter.name) --version", "PATH=\(bin):$PATH; \(filter.name) --version",
            "cd \(bin) && ./\(filter.name) --version", "cd \(bin) && sh \(filter.name) --version",
            "ln -s \(bin)/\(filter.name) . && ./\(filter.name) --version",
            "mkdir sub && ln -s ../\(filter.name) sub/ && cd / && \(folder.path)/sub/\(filter.name) --version",
        ] {
            let ended = try bash(command, folder: folder.path)
            #expect(ended.errorText == "")
            #expect(ended.outputText.hasPrefix("\(filter.name) "), "\(command)")
        }
    }

    @Test func aLauncherWithoutABuildSaysHowToBuild() throws {
        let folder = try TemporaryFolder()
        let ended = try bash(
            "mkdir 'a b' && mkdir 'a b/bin' && cp -P \(Repository.root)/bin/launch \(Repository.root)/bin/tokenize 'a b/bin' && 'a b/bin/tokenize'",
            folder: folder.path)
        #expect(ended.ending == .status(69))
        #expect(
            ended.errorText == "tokenize: no release build in \(folder.path)/a b: run \(folder.path)/a b/bin/build\n")
    }

    @Test func theDemoShowsTheTopWordsAndThatTheyAgree() throws {
        let folder = try TemporaryFolder()
        let words = ["the the the of of and\n", "The quick brown fox, the lazy dog.\n", "naïve café ЖЖЖ 東京\n"]
        try write(words.joined().utf8, to: folder.file("a text"))
        let ended = try run("demo", "a text", folder: folder.path)
        #expect(ended.ending == .status(0))
        #expect(ended.outputText.contains("\nthe\t5\nof\t2\nand\t1\n"))
        #expect(Self.agreements(ended) == 2)
        #expect(ended.outputText.contains("\n$ kcat-in -t words --until-eof | cms-topk -k 0 > through-topics\n"))
    }

    @Test func theDemoAgreesOnTheTextsOfThisMachine() throws {
        let ended = try run("demo")
        #expect(ended.ending == .status(0), "\(ended.outputText)\(ended.errorText)")
        #expect(Self.agreements(ended) == 2)
        #expect(ended.outputText.split(separator: "\n", omittingEmptySubsequences: false).count <= 24)
    }

    /// How often the demo says that two ways have led to the same counts.
    static func agreements(_ ended: Ended) -> Int {
        ended.outputText.split(separator: "\n").count {
            $0.hasPrefix("The counts of all ") && $0.hasSuffix(" distinct words agree.")
        }
    }

    /// With a tool in the middle that loses a line.
    @Test func theDemoFailsWhereTheCountsDiffer() throws {
        let folder = try TemporaryFolder()
        try copyBrokerScript(into: folder)
        let made = try bash(
            """
            mkdir -p .build/release && cp '\(Repository.root)/bin/'{demo,launch} bin/
            ln -s launch bin/tokenize && ln -s launch bin/cms-topk
            printf '#!/bin/sh\\n' | tee bin/setup > bin/build && chmod +x bin/setup bin/build
            ln -s '\(Repository.products)'/{tokenize,cms-topk,kcat-out} .build/release/
            printf '#!/bin/sh\\n"\(Repository.products)/kcat-in" "$@" | sed 1d\\n' > .build/release/kcat-in
            chmod +x .build/release/kcat-in
            printf 'one two\\nthree\\n' > text
            """, folder: folder.path)
        try #require(made.ending == .status(0), "\(made.errorText)")
        let ended = try TestSupport.run(
            [folder.file("bin/demo"), folder.file("text")], environment: Self.environment, deadline: 120)
        #expect(ended.ending == .status(1), "\(ended.errorText)")
        #expect(ended.outputText.contains("THE COUNTS DIFFER (left ours, right the pipe):\n"))
        #expect(Self.agreements(ended) == 1)
    }

    @Test func theDemoRefusesWhatItCannotRead() throws {
        #expect(try run("demo", "/no/such/file").ending == .status(66))
        #expect(try run("demo", "a", "b").ending == .status(64))
    }

    @Test func installPutsToolsPagesAndCompletionsInPlaceTwice() throws {
        let folder = try TemporaryFolder()
        for _ in 1...2 {
            let ended = try run("install", "made here", folder: folder.path)
            #expect(ended.ending == .status(0))
            #expect(ended.errorText == "")
        }
        let prefix = folder.file("made here")
        for filter in FilterCase.all {
            let version = try TestSupport.run(["\(prefix)/bin/\(filter.name)", "--version"])
            #expect(version.outputText.hasPrefix("\(filter.name) "))
            for file in [
                "man/man1/\(filter.name).1", "bash-completion/completions/\(filter.name)",
                "zsh/site-functions/_\(filter.name)", "fish/vendor_completions.d/\(filter.name).fish",
            ] {
                #expect(try !contents(of: "\(prefix)/share/\(file)").isEmpty, "\(file)")
            }
        }
    }

    @Test func setupDoesNothingWhenAllIsThere() throws {
        let ended = try run("setup", "tests")
        #expect(ended.ending == .status(0))
        #expect(ended.outputText + ended.errorText == "")
        #expect(try run("setup", "nonsense").ending == .status(64))
    }

    /// The scripts that must run under any /bin/sh, and those of bash.
    @Test func scriptsAreFreeOfSyntaxErrors() throws {
        for name in entries(of: "\(Repository.root)/bin") {
            let path = "\(Repository.root)/bin/\(name)"
            let first = String(decoding: try contents(of: path).prefix { $0 != 0x0A }, as: UTF8.self)
            guard ["#!/bin/sh", "#!/bin/bash", "#!/usr/bin/env bash"].contains(first) else { continue }
            let shell = first == "#!/bin/sh" ? "/bin/sh" : "/bin/bash"
            #expect(try TestSupport.run([shell, "-n", path]).ending == .status(0), "\(name)")
        }
    }
}
