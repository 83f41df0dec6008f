import Testing
import ToolRuntime

/// The command line as getopt_long reads it.
@Suite struct ArgumentsTests {
    enum Emit: String, CaseIterable, Sendable { case top, partials }

    static let top = Option.integer("top", "k", in: 0...1000, default: 10, help: "How many.")
    static let words = Option.flag("words", "w", help: "Words.")
    static let lowercase = Option.flag("lowercase", "l", help: "Lower case.")
    static let memory = Option.size("memory", default: 64 << 20, help: "Memory.")
    static let every = Option.duration("every", help: "How often.")
    static let index = Option.text("index", "i", "NAME", help: "Index.")
    static let file = Option.file("file", help: "File.")
    static let set = Option.list("set", nil, "NAME=VALUE", help: "Constants.")
    static let emit = Option<Emit>.choice("emit", default: .top, help: "What comes out.")
    static let table: [any OptionRow] = [top, words, lowercase, memory, every, index, file, set, emit]

    func read(_ words: String...) throws(Failure) -> Arguments { try Arguments(words, table: Self.table) }

    /// What is wrong, as the user sees it.
    func complaint(_ words: String...) -> String? {
        do throws(Failure) {
            _ = try Arguments(words, table: Self.table)
            return nil
        } catch {
            #expect(error.status == .usage)
            return error.message
        }
    }

    @Test(arguments: [
        ["-k5"], ["-k", "5"], ["--top", "5"], ["--top=5"], ["-wk5"], ["-wlk", "5"], ["-k9", "-k5"], ["a", "-k5", "b"],
    ])
    func aValueMayBeWrittenInManyWays(_ words: [String]) throws {
        #expect(try Arguments(words, table: Self.table)[Self.top] == 5)
    }

    @Test func whatIsNotGivenHasItsDefault() throws {
        let arguments = try read()
        #expect(arguments[Self.top] == 10)
        #expect(arguments[Self.words] == false)
        #expect(arguments[Self.memory] == 64 << 20)
        #expect(arguments[Self.every] == nil)
        #expect(arguments[Self.index] == nil)
        #expect(arguments[Self.set] == [])
        #expect(arguments[Self.emit] == .top)
        #expect(!arguments.has(Self.top))
    }

    @Test func flagsMayStandTogether() throws {
        let arguments = try read("-wl")
        #expect(arguments[Self.words] && arguments[Self.lowercase])
        #expect(arguments.has(Self.words))
        #expect(try !read("-w")[Self.lowercase])
    }

    @Test func behindTwoDashesAllIsOperands() throws {
        let arguments = try read("a", "--", "-k5", "--", "--words")
        #expect(arguments.operands == ["a", "-k5", "--", "--words"])
        #expect(arguments[Self.top] == 10)
        #expect(try read("-").operands == ["-"])
    }

    @Test func aValueMayLookLikeAnOptionOrBeEmpty() throws {
        #expect(try read("--index", "--words")[Self.index] == "--words")
        #expect(try read("--index=a=b")[Self.index] == "a=b")
        #expect(try read("--index=")[Self.index] == "")
        #expect(try read("-i", "")[Self.index] == "")
    }

    @Test func aListKeepsAllThatIsGiven() throws {
        #expect(try read("--set", "a=1", "--set=b=2")[Self.set] == ["a=1", "b=2"])
    }

    @Test func errorsNameTheOptionAndWhatWasExpected() {
        #expect(complaint("--tops") == "unknown option --tops")
        #expect(complaint("--to=5") == "unknown option --to=5")
        #expect(complaint("-x") == "unknown option -x")
        #expect(complaint("-wx") == "unknown option -x")
        #expect(complaint("--top") == "--top needs a value: N")
        #expect(complaint("-wk") == "--top needs a value: N")
        #expect(complaint("--words=1") == "--words takes no value")
        #expect(complaint("-k", "x") == "--top: expected a whole number from 0 to 1000, not \"x\"")
        #expect(complaint("-k", "x", "-k5") == nil)
        #expect(complaint("--emit=bottom") == "--emit: expected top, partials, not \"bottom\"")
        #expect(complaint("--file=") == "--file: expected a file, not \"\"")
    }

    @Test(arguments: ["-1", "1001", "1.5", "5 ", "", "0x5", "99999999999999999999"])
    func numbersOutOfRangeAreRefused(_ text: String) {
        #expect(complaint("--top", text) == "--top: expected a whole number from 0 to 1000, not \"\(text)\"")
    }

    @Test(arguments: [("1", 1), ("64K", 65536), ("10M", 10 << 20), ("3G", 3 << 30)])
    func sizesHaveUnits(_ text: String, _ bytes: Int) throws {
        #expect(try read("--memory", text)[Self.memory] == bytes)
    }

    @Test(arguments: ["0", "K", "1k", "1KB", "-1K", "1.5M", "9007199254740993G"])
    func whatIsNoSize(_ text: String) {
        #expect(
            complaint("--memory", text) == "--memory: expected a size such as 65536, 64K, 10M or 1G, not \"\(text)\"")
    }

    @Test(arguments: [
        ("500ms", 500), ("10s", 10_000), ("5m", 300_000), ("1h", 3_600_000), ("1d", 86_400_000), ("0s", 0),
        ("36525d", 3_155_760_000_000),
    ])
    func durationsHaveUnits(_ text: String, _ milliseconds: Int64) throws {
        #expect(try read("--every", text)[Self.every] == milliseconds)
    }

    @Test(arguments: [
        "10", "s", "", "-1s", "1.5s", "1 s", "1w", "9999999999999999999s", "999999999999999999d", "36526d",
        "99999999999d",
    ])
    func whatIsNoDuration(_ text: String) {
        #expect(
            complaint("--every", text)
                == "--every: expected a duration such as 500ms, 10s, 5m, 1h or 1d, not \"\(text)\"")
    }
}
