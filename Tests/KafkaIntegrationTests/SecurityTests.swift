import Glibc
import TestSupport
import Testing

/// TLS, client certificates and logins, at a listener that asks for them.
@Suite(.enabled(if: isOnOneBroker, "the listener stands before one broker"))
struct SecurityTests {
    private static let password = "correct horse"

    @Test func tlsWithAKnownAuthority() throws {
        let keys = try Keys()
        try expectPassage(
            Listener.secured(keys.listener(as: "server")), [("security.protocol", "ssl"), keys.authority("ours")])
    }

    @Test(arguments: [("server", "other"), ("elsewhere", "ours")])
    func aBrokerThatIsNotTheRightOneIsNotSpokenTo(_ server: String, _ authority: String) throws {
        let keys = try Keys()
        try expectRefusal(
            Listener.secured(keys.listener(as: server)), [("security.protocol", "ssl"), keys.authority(authority)],
            reason: "certificate verify failed")
    }

    @Test func aClientShowsItsCertificate() throws {
        let keys = try Keys()
        let listener = try Listener.secured(keys.listener(as: "server", clientsOf: "ours"))
        let tls = [("security.protocol", "ssl"), keys.authority("ours")]
        try expectPassage(listener, tls + keys.certificate("client"))
        try expectRefusal(listener, tls, reason: "alert certificate required")
        try expectRefusal(listener, tls + keys.certificate("stranger"), reason: "alert unknown ca")
    }

    @Test(arguments: [("PLAIN", true), ("SCRAM-SHA-256", false), ("SCRAM-SHA-512", true)])
    func aLoginIsRightOrWrong(_ mechanism: String, overTLS: Bool) throws {
        let keys = try Keys()
        let listener = try Listener.secured(
            (overTLS ? keys.listener(as: "server") : []) + ["--login", mechanism, "bob", Self.password])
        let settings =
            [
                ("security.protocol", overTLS ? "sasl_ssl" : "sasl_plaintext"), ("sasl.mechanism", mechanism),
                ("sasl.username", "bob"),
            ] + (overTLS ? [keys.authority("ours")] : [])
        try expectPassage(listener, settings + [("sasl.password", Self.password)])
        try expectRefusal(listener, settings + [("sasl.password", "hunter2")], reason: "Authentication failed")
    }

    @Test func aMechanismThatTheBrokerDoesNotOfferIsNotPermitted() throws {
        let listener = try Listener.secured(["--login", "PLAIN", "bob", Self.password])
        try expectRefusal(
            listener,
            [
                ("security.protocol", "sasl_plaintext"), ("sasl.mechanism", "SCRAM-SHA-256"), ("sasl.username", "bob"),
                ("sasl.password", Self.password),
            ], reason: "Unsupported SASL mechanism")
    }

    // MARK: What is expected

    /// Lines go out and come in again, a group's login included.
    private func expectPassage(_ listener: Listener, _ settings: [(String, String)]) throws {
        let (topic, file) = try (Topic(missingOn: listener.address), PropertyFile(settings))
        let out = try topic.out(["-F", file.path, "--create", "2"], input: .text("1\n2\n3\n"))
        #expect(out.ending == .status(0), "\(out.errorText)")
        let back = try topic.in(["-F", file.path, "--until-end", "-g", topic.name])
        #expect(back.ending == .status(0), "\(back.errorText)")
        #expect(back.outputText.split(separator: "\n").sorted() == ["1", "2", "3"])
        #expect(out.errorText + back.errorText == "")
    }

    private func expectRefusal(
        _ listener: Listener, _ settings: [(String, String)], reason: String
    ) throws {
        let (topic, file) = try (Topic(missingOn: listener.address), PropertyFile(settings))
        for (name, ended) in try SettingsTests.both(topic, ["-F", file.path]) {
            #expect(ended.ending == .status(77), "\(ended.errorText)")
            #expect(ended.errorText.hasPrefix("\(name): cannot log in: "))
            #expect(ended.errorText.contains(reason), "\(ended.errorText)")
            #expect(ended.errorText.split(separator: "\n").count == 1)
            for secret in [Self.password, "hunter2"] { #expect(!ended.errorText.contains(secret)) }
        }
    }
}

/// A file for -F.
private struct PropertyFile {
    private let folder: TemporaryFolder
    var path: String { folder.file("properties") }

    init(_ settings: [(String, String)]) throws {
        folder = try TemporaryFolder()
        try write(settings.map { "\($0)=\($1)\n" }.joined().utf8, to: path)
    }
}

/// Two authorities, "ours" and "other", and certificates: of a "server" on this machine and of one "elsewhere", of a
/// "client" that ours knows and of a "stranger".
private struct Keys {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        let ended = try bash(
            """
            make() { # NAME OPTION...
                openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
                    -keyout "$1.key" -out "$1.pem" -subj "/CN=$1" "${@:2}"
            }
            set -e
            make ours && make other
            make server -CA ours.pem -CAkey ours.key -addext subjectAltName=IP:127.0.0.1
            make elsewhere -CA ours.pem -CAkey ours.key -addext subjectAltName=IP:127.0.0.9
            make client -CA ours.pem -CAkey ours.key
            make stranger -CA other.pem -CAkey other.key
            """, folder: folder.path)
        try #require(ended.ending == .status(0), "\(ended.errorText)")
    }

    func listener(as name: String, clientsOf authority: String? = nil) -> [String] {
        ["--certificate", folder.file("\(name).pem"), "--key", folder.file("\(name).key")]
            + (authority.map { ["--clients-of", folder.file("\($0).pem")] } ?? [])
    }

    func authority(_ name: String) -> (String, String) { ("ssl.ca.location", folder.file("\(name).pem")) }

    func certificate(_ name: String) -> [(String, String)] {
        [
            ("ssl.certificate.location", folder.file("\(name).pem")),
            ("ssl.key.location", folder.file("\(name).key")),
        ]
    }
}
