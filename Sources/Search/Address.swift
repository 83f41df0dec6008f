import ToolRuntime

/// Where batches are posted to: URL/_bulk, with what the URL and the options ask for in the query.
struct Address: Equatable, Sendable {
    let text: String

    /// - Parameters:
    ///   - url: http or https; it may have a path, which goes before `/_bulk`, and a query.
    ///   - query: NAME=VALUE, each.
    ///   - timeout: how long a request may take, in milliseconds.
    init(_ url: String, query: [String], timeout: Int64) throws(Failure) {
        let parts = url.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var base = parts[0]
        let scheme = ["http://", "https://"].first { base.lowercased().hasPrefix($0) }
        guard let scheme, let first = base.dropFirst(scheme.count).first, first != "/",
            !url.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }), !url.contains("#")
        else { throw Failure(.usage, "not an http or https address: \(Self.withoutLogin(url))") }
        while base.last == "/" { base.removeLast() }
        var pairs: [(name: String, value: String)] = [
            // Of each item only what is looked at is asked for: the reply shrinks to a tenth.
            ("filter_path", "error,status,errors,items.*.status,items.*.error"),
            // The server gives up before es-load does, so that what es-load sends again is not still under way there.
            ("timeout", "\(min(60_000, max(1, timeout / 2)))ms"),
        ]
        var given = query
        if parts.count == 2 { given += parts[1].split(separator: "&").map(Self.decoded) }
        for text in given {
            let pair = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard !pair[0].isEmpty else { throw Failure(.usage, "--query: expected NAME=VALUE, not \"\(text)\"") }
            pairs.removeAll { $0.name == pair[0] }
            pairs.append((pair[0], pair.count == 2 ? pair[1] : ""))
        }
        // Sorted and escaped to the letter: what signs requests does not do it everywhere.
        let sorted = pairs.map { (Self.encoded($0.name), Self.encoded($0.value)) }.sorted { $0 < $1 }
        text = "\(base)/_bulk?" + sorted.map { "\($0)=\($1)" }.joined(separator: "&")
    }

    /// An address as messages may show it: nothing before the last @.
    private static func withoutLogin(_ url: String) -> String {
        guard let at = url.lastIndex(of: "@") else { return "\"\(url)\"" }
        return "\"…\(url[at...])\""
    }

    /// RFC 3986, section 2.3: all but unreserved characters as %XX.
    private static func encoded(_ text: String) -> String {
        text.utf8.map { byte in
            let scalar = UnicodeScalar(byte)
            let isPlain = scalar.properties.isAlphabetic && byte < 0x80 || "0123456789-._~".utf8.contains(byte)
            if isPlain { return String(scalar) }
            return "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }

    private static func decoded(_ text: Substring) -> String {
        var (bytes, rest) = ([UInt8](), Array(text.utf8)[...])
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte == UInt8(ascii: "+") ? 0x20 : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
