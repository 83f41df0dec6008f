import Glibc
import TestSupport
import Testing

/// es-load in a pipe: its input, its options, its end.
@Suite struct LoaderTests {
    @Test func nothingToLoadIsDoneAtOnce() throws {
        let ended = try bash("es-load --url http://127.0.0.1:1 --summary")
        #expect(ended.ending == .status(0))
        let numbers = try summary(ended)
        #expect(numbers["read"] == "0" && numbers["done"] == "0" && numbers["requests"] == "0")
        #expect(numbers["acked"] == "null")
    }

    @Test func documentsArriveByteForByte() throws {
        let server = try BrokenServer()
        let document = #"{"n":1,"text":"a  b\t\\ \"é\" %s $HOME `x` \u0000 * ~ @file ","ж":[ 1,2 ]}"#
        let ended = try server.shell("es-bulk --index 'a b' --id n | es-load", input: .text(document + "\n"))
        #expect(ended.ending == .status(0))
        #expect(try server.documents() == ["a b\t1\t\(document)"])
    }

    @Test func theAddressMayHaveAPathAndGzipLoginAndConfigurationReachTheServer() throws {
        let server = try BrokenServer()
        let folder = try TemporaryFolder()
        try write("header = \"Authorization: ApiKey c2VjcmV0\"\nfail\ninclude\n".utf8, to: folder.file("a config"))
        let path = "\(server.url)/a/path//"
        let ended = try server.load(numbers(1...2), ["--url", path, "--config", folder.file("a config"), "--gzip"])
        #expect(ended.errorText == "")
        let withPassword = "http://user:pa%22ss@\(server.url.split(separator: "/")[1])"
        #expect(try server.load(numbers(3...3), ["--url=\(withPassword)"]).errorText == "")
        #expect(
            try server.requests() == [
                "/a/path/_bulk 2 ok gzip ApiKey c2VjcmV0", "/_bulk 1 ok Basic dXNlcjpwYSJzcw==",
            ])
        #expect(try server.numbers() == [1, 2, 3])
    }

    @Test func aPasswordIsOnNoCommandLine() throws {
        let server = try BrokenServer("slow=5")
        let address = "http://user:xyzzy@\(server.url.split(separator: "/")[1])"
        let environment = server.environment.merging(["ELASTICSEARCH_URL": address]) { $1 }
        let program = try Program(
            ["/bin/bash", "-c", "echo '{\"n\":1}' | es-bulk --index w --id n | es-load"], environment: environment)
        #expect(try eventually { try !server.requests().isEmpty })
        let commands = try bash("cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '").outputText
        #expect(commands.contains("es-load"))
        // What this test asks for it would find in itself if it named it in a command line.
        #expect(!commands.contains("xyzzy"))
        #expect(try program.wait().ending == .status(0))
    }

    @Test func aTrickleReachesTheServerWithoutWaitingForMore() throws {
        let server = try BrokenServer()
        let (reading, input) = try makePipe()
        let program = try Program(
            ["/bin/bash", "-c", "es-bulk --index w --id n --max-wait 200ms | es-load"], input: .descriptor(reading),
            environment: server.environment)
        close(reading)
        for number in 1...3 {
            try write(Array("{\"n\":\(number)}\n".utf8), to: input)
            #expect(try eventually { try server.numbers().last == number })
        }
        close(input)
        #expect(try program.wait().ending == .status(0))
        #expect(try server.requests().count == 3)
    }

    @Test func killedInTheMiddleAndRunAgainItLeavesTheSame() throws {
        let server = try BrokenServer("ok", "slow=30")
        let folder = try TemporaryFolder()
        let lines = (1...500).map { "{\"n\":\($0)}\n" }.joined()
        try write(lines.utf8, to: folder.file("input"))
        let command = "es-bulk --index w --id n --max-docs 100 < \(folder.file("input")) | exec es-load --in-flight 1"
        let program = try Program(["/bin/bash", "-c", command], environment: server.environment)
        #expect(try eventually { try server.requests().count == 2 })
        kill(-program.process, SIGKILL)
        #expect(try program.wait().ending == .signal(SIGKILL))
        #expect(try server.numbers() == Array(1...200))
        #expect(try server.shell(command).errorText == "")
        #expect(try server.numbers() == Array(1...500))
    }

    @Test(arguments: [SIGTERM, SIGINT, SIGHUP])
    func aSignalEndsItAtOnceWithNothingLeftBehind(_ signal: CInt) throws {
        let server = try BrokenServer("slow=60")
        let folder = try TemporaryFolder()
        let (reading, input) = try makePipe()
        let program = try Program(
            [Repository.tool("es-load")], input: .descriptor(reading),
            environment: server.environment.merging(["TMPDIR": folder.path]) { $1 })
        close(reading)
        try write(Array("{\"index\":{\"_index\":\"w\"}}\n{\"n\":1}\n\n".utf8), to: input)
        #expect(try eventually { try server.requests().count == 1 })
        program.send(signal)
        // The end of all that it has started as well: its input is still open.
        #expect(try program.wait(deadline: 20).ending == .signal(signal))
        #expect(entries(of: folder.path) == [])
        close(input)
    }

    @Test func aFullDiskIsTold() throws {
        let server = try BrokenServer()
        let ended = try server.load(["\"x\""], ["--reject", "/dev/full"])
        #expect(ended.ending == .status(74))
        #expect(ended.errorText == "es-load: cannot write /dev/full: No space left on device\n")
    }

    @Test func whatIsNoBatchIsMalformedAndWhatCameBeforeItIsLoaded() throws {
        let server = try BrokenServer()
        let ended = try server.shell(
            "es-load", input: .text("{\"index\":{\"_index\":\"w\"}}\n{\"n\":1}\n{\"index\":{}}\n"))
        #expect(ended.ending == .status(65))
        #expect(ended.errorText == "es-load: line 3: an action line without a document after it\n")
        #expect(try server.documents().count == 1)
    }

    @Test func itTellsItsNumbersWhileItWaits() throws {
        let server = try BrokenServer()
        let (reading, input) = try makePipe()
        let (errors, writing) = try makePipe()
        let program = try Program(
            [Repository.tool("es-load"), "--stats", "1"], input: .descriptor(reading),
            errors: .descriptor(writing), environment: server.environment)
        close(reading)
        close(writing)
        let batch = "{\"index\":{\"_index\":\"w\"}}\n{\"n\":1}\n\n"
        let numbers = #""read":1,"bytes_read":33,"written":1,"#
        try write(Array(batch.utf8), to: input)
        var line = ""
        for _ in 1...60 where !line.contains("\"written\":1,") {
            line = try #require(readLine(from: errors, seconds: 30))
        }
        #expect(line.contains(numbers))
        #expect(line.hasPrefix("{\"tool\":\"es-load\",\"seconds\":"))
        #expect(line.contains("\"superseded\":0,\"rejected\":0,\"retried\":0,\"requests\":1,"))
        // And again, with half a batch there that must not get lost.
        try write(Array(batch.utf8.prefix(20)), to: input)
        #expect(try #require(readLine(from: errors, seconds: 30)).contains(numbers))
        try write(Array(batch.utf8.dropFirst(20)), to: input)
        close(input)
        while let next = readLine(from: errors, seconds: 30) { line = next }
        #expect(line.contains(#""read":2,"bytes_read":66,"written":2,"#))
        #expect(try program.wait().ending == .status(0))
    }

    @Test(arguments: [
        ("--no-such", "unknown option --no-such"), ("-x", "unknown option -x"), ("--url", "--url needs a value: URL"),
        ("--gzip=yes", "--gzip takes no value"), ("--url ftp://x", #"not an http or https address: "ftp://x""#),
        ("file", #"unexpected operand "file": input comes from standard input (< FILE)"#),
        ("--url http://u:se@cret@x/?a#b", #"not an http or https address: "…@x/?a#b""#),
        ("--url http://x --query =y", #"--query: expected NAME=VALUE, not "=y""#),
        ("--in-flight 0", #"--in-flight: expected a whole number from 1 to 64, not "0""#),
        ("--retry-for 5", #"--retry-for: expected a duration such as 500ms, 10s, 5m, 1h or 1d, not "5""#),
        ("--timeout=x", #"--timeout: expected a duration such as 500ms, 10s, 5m, 1h or 1d, not "x""#),
        ("--stats 0", #"--stats: expected a duration from 1s to 1d, such as 10s, or a number of seconds, not "0""#),
        ("", "no server: give --url URL or set ELASTICSEARCH_URL"),
    ]) func errorsOfUsage(_ arguments: String, _ message: String) throws {
        let ended = try bash("es-load \(arguments)")
        #expect(ended.ending == .status(64))
        #expect(ended.errorText == "es-load: \(message) (try 'es-load --help')\n")
    }

    @Test func filesThatCannotBeOpenedAreNamed() throws {
        for (arguments, status, message) in [
            ("--config /no/such", 66, "cannot open /no/such: No such file or directory"),
            ("--api-key /no/such", 66, "cannot open /no/such: No such file or directory"),
            ("--ca-cert /no/such", 66, "cannot open /no/such"),
            ("--reject /no/such/file", 74, "cannot open /no/such/file for writing: No such file or directory"),
            ("--ack /dev/null", 66, "--ack /dev/null: not a FIFO"),
        ] as [(String, Int32, String)] {
            let ended = try bash("es-load --url http://127.0.0.1:1 \(arguments)")
            #expect(ended.ending == .status(status))
            #expect(ended.errorText == "es-load: \(message)\n")
        }
    }

    @Test func whatCurlCannotDoEndsItAtOnce() throws {
        let server = try BrokenServer()
        let folder = try TemporaryFolder()
        try write("cacert = /no/such\n".utf8, to: folder.file("config"))
        let secure = server.url.replacing("http:", with: "https:")
        let ended = try server.load(["1"], ["--url", secure, "--config", folder.file("config")])
        #expect(ended.ending == .status(78))
        #expect(ended.errorText.hasPrefix("es-load: curl: (77) error setting certificate"))
    }

    @Test func itTakesTheOptionsThatItsHelpAndItsManualPageShow() throws {
        let help = try bash("es-load --help")
        #expect(help.ending == .status(0))
        let folder = try TemporaryFolder()
        try write(try bash("es-load --generate man").output, to: folder.file("page.1"))
        #expect(try bash("mandoc -T lint -W warning page.1", folder: folder.path).outputText == "")
        let page = try bash("mandoc -T ascii page.1 | col -b", folder: folder.path).outputText
        let options = help.outputText.split(separator: "\n").compactMap { line in
            line.firstRange(of: "  --").map { line[$0.upperBound...].prefix { $0 != " " } }
        }.map { "--\($0)" }
        #expect(options.count > 8)
        for option in options {
            #expect(page.contains(option))
            #expect(!(try bash("es-load \(option)").errorText.contains("unknown option")), "\(option)")
        }
        let version = try bash("es-load --version").outputText
        #expect(version == "es-load " + (try bash("es-bulk --version").outputText.dropFirst("es-bulk ".count)))
    }
}
