import CRDKafka
public import ToolRuntime

/// What a message has besides its value, as fields in front of the line: `--with key,partition,offset,timestamp,headers`.
/// `kcat-in` writes them and `kcat-out` reads them, so that they survive a trip through a pipe.
///
/// A key, a header's name and a header's value are written with `\t`, `\n`, `\r` and `\\` for TAB, LF, CR and `\`, so that a
/// field stays a field; `\N` stands for a missing key, and for a missing header value. Headers are `name=value`, joined by
/// `,`; a `,` or `=` inside is written `\,` or `\=`. A timestamp is in milliseconds since the Unix epoch; empty: none.
public enum MessageField: String, CaseIterable, Sendable {
    case key, partition, offset, timestamp, headers

    /// The fields of a list such as `key,timestamp`; nil if it names another, or one twice.
    public static func list(_ text: String) -> [MessageField]? {
        let fields = text.split(separator: ",", omittingEmptySubsequences: false).map {
            MessageField(rawValue: String($0))
        }
        guard !fields.isEmpty, !fields.contains(nil), Set(fields).count == fields.count else { return nil }
        return fields.compactMap { $0 }
    }
}

package enum Escape {
    package static let missing: [UInt8] = Array("\\N".utf8)

    package static func write(_ bytes: UnsafeRawBufferPointer, isHeader: Bool = false, to text: inout [UInt8]) {
        for byte in bytes {
            switch byte {
            case 0x09: text += Array("\\t".utf8)
            case 0x0A: text += Array("\\n".utf8)
            case 0x0D: text += Array("\\r".utf8)
            case UInt8(ascii: "\\"): text += Array("\\\\".utf8)
            case UInt8(ascii: ","), UInt8(ascii: "="):
                if isHeader { text.append(UInt8(ascii: "\\")) }
                text.append(byte)
            default: text.append(byte)
            }
        }
    }

    /// As `--embedded-lf escape` has it: only LF, and the `\` that makes it unambiguous.
    package static func writeLineEnds(_ bytes: UnsafeRawBufferPointer, to text: inout [UInt8]) {
        for byte in bytes {
            switch byte {
            case 0x0A: text += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
            case UInt8(ascii: "\\"): text += [byte, byte]
            default: text.append(byte)
            }
        }
    }

    /// The bytes that `text` stands for; nil if a `\` is followed by what `write` never puts there.
    package static func read(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "n"): bytes.append(0x0A)
            case UInt8(ascii: "r"): bytes.append(0x0D)
            case .some(let other) where Array("\\,=".utf8).contains(other): bytes.append(other)
            default: return nil
            }
        }
        return bytes
    }

    /// Cuts at each `separator` that no `\` stands in front of.
    static func split(_ text: ArraySlice<UInt8>, at separator: UInt8, maxSplits: Int = .max) -> [ArraySlice<UInt8>] {
        var parts: [ArraySlice<UInt8>] = []
        var (start, at) = (text.startIndex, text.startIndex)
        while at < text.endIndex {
            if text[at] == UInt8(ascii: "\\") {
                at += 2
            } else if text[at] == separator, parts.count < maxSplits {
                parts.append(text[start..<at])
                at += 1
                start = at
            } else {
                at += 1
            }
        }
        return parts + [text[start...]]
    }
}

/// A message header. A value may be missing, which is not the same as empty.
public struct Header: Equatable, Sendable {
    public let name: [UInt8]
    public let value: [UInt8]?

    public init(name: [UInt8], value: [UInt8]?) {
        self.name = name
        self.value = value
    }

    /// From `NAME=VALUE`, as given on a command line.
    public init(assignment: String) throws(Failure) {
        let parts = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else {
            throw Failure(.usage, "--header: expected NAME=VALUE, not \"\(assignment)\"")
        }
        self.init(name: Array(parts[0].utf8), value: Array(parts[1].utf8))
    }

    package static func write(_ headers: [Header], to text: inout [UInt8]) {
        for (place, header) in headers.enumerated() {
            if place > 0 { text.append(UInt8(ascii: ",")) }
            header.name.withUnsafeBytes { Escape.write($0, isHeader: true, to: &text) }
            text.append(UInt8(ascii: "="))
            if let value = header.value {
                value.withUnsafeBytes { Escape.write($0, isHeader: true, to: &text) }
            } else {
                text += Escape.missing
            }
        }
    }

    /// librdkafka's list of `headers`. Who gets it frees it, or hands it over with a message.
    static func list(_ headers: [Header]) -> OpaquePointer? {
        let list = rd_kafka_headers_new(headers.count)
        for header in headers {
            header.name.withUnsafeBytes { name in
                (header.value.map { $0 + [0] } ?? []).withUnsafeBytes { value in
                    _ = rd_kafka_header_add(
                        list, name.baseAddress, name.count, header.value == nil ? nil : value.baseAddress,
                        header.value?.count ?? 0)
                }
            }
        }
        return list
    }

    /// nil if `text` is not what `write` makes.
    package static func read(_ text: ArraySlice<UInt8>) -> [Header]? {
        if text.isEmpty { return [] }
        var headers: [Header] = []
        for part in Escape.split(text, at: UInt8(ascii: ",")) {
            let sides = Escape.split(part, at: UInt8(ascii: "="), maxSplits: 1)
            guard sides.count == 2, let name = Escape.read(sides[0]), !name.isEmpty, !name.contains(0) else {
                return nil
            }
            if sides[1].elementsEqual(Escape.missing) {
                headers.append(Header(name: name, value: nil))
            } else {
                guard let value = Escape.read(sides[1]) else { return nil }
                headers.append(Header(name: name, value: value))
            }
        }
        return headers
    }
}
