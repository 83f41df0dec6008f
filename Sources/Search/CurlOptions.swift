import CCurl
import ToolRuntime

/// Options of libcurl, in the order in which they were given, each with where from: values may be secrets and are not shown.
struct CurlOptions {
    enum Value {
        case flag(Int)
        case text(String)
    }

    private(set) var options: [(option: CURLoption, value: Value, from: String)] = []
    /// `NAME: VALUE`, each.
    private(set) var headers: [String] = []

    mutating func set(_ option: CURLoption, _ value: Value, from: String) { options.append((option, value, from)) }

    mutating func add(header: String, from: String) throws(Failure) {
        guard !header.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }), header.contains(":") || header.hasSuffix(";")
        else { throw Failure(.configuration, "\(from): a header is written NAME: VALUE") }
        headers.append(header)
    }

    func hasHeader(_ name: String) -> Bool {
        headers.contains { $0.lowercased().hasPrefix(name.lowercased() + ":") }
    }

    func has(_ option: CURLoption) -> Bool { options.contains { $0.option == option } }

    /// Sets them; names the one that libcurl refuses.
    func apply(to easy: UnsafeMutableRawPointer) throws(Failure) {
        for (option, value, from) in options {
            let code =
                switch value {
                case .flag(let number): ccurl_set_long(easy, option, number)
                case .text(let text): ccurl_set_text(easy, option, text)
                }
            guard code == CURLE_OK else {
                throw Failure(
                    .configuration, "\(from): libcurl refuses it: \(String(cString: curl_easy_strerror(code)))")
            }
        }
    }
}

/// A file of options in the form of curl's own: `--config FILE`.
///
/// One option a line, by its long name, with or without dashes; a value after a space, `=` or `:`, in double quotes where it
/// has spaces, with `\"`, `\\`, `\t`, `\n`, `\r` and `\v` in them. `#` begins a comment. Only what has to do with logins,
/// certificates and the way to the server is taken; what is only about how curl prints is read over.
enum CurlConfig {
    private static let texts: [String: CURLoption] = [
        "user": CURLOPT_USERPWD, "oauth2-bearer": CURLOPT_XOAUTH2_BEARER, "user-agent": CURLOPT_USERAGENT,
        "cacert": CURLOPT_CAINFO, "capath": CURLOPT_CAPATH, "cert": CURLOPT_SSLCERT, "cert-type": CURLOPT_SSLCERTTYPE,
        "key": CURLOPT_SSLKEY, "key-type": CURLOPT_SSLKEYTYPE, "pass": CURLOPT_KEYPASSWD, "crlfile": CURLOPT_CRLFILE,
        "ciphers": CURLOPT_SSL_CIPHER_LIST, "pinnedpubkey": CURLOPT_PINNEDPUBLICKEY, "proxy": CURLOPT_PROXY,
        "proxy-user": CURLOPT_PROXYUSERPWD, "noproxy": CURLOPT_NOPROXY, "interface": CURLOPT_INTERFACE,
        "unix-socket": CURLOPT_UNIX_SOCKET_PATH, "aws-sigv4": CURLOPT_AWS_SIGV4, "netrc-file": CURLOPT_NETRC_FILE,
        "referer": CURLOPT_REFERER, "cookie": CURLOPT_COOKIE,
    ]
    private static let flags: [String: [(CURLoption, Int)]] = [
        "insecure": [(CURLOPT_SSL_VERIFYPEER, 0), (CURLOPT_SSL_VERIFYHOST, 0)],
        "basic": [(CURLOPT_HTTPAUTH, 1)], "digest": [(CURLOPT_HTTPAUTH, 2)], "negotiate": [(CURLOPT_HTTPAUTH, 4)],
        "ntlm": [(CURLOPT_HTTPAUTH, 8)], "anyauth": [(CURLOPT_HTTPAUTH, ~0x10)],
        "netrc": [(CURLOPT_NETRC, 2)], "netrc-optional": [(CURLOPT_NETRC, 1)],
        "http1.1": [(CURLOPT_HTTP_VERSION, 2)], "http2": [(CURLOPT_HTTP_VERSION, 3)],
        "http2-prior-knowledge": [(CURLOPT_HTTP_VERSION, 5)],
        "tlsv1.2": [(CURLOPT_SSLVERSION, 6)], "tlsv1.3": [(CURLOPT_SSLVERSION, 7)],
        "ipv4": [(CURLOPT_IPRESOLVE, 1)], "ipv6": [(CURLOPT_IPRESOLVE, 2)],
        // How curl prints, and what es-load does anyway.
        "silent": [], "show-error": [], "fail": [], "include": [], "no-progress-meter": [], "compressed": [],
        "globoff": [],
    ]
    private static let letters: [String: String] = [
        "u": "user", "H": "header", "E": "cert", "k": "insecure", "x": "proxy", "U": "proxy-user", "A": "user-agent",
        "n": "netrc", "s": "silent", "S": "show-error", "f": "fail", "i": "include", "g": "globoff", "4": "ipv4",
        "6": "ipv6", "b": "cookie", "e": "referer",
    ]

    static func read(_ path: String, into options: inout CurlOptions) throws(Failure) {
        guard let text = String(validating: try InputFile.read(path), as: UTF8.self) else {
            throw Failure(.configuration, "\(path): not text in UTF-8")
        }
        var number = 0
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            number += 1
            try take(line, from: "\(path): line \(number)", &options)
        }
    }

    private static func take(_ line: Substring, from: String, _ options: inout CurlOptions) throws(Failure) {
        let isBetween = { (character: Character) in " \t=:".contains(character) }
        var rest = line.drop { " \t".contains($0) }
        guard let first = rest.first, first != "#" else { return }
        var name = String(rest.prefix { !isBetween($0) })
        rest = rest.dropFirst(name.count).drop(while: isBetween)
        if name.hasPrefix("--") {
            name.removeFirst(2)
        } else if name.hasPrefix("-"), let long = letters[String(name.dropFirst())] {
            name = long
        }
        if let flags = flags[name] {
            for (option, value) in flags { options.set(option, .flag(value), from: from) }
            return
        }
        guard name == "header" || texts[name] != nil else {
            throw Failure(.configuration, "\(from): not an option that es-load takes: \"\(name.prefix(40))\"")
        }
        let value = try value(rest, from: from)
        if name == "header" { return try options.add(header: value, from: from) }
        // The table has it.
        if let option = texts[name] { options.set(option, .text(value), from: from) }
    }

    private static func value(_ text: Substring, from: String) throws(Failure) -> String {
        guard text.first == "\"" else {
            let value = text.prefix { !" \t".contains($0) }
            let after = text.dropFirst(value.count).drop { " \t".contains($0) }
            if after.isEmpty || after.hasPrefix("#"), !value.isEmpty { return String(value) }
            throw Failure(.configuration, "\(from): expected a value, in double quotes where it has spaces")
        }
        let escapes: [Character: Character] = ["t": "\t", "n": "\n", "r": "\r", "v": "\u{0B}"]
        var (value, isEscaped) = ("", false)
        for character in text.dropFirst() {
            if isEscaped {
                value.append(escapes[character] ?? character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "\"" {
                return value
            } else {
                value.append(character)
            }
        }
        throw Failure(.configuration, "\(from): a quote has no end")
    }
}
