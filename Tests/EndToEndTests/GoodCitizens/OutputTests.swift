import Glibc
import TestSupport
import Testing

/// Whatever becomes of the output: nothing is lost in silence, and a reader that has had enough is no error.
@Suite struct OutputTests {
    /// More than any pipe holds.
    static let count = 400_000

    @Test(arguments: FilterCase.all, [false, true])
    func aClosedReaderIsAQuietDeath(_ filter: FilterCase, _ parentIgnoresSignal: Bool) throws {
        let command = "\(filter.shell(filter.everything)) | head -n 1 >/dev/null; exit ${PIPESTATUS[0]}"
        let ended = try bash(
            (parentIgnoresSignal ? "trap '' PIPE; " : "") + command, input: .bytes(filter.numbers(Self.count)))
        #expect(ended.ending == .status(128 + SIGPIPE))
        #expect(ended.errorText == "")
    }

    @Test(arguments: FilterCase.all)
    func aFullDiskIsAnError(_ filter: FilterCase) throws {
        // One line is only written by the last flush, many long before.
        for count in [1, Self.count] {
            let ended = try filter.run(
                filter.everything, input: .bytes(filter.numbers(count)), output: .file("/dev/full"))
            #expect(ended.ending == .status(74))
            #expect(ended.errorText == "\(filter.name): cannot write standard output: No space left on device\n")
        }
    }

    @Test(arguments: FilterCase.all)
    func aClosedOutputIsAnError(_ filter: FilterCase) throws {
        let ended = try filter.run(input: .text(filter.input("word") + "\n"), output: .closed)
        #expect(ended.ending == .status(74))
        #expect(ended.errorText == "\(filter.name): cannot write standard output: Bad file descriptor\n")
    }

    @Test(arguments: FilterCase.all)
    func aRejectFileThatCannotBeWrittenIsAnError(_ filter: FilterCase) throws {
        let malformed = Source.text(filter.malformed.line + "\n")
        let full = try filter.run(filter.malformed.arguments + ["--reject", "/dev/full"], input: malformed)
        #expect(full.ending == .status(74))
        #expect(full.errorText == "\(filter.name): cannot write /dev/full: No space left on device\n")
        let missing = try filter.run(
            filter.malformed.arguments + ["--reject", "/no/such/folder/file"], input: malformed)
        #expect(missing.ending == .status(74))
        #expect(missing.errorText == "\(filter.name): cannot open /no/such/folder/file: No such file or directory\n")
    }

    @Test(arguments: FilterCase.all)
    func helpThatCannotBeWrittenIsAnError(_ filter: FilterCase) throws {
        let ended = try filter.run(["--help"], input: .nothing, output: .file("/dev/full"))
        #expect(ended.ending == .status(74))
    }
}
