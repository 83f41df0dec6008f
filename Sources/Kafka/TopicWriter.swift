public import Bytes
import CBytes
import CRDKafka
public import ToolRuntime

/// What `kcat-out` makes of a line.
public struct MessageShape: Sendable {
    /// Fields that are taken off the front of the line and become the message's own.
    public var with: [MessageField] = []
    public var keyFields: FieldList?
    /// The field, counted from 1, that holds the timestamp in milliseconds since the Unix epoch; it stays in the line.
    public var timestampField: Int?
    public var headers: [Header] = []
    public var partition: Int32?
    /// Lines of one partition are put into one message, LF between them, up to so many bytes.
    public var pack: Int?

    public init() {}

    /// Whether a message has what librdkafka takes only one by one.
    var isSlow: Bool { timestampField != nil || !headers.isEmpty || with.contains(.timestamp) || with.contains(.headers) }
}

/// Why a line cannot become a message.
public enum UndeliverableLine: LineProblem {
    case missingField(Int)
    case notATimestamp(String)
    case notAPartition(String)
    case notAKey(String)
    case notHeaders(String)
    case refused(String)

    public var description: String {
        switch self {
        case .missingField(let number): "there is no field \(number)"
        case .notATimestamp(let text): "timestamp is not in milliseconds: \(text)"
        case .notAPartition(let text): "not a partition of the topic: \(text)"
        case .notAKey(let text): "key has an unknown escape: \(text)"
        case .notHeaders(let text): "headers are not name=value,…: \(text)"
        case .refused(let reason): "cannot be delivered: \(reason)"
        }
    }
}

/// Turns lines into messages of one topic.
public struct TopicWriter: ~Copyable {
    private let producer: Producer
    private let shape: MessageShape
    /// Partitions of the topic.
    private let partitions: Int32
    /// One for each partition, and behind them one for lines without a key, which may go anywhere; empty without `pack`.
    private var packs: [Pack]
    private let batch: UnsafeMutableBufferPointer<rd_kafka_message_t>
    private var key: [UInt8] = []
    /// Bytes of the lines so far.
    public private(set) var byteCount = 0

    /// - Throws: `unavailable` if no broker answers or there is no such topic.
    public init(_ producer: Producer, _ shape: MessageShape, topic: String) throws(Failure) {
        let partitions = try producer.client.partitionCounts(of: [topic])[topic] ?? 0
        if let partition = shape.partition, partition >= partitions {
            throw Failure(.configuration, "topic \"\(topic)\" has \(partitions) partitions: there is no partition \(partition)")
        }
        self.producer = producer
        self.shape = shape
        self.partitions = partitions
        packs = Array(repeating: Pack(), count: shape.pack == nil ? 0 : Int(partitions) + 1)
        batch = .allocate(capacity: 1024)
        batch.initialize(repeating: rd_kafka_message_t())
    }

    deinit { batch.deallocate() }

    /// Sends the lines, or puts them into packs. Waits while too much is under way.
    public mutating func write(
        _ lines: UnsafeRawBufferPointer, firstLine: Int, into output: inout Output
    ) throws(Failure) {
        byteCount += lines.count
        if shape.pack == nil, !shape.isSlow, shape.with.isEmpty {
            return try writeBatches(lines, firstLine: firstLine, into: &output)
        }
        var scanner = LineScanner(lines)
        var number = firstLine
        while let range = scanner.next() {
            try writeOne(UnsafeRawBufferPointer(rebasing: lines[range]), number: number, into: &output)
            number += 1
        }
    }

    /// The fast way, for lines that are values and perhaps hold a key.
    private mutating func writeBatches(
        _ lines: UnsafeRawBufferPointer, firstLine: Int, into output: inout Output
    ) throws(Failure) {
        var scanner = LineScanner(lines)
        var number = firstLine
        // Keys that are not one piece of the line are put together here. It never grows, so pointers into it stay good.
        key.removeAll(keepingCapacity: true)
        key.reserveCapacity(lines.count)
        let only = shape.partition ?? (partitions == 1 ? 0 : nil)
        var more = true
        while more {
            var (count, longest) = (0, 0)
            let firstOfBatch = number
            while count < batch.count {
                guard let range = scanner.next() else {
                    more = false
                    break
                }
                let line = UnsafeRawBufferPointer(rebasing: lines[range])
                number += 1
                batch[count] = rd_kafka_message_t()
                batch[count].partition = RD_KAFKA_PARTITION_UA
                // An empty value is not a missing one: the line's place is its address even where it has no bytes.
                batch[count].payload = UnsafeMutableRawPointer(mutating: lines.baseAddress! + range.lowerBound)
                batch[count].len = range.count
                batch[count]._private = UnsafeMutableRawPointer(bitPattern: number - 1)
                if let fields = shape.keyFields {
                    guard let found = fields.key(of: line, &key) else {
                        try reject(line, number - 1, .missingField(fields.last), into: &output)
                        continue
                    }
                    batch[count].key = UnsafeMutableRawPointer(mutating: found.baseAddress)
                    batch[count].key_len = found.count
                }
                longest = max(longest, range.count)
                count += 1
            }
            guard count > 0 else { continue }
            try producer.room(for: count, length: longest)
            let messages = UnsafeMutableBufferPointer(rebasing: batch[..<count])
            for (place, code) in producer.produce(messages, partition: only) {
                let line = UnsafeRawBufferPointer(start: messages[place].payload, count: messages[place].len)
                let at = messages[place]._private.map { Int(bitPattern: $0) } ?? firstOfBatch
                try refuse(line, at, code, into: &output)
            }
        }
    }

