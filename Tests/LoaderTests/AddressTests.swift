import Glibc
import TestSupport
import Testing

/// Where and how batches are sent.
@Suite struct AddressTests {
    @Test func theQueryOfTheAddressAndOfTheOptionsGoesAlongAndTheServerGivesUpFirst() throws {
        let server = try BrokenServer()
        let ended = try server.load(
            ["1"], ["--url", "\(server.url)/x?refresh=true", "--query", "pipeline=a b", "--timeout", "10s"])
        #expect(ended.errorText == "")
        #expect(try server.requests() == ["/x/_bulk 1 ok"])
        #expect(
            try server.queries() == [
                "filter_path=error%2Cstatus%2Cerrors%2Citems.%2A.status%2Citems.%2A.error&pipeline=a%20b&refresh=true"
                    + "&timeout=5000ms"
            ])
    }

    @Test func loginsComeFromFilesAndTheConfigurationFromAPipe() throws {
        let server = try BrokenServer()
        let folder = try TemporaryFolder()
        try write("c2VjcmV0\n".utf8, to: folder.file("key"))
        try write("user:pa:ss\n".utf8, to: folder.file("login"))
        try write("Authorization: Bearer x\nX-Other: y\n".utf8, to: folder.file("headers"))
        for (number, option) in [
            (1, "--api-key \(folder.file("key"))"), (2, "--login \(folder.file("login"))"),
            (3, "--header @\(folder.file("headers"))"),
            (4, "--config <(printf '# x\\nuser = \"a:b\"\\n-s\\n')"),
            (5, "--header 'Content-Type: application/x-ndjson'"),
        ] {
            let ended = try server.shell(
                "echo '{\"n\":\(number)}' | es-bulk --index w --id n | es-load \(option)")
            #expect(ended.errorText == "")
        }
        #expect(
            try server.requests() == [
                "/_bulk 1 ok ApiKey c2VjcmV0", "/_bulk 1 ok Basic dXNlcjpwYTpzcw==", "/_bulk 1 ok Bearer x",
                "/_bulk 1 ok Basic YTpi", "/_bulk 1 ok",
            ])
    }

    @Test func aConfigurationThatItDoesNotTakeIsNamedByItsLine() throws {
        let folder = try TemporaryFolder()
        for (text, message) in [
            ("\nretry = 5\n", "line 2: not an option that es-load takes: \"retry\""),
            ("user = \"a\n", "line 1: a quote has no end"),
            ("user = a b\n", "line 1: expected a value, in double quotes"),
        ] {
            try write(text.utf8, to: folder.file("config"))
            let ended = try bash("es-load --url http://127.0.0.1:1 --config \(folder.file("config"))")
            #expect(ended.ending == .status(78))
            #expect(ended.errorText.hasPrefix("es-load: \(folder.file("config")): \(message)"), "\(ended.errorText)")
        }
    }

    @Test func requestsAreSignedAsAWSHasIt() throws {
        let server = try BrokenServer()
        var environment = server.environment
        (environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]) = ("id", "secret")
        let ended = try bash(
            "echo '{\"n\":1}' | es-bulk --index w --id n |"
                + " es-load --aws-sigv4 aws:amz:eu-central-1:es --query 'x=a*,b'",
            environment: environment)
        #expect(ended.ending == .status(0), "\(ended.errorText)")
        #expect(try server.requests() == ["/_bulk 1 ok signed"])
    }

    @Test func aBodyWithCRLFIsCutAtItsEmptyLines() throws {
        let server = try BrokenServer()
        let item = { (id: Int) in "{\"index\":{\"_index\":\"w\",\"_id\":\"\(id)\"}}\r\n{\"n\":\(id)}\r\n" }
        let ended = try server.shell("es-load", input: .text(item(1) + "\r\n" + item(2) + item(3).dropLast()))
        #expect(ended.ending == .status(0), "\(ended.errorText)")
        #expect(try server.numbers() == [1, 2, 3])
    }

    @Test func theDocumentsOfAnIdKeepTheirOrderWithSeveralRequestsAtATime() throws {
        var orders: [String] = []
        for round in 0..<30 {
            orders += ["items=429:\(round % 5 + 1),\(round % 7 + 2)", "slow=0.0\(round % 9)", "503"]
        }
        let server = try BrokenServer(orders: orders)
        let lines = (1...2000).map { "{\"k\":\($0 % 97),\"n\":\($0)}\n" }.joined()
        let ended = try server.shell(
            "es-bulk --index w --id k --max-docs 40 | es-load --in-flight 6 --summary", input: .text(lines))
        #expect(ended.ending == .status(0), "\(ended.errorText)")
        let expected = (1904...2000).map { "w\t\($0 % 97)\t{\"k\":\($0 % 97),\"n\":\($0)}" }
        #expect(try server.documents() == expected.sorted())
    }
}
