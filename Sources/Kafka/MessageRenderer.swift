import Bytes
import CBytes
import CRDKafka
internal import Delivery
import ToolRuntime

/// Turns a message into lines.
struct MessageRenderer {
    private let with: [MessageField]
    private let embeddedLF: ReadPlan.EmbeddedLF
    /// The `--with` fields of a message, each with its TAB.
    private var front: [UInt8] = []
    /// Where the offset ends in it, without its TAB.
    private var offsetEnd: Int?

    init(with: [MessageField], embeddedLF: ReadPlan.EmbeddedLF) {
        self.with = with
        self.embeddedLF = embeddedLF
    }

    /// Appends the lines of `message`, at most `limit`. Returns how many, and whether these are all of them.
    mutating func append(
        _ message: UnsafeMutablePointer<rd_kafka_message_t>, to output: inout LineOutput, limit: Int
    ) throws(Failure) -> (count: Int, isWhole: Bool) {
        // A message without a value, a tombstone of a compacted topic, is an empty line.
        let value = UnsafeRawBufferPointer(start: message.pointee.payload, count: message.pointee.len)
        front.removeAll(keepingCapacity: true)
        if !with.isEmpty { renderFields(of: message) }
        if embeddedLF == .escape {
            Escape.writeLineEnds(value, to: &front)
            output.append(front, UnsafeRawBufferPointer(start: nil, count: 0))
            return (1, true)
        }
        let lineEnds = Self.lineEnds(in: value)
        if lineEnds == 0 || (embeddedLF == .split && with.isEmpty && lineEnds < limit) {
            output.append(front, value)
            return (lineEnds + 1, true)
        }
        guard embeddedLF == .split else {
            throw Failure(
                .malformedData,
                "partition \(message.pointee.partition), offset \(message.pointee.offset): the message holds a line end"
            )
        }
        return appendEach(value, from: 0, to: &output, limit: limit)
    }

    /// Appends lines of `message`: those in `part`, which is all of its value or, where line ends are to be split, whole lines
    /// of it without the last LF.
    /// - Parameter earlier: how many of its lines come before them.
    mutating func append(
        _ part: UnsafeRawBufferPointer, of message: UnsafeMutablePointer<rd_kafka_message_t>, after earlier: Int,
        to output: inout LineOutput
    ) throws(Failure) {
        if with.isEmpty, embeddedLF == .split { return output.append(front, part) }
        if part.count == message.pointee.len { return _ = try append(message, to: &output, limit: .max) }
        front.removeAll(keepingCapacity: true)
        renderFields(of: message)
        _ = appendEach(part, from: earlier, to: &output, limit: .max)
    }

    /// Appends lines of a message of several, each after the fields. Where the offset is one of these, the place of the line in
    /// its message goes with it: `offset.index`.
    private mutating func appendEach(
        _ lines: UnsafeRawBufferPointer, from index: Int, to output: inout LineOutput, limit: Int
    ) -> (count: Int, isWhole: Bool) {
        var count = 0
        let fields = front
        for line in lines.split(separator: 0x0A, omittingEmptySubsequences: false) {
            if count == limit { return (count, false) }
            if let offsetEnd {
                front.removeAll(keepingCapacity: true)
                front += fields[..<offsetEnd]
                front.append(UInt8(ascii: "."))
                append(decimal: Int64(index + count))
                front += fields[offsetEnd...]
            }
            output.append(front, UnsafeRawBufferPointer(rebasing: line))
            count += 1
        }
        return (count, true)
    }

    private static func lineEnds(in value: UnsafeRawBufferPointer) -> Int {
        guard let base = value.baseAddress else { return 0 }
        // In bounds: `count` bytes lie at the base. Most values are one line, and finding that out is cheaper.
        if cbytes_first(base, 0x0A, value.count) == value.count { return 0 }
        return cbytes_count(base, 0x0A, value.count)
    }

    private mutating func renderFields(of message: UnsafeMutablePointer<rd_kafka_message_t>) {
        for field in with {
            switch field {
            case .key:
                if let key = message.pointee.key {
                    Escape.write(UnsafeRawBufferPointer(start: key, count: message.pointee.key_len), to: &front)
                } else {
                    front += Escape.missing
                }
            case .partition: append(decimal: Int64(message.pointee.partition))
            case .offset:
                append(decimal: message.pointee.offset)
                offsetEnd = front.count
            case .timestamp:
                var type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
                let time = rd_kafka_message_timestamp(message, &type)
                if type != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE { append(decimal: time) }
            case .headers: Header.write(Self.headers(of: message), to: &front)
            }
            front.append(0x09)
        }
    }

    private mutating func append(decimal number: Int64) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Decimal.longest) { space in
            guard let base = space.baseAddress else { return }
            front.append(contentsOf: UnsafeBufferPointer(start: base, count: Decimal.write(number, to: base)))
        }
    }

    static func headers(of message: UnsafePointer<rd_kafka_message_t>) -> [Header] {
        var list: OpaquePointer?
        guard rd_kafka_message_headers(message, &list) == RD_KAFKA_RESP_ERR_NO_ERROR, let list else { return [] }
        var headers: [Header] = []
        var (name, value, size): (UnsafePointer<CChar>?, UnsafeRawPointer?, Int) = (nil, nil, 0)
        while rd_kafka_header_get_all(list, headers.count, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR {
            let bytes = value.map { Array(UnsafeRawBufferPointer(start: $0, count: size)) }
            headers.append(Header(name: name.map(bytesOfC) ?? [], value: bytes))
        }
        return headers
    }
}

/// The bytes of a string of C, be they UTF-8 or not.
private func bytesOfC(_ text: UnsafePointer<CChar>) -> [UInt8] {
    var bytes: [UInt8] = []
    while text[bytes.count] != 0 { bytes.append(UInt8(bitPattern: text[bytes.count])) }
    return bytes
}

extension LineOutput {
    /// Appends `front`, then `rest`, then LF.
    fileprivate mutating func append(_ front: [UInt8], _ rest: UnsafeRawBufferPointer) {
        let count = front.count + rest.count + 1
        let target = UnsafeMutableRawBufferPointer(start: reserve(count), count: count)
        if !front.isEmpty { target.copyBytes(from: front) }
        // In bounds: `count` has room for the three.
        if let base = rest.baseAddress, let to = target.baseAddress {
            (to + front.count).copyMemory(from: base, byteCount: rest.count)
        }
        target[count - 1] = 0x0A
        commit(count)
    }
}