    /// The way for lines with fields of their own in front, timestamps, headers or packs.
    private mutating func writeOne(
        _ whole: UnsafeRawBufferPointer, number: Int, into output: inout Output
    ) throws(Failure) {
        var line = whole
        var own = OwnFields()
        do throws(UndeliverableLine) {
            own = try OwnFields(takenFrom: &line, shape, partitions: partitions)
        } catch {
            return try reject(whole, number, error, into: &output)
        }
        let partition = own.partition ?? shape.partition
        if shape.pack != nil, own.timestamp == nil, own.headers.isEmpty {
            return try pack(line, own.key, partition, number: number, into: &output)
        }
        try producer.room(for: 1, length: line.count)
        let code = own.withKey { key in
            producer.produce(
                value: line, key: key, partition: partition ?? RD_KAFKA_PARTITION_UA, timestamp: own.timestamp,
                headers: own.headers.isEmpty ? nil : Header.list(own.headers), line: number)
        }
        if code != RD_KAFKA_RESP_ERR_NO_ERROR { try refuse(whole, number, code, into: &output) }
    }

    private mutating func pack(
        _ line: UnsafeRawBufferPointer, _ key: [UInt8]?, _ partition: Int32?, number: Int, into output: inout Output
    ) throws(Failure) {
        var slot = Int(partition ?? partitions)
        if let key, partition == nil {
            slot = Int(key.withUnsafeBytes { bytes in
                rd_kafka_msg_partitioner_murmur2(producer.topic, bytes.baseAddress, bytes.count, partitions, nil, nil)
            })
        }
        if packs[slot].lineCount > 0, packs[slot].bytes.count + 1 + line.count > shape.pack ?? 0 {
            try send(slot, into: &output)
        }
        packs[slot].add(line, number: number)
        if packs[slot].bytes.count >= shape.pack ?? 0 { try send(slot, into: &output) }
    }

    /// Whether lines wait for their pack to be full.
    public var hasPacks: Bool { packs.contains { $0.lineCount > 0 } }

    /// Sends the packs that are not empty.
    public mutating func sendPacks(into output: inout Output) throws(Failure) {
        for slot in packs.indices where packs[slot].lineCount > 0 { try send(slot, into: &output) }
    }

    private mutating func send(_ slot: Int, into output: inout Output) throws(Failure) {
        var pack = Pack()
        swap(&pack, &packs[slot])
        try producer.room(for: 1, length: pack.bytes.count)
        let code = pack.bytes.withUnsafeBytes { bytes in
            producer.produce(
                value: bytes, key: nil, partition: slot == Int(partitions) ? RD_KAFKA_PARTITION_UA : Int32(slot),
                timestamp: nil, headers: nil, line: pack.firstLine)
        }
        if code != RD_KAFKA_RESP_ERR_NO_ERROR {
            for line in pack.bytes.split(separator: 0x0A, omittingEmptySubsequences: false) {
                try Array(line).span.withUnsafeBytes { bytes throws(Failure) in
                    try refuse(bytes, pack.firstLine, code, into: &output)
                }
            }
        }
    }

    /// Ends this writer's part of every partition.
    public func writeEndOfStream(ok: Bool) throws(Failure) {
        for partition in 0..<partitions {
            let status = Array((ok ? EndOfStream.ok : EndOfStream.failed).utf8)
            let headers = Header.list([Header(name: Array(EndOfStream.header.utf8), value: status)])
            try producer.room(for: 1, length: 64)
            let code = producer.produce(
                value: UnsafeRawBufferPointer(start: nil, count: 0), key: nil, partition: partition, timestamp: nil,
                headers: headers, line: 0)
            if code != RD_KAFKA_RESP_ERR_NO_ERROR { throw .kafka("cannot write the end-of-stream record", code) }
        }
    }

    /// A line that librdkafka turned down for good.
    private func refuse(
        _ line: UnsafeRawBufferPointer, _ number: Int, _ code: rd_kafka_resp_err_t, into output: inout Output
    ) throws(Failure) {
        try reject(line, number, .refused(String(cString: rd_kafka_err2str(code))), into: &output)
    }

    private func reject(
        _ line: UnsafeRawBufferPointer, _ number: Int, _ problem: UndeliverableLine, into output: inout Output
    ) throws(Failure) {
        do {
            try output.reject(line, number: number, problem)
        } catch {
            throw Failure(.malformedData, error.description)
        }
    }
}

/// Lines on their way into one message.
private struct Pack {
    var bytes: [UInt8] = []
    var lineCount = 0
    var firstLine = 0

    mutating func add(_ line: UnsafeRawBufferPointer, number: Int) {
        if lineCount == 0 { firstLine = number } else { bytes.append(0x0A) }
        bytes.append(contentsOf: line)
        lineCount += 1
    }
}
