import CRDKafka
public import ToolRuntime

/// librdkafka's properties, in the order in which they were given; the last one of a name counts.
public struct Settings: Sendable {
    private var properties: [(name: String, value: String, from: String)] = []

    public init() {}

    /// Values of ours for properties that the user has not set.
    package mutating func setDefaults(_ defaults: [(name: String, value: String)]) {
        for (name, value) in defaults where self.value(of: name) == nil { properties.append((name, value, "default")) }
    }

    mutating func remove(_ name: String) { properties.removeAll { $0.name == name } }

    mutating func replace(_ name: String, by value: String) {
        remove(name)
        properties.append((name, value, "default"))
    }

    /// `name=value`, as given to -X.
    public mutating func add(_ assignment: String) throws(Failure) {
        try add(assignment, from: "-X")
    }

    /// The lines of a -F file: `name=value`, blank, or a comment that begins with `#`. White space around name and value
    /// does not count.
    public mutating func add(contentsOf file: String, _ bytes: [UInt8]) throws(Failure) {
        var number = 0
        for line in bytes.split(separator: 0x0A, omittingEmptySubsequences: false) {
            number += 1
            let source = "\(file): line \(number)"
            guard let text = String(validating: line, as: UTF8.self), !line.contains(0) else {
                throw Failure(.configuration, "\(source): not text in UTF-8")
            }
            let trimmed = Self.trim(text[...])
            if trimmed.isEmpty || trimmed.hasPrefix("#") { continue }
            let parts = trimmed.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(Self.trim)
            try add(parts.joined(separator: "="), from: source)
        }
    }

    private mutating func add(_ assignment: String, from source: String) throws(Failure) {
        let parts = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else {
            // What stands there may be a secret: it is not shown.
            throw Failure(.configuration, "\(source): a property is written NAME=VALUE")
        }
        properties.append((Self.canonical(String(parts[0])), String(parts[1]), source))
    }

    private static func trim(_ text: Substring) -> Substring {
        let rest = text.drop { $0 == " " || $0 == "\t" || $0 == "\r" }
        return rest.lastIndex { $0 != " " && $0 != "\t" && $0 != "\r" }.map { rest[...$0] } ?? ""
    }

    /// librdkafka has second names for some; we ask for these by the first.
    private static func canonical(_ name: String) -> String {
        switch name {
        case "metadata.broker.list": "bootstrap.servers"
        case "compression.type": "compression.codec"
        default: name
        }
    }

    package func value(of name: String) -> String? { properties.last { $0.name == name }?.value }

    /// A configuration object. Who gets it frees it, or hands it to `rd_kafka_new`, which does so on success.
    /// - Throws: names the property that librdkafka refuses, never its value, which may be a secret.
    package func configuration() throws(Failure) -> OpaquePointer {
        guard let configuration = rd_kafka_conf_new() else { throw Failure(.internalError, "out of memory") }
        var reason = [CChar](repeating: 0, count: 512)
        for (name, value, source) in properties {
            switch rd_kafka_conf_set(configuration, name, value, &reason, reason.count) {
            case RD_KAFKA_CONF_OK: continue
            case RD_KAFKA_CONF_UNKNOWN:
                rd_kafka_conf_destroy(configuration)
                throw Failure(.configuration, "\(source): librdkafka has no property \"\(name)\"")
            default:
                rd_kafka_conf_destroy(configuration)
                throw Failure(.configuration, "\(source): librdkafka refuses the value of \"\(name)\"")
            }
        }
        return configuration
    }
}
