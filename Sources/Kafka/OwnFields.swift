import Bytes

/// What a line says of its message: fields in front that `--with` names, and fields that stay in the line.
struct OwnFields {
    var key: [UInt8]?
    var partition: Int32?
    var timestamp: Int64?
    var headers: [Header] = []

    init() {}

    /// Takes the fields in front off `line`.
    init(
        takenFrom line: inout UnsafeRawBufferPointer, _ shape: MessageShape, partitions: Int32
    ) throws(UndeliverableLine) {
        headers = shape.headers
        for (place, field) in shape.with.enumerated() {
            let end = line.firstIndex(of: UInt8(ascii: "\t"))
            guard let end else { throw .missingField(place + 2) }
            try take(field, UnsafeRawBufferPointer(rebasing: line[..<end]), partitions)
            line = UnsafeRawBufferPointer(rebasing: line[(end + 1)...])
        }
        if let fields = shape.keyFields {
            var space: [UInt8] = []
            space.reserveCapacity(line.count)
            guard let found = fields.key(of: line, &space) else { throw .missingField(fields.last) }
            key = Array(found)
        }
        if let number = shape.timestampField {
            let fields = line.split(separator: UInt8(ascii: "\t"), maxSplits: number, omittingEmptySubsequences: false)
            guard fields.count >= number else { throw .missingField(number) }
            timestamp = try Self.timestamp(UnsafeRawBufferPointer(rebasing: fields[number - 1]))
        }
    }

    private mutating func take(
        _ field: MessageField, _ text: UnsafeRawBufferPointer, _ partitions: Int32
    ) throws(UndeliverableLine) {
        switch field {
        case .key:
            if text.elementsEqual(Escape.missing) { return }
            guard let bytes = Escape.read(Array(text)[...]) else { throw .notAKey(quoted(text)) }
            key = bytes
        case .partition:
            guard let number = try? Decimal.parse(text), (0..<Int64(partitions)).contains(number) else {
                throw .notAPartition(quoted(text))
            }
            partition = Int32(number)
        case .offset: return  // the broker gives the message a new one
        case .timestamp: if !text.isEmpty { timestamp = try Self.timestamp(text) }
        case .headers:
            guard let read = Header.read(Array(text)[...]) else { throw .notHeaders(quoted(text)) }
            headers += read
        }
    }

    private static func timestamp(_ text: UnsafeRawBufferPointer) throws(UndeliverableLine) -> Int64 {
        // librdkafka takes 0 for now.
        guard let time = try? Decimal.parse(text), time > 0 else { throw .notATimestamp(quoted(text)) }
        return time
    }

    func withKey<Result>(_ body: (UnsafeRawBufferPointer?) -> Result) -> Result {
        Self.withAddress(of: key, body)
    }

    /// A key as librdkafka wants it: an empty key is not a missing one, so it has an address.
    static func withAddress<Result, Problem: Error>(
        of key: [UInt8]?, _ body: (UnsafeRawBufferPointer?) throws(Problem) -> Result
    ) throws(Problem) -> Result {
        guard let key else { return try body(nil) }
        return try (key + [0]).span.withUnsafeBytes { bytes throws(Problem) in
            try body(UnsafeRawBufferPointer(rebasing: bytes[..<key.count]))
        }
    }
}
