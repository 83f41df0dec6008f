import Bytes
import CRDKafka
public import ToolRuntime

/// What a message has besides its value, as fields in front of the line: `--with key,partition,offset,timestamp,headers`.
/// `kcat-in` writes them and `kcat-out` reads them, so that they survive a trip through a pipe.
///
/// A key, a header's name and a header's value are written with `\t`, `\n`, `\r` and `\\` for TAB, LF, CR and `\`, so that a
/// field stays a field; `\N` stands for a missing key, and for a missing header value. Headers are `name=value`, joined by
/// `,`; a `,` or `=` inside is written `\,` or `\=`. A timestamp is in milliseconds since the Unix epoch; empty: none.
/// Where a message is of several lines, an offset is `offset.index`, with the line's place in it from 0 on.
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
