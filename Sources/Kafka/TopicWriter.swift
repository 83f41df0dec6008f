public import Bytes
import CBytes
import CRDKafka
internal import Delivery
public import ToolRuntime

/// Turns lines into messages of one topic.
public struct TopicWriter: ~Copyable {
    private let producer: Producer
    private let shape: MessageShape
    private let topic: String
    /// Partitions of the topic.
    private(set) var partitions: Int32
    private var added: AddedPartitions
    private let patience: Patience
    /// One for each partition, and behind them one for lines without a key, which may go anywhere; empty without `pack`.
    private var packs: [Pack]
    private let batch: UnsafeMutableBufferPointer<rd_kafka_message_t>
    private var key: [UInt8] = []
    /// Bytes of the lines so far.
    public private(set) var byteCount = 0

    /// - Throws: `unavailable` if no broker answers or there is no such topic.
    init(
        _ producer: Producer, _ shape: MessageShape, topic: String, _ patience: Patience
    ) throws(Failure) {
        let partitions = try producer.client.partitionCount(of: topic, patience)
        if let partition = shape.partition, partition >= partitions {
            throw Failure(
                .configuration, "topic \"\(topic)\" has \(partitions) partitions: there is no partition \(partition)")
        }
        try producer.meet(partitions: partitions)
        self.producer = producer
        (self.shape, self.topic) = (shape, topic)
        self.partitions = partitions
        self.patience = patience
        added = AddedPartitions(
            topic: topic, endsWhereKeysMove: shape.endsOnNewPartitions,
            hasKeys: shape.partition == nil && (shape.keyFields != nil || shape.with.contains(.key)),
            interval: producer.refreshMilliseconds, at: Client.monotonicMilliseconds())
        packs = Array(repeating: Pack(), count: shape.pack == nil ? 0 : Int(partitions) + 1)
        batch = .allocate(capacity: 1024)
        batch.initialize(repeating: rd_kafka_message_t())
    }

    deinit { batch.deallocate() }

    /// Sends the lines, or puts them into packs. Waits while too much is under way.
    public mutating func write(
        _ lines: UnsafeRawBufferPointer, firstLine: Int, into output: inout Output
    ) throws(Failure) {
        try lookForPartitions(nextLine: firstLine, into: &output)
        byteCount += lines.count
        if shape.pack != nil, shape.keyFields == nil, shape.with.isEmpty {
            return try writePacks(lines, firstLine: firstLine, into: &output)
        }
        if shape.pack == nil, !shape.isSlow {
            return try writeBatches(lines, firstLine: firstLine, into: &output)
        }
        var scanner = LineScanner(lines)
        var number = firstLine
        key.removeAll(keepingCapacity: true)
        key.reserveCapacity(lines.count)
        let fields = shape.with.isEmpty && shape.pack != nil ? shape.keyFields : nil
        while let range = scanner.next() {
            let line = UnsafeRawBufferPointer(rebasing: lines[range])
            if let fields {
                try writeKeyed(line, fields, number: number, into: &output)
            } else {
                try writeOne(line, number: number, into: &output)
            }
            number += 1
        }
    }

    /// Takes up partitions that were added. Where keys go changes here and nowhere else: not in the middle of a chunk, and not
    /// when librdkafka hears of it.
    mutating func lookForPartitions(nextLine: Int, into output: inout Output) throws(Failure) {
        guard added.isDue(at: Client.monotonicMilliseconds()) else { return }
        // One answer that is late, or wrong, is not missed.
        guard case .partitionCount(let found) = producer.client.describe(topic, milliseconds: 200) else { return }
        switch added.decide(found: found, known: partitions, line: nextLine) {
        case .nothing: return
        case .end(let ending): throw Failure(ending)
        case .use(let count, let words):
            if let words { patience.say(words) }
            try sendPacks(into: &output)
            partitions = count
            producer.use(partitions: count)
            if !packs.isEmpty { packs = Array(repeating: Pack(), count: Int(count) + 1) }
        }
    }

    /// The fast way, for lines that are values and perhaps hold a key.
    private mutating func writeBatches(
        _ lines: UnsafeRawBufferPointer, firstLine: Int, into output: inout Output
    ) throws(Failure) {
        guard let base = lines.baseAddress else { return }
        var scanner = LineScanner(lines)
        var number = firstLine
        // Keys that are not one piece of the line are put together here. It never grows, so pointers into it stay good.
        key.removeAll(keepingCapacity: true)
        key.reserveCapacity(lines.count)
        let only = shape.partition ?? (partitions == 1 ? 0 : nil)
        var more = true
        while more {
            var count = 0
            while count < batch.count {
                guard let range = scanner.next() else {
                    more = false
                    break
                }
                number += 1
                var message = rd_kafka_message_t()
                message.partition = RD_KAFKA_PARTITION_UA
                // An empty value is not a missing one: the line's place is its address even where it has no bytes.
                message.payload = UnsafeMutableRawPointer(mutating: base + range.lowerBound)
                message.len = range.count
                message._private = UnsafeMutableRawPointer(bitPattern: number - 1)
                if let fields = shape.keyFields {
                    let line = UnsafeRawBufferPointer(rebasing: lines[range])
                    guard let found = fields.key(of: line, &key) else {
                        // What stands in front of it is sent, whatever comes of it.
                        try send(count, partition: only, into: &output)
                        count = 0
                        try reject(line, number - 1, .missingField(fields.last), into: &output)
                        continue
                    }
                    message.key = UnsafeMutableRawPointer(mutating: found.baseAddress)
                    message.key_len = found.count
                    if only == nil { message.partition = producer.partition(ofKey: found) }
                }
                batch[count] = message
                count += 1
            }
            try send(count, partition: only, into: &output)
        }
    }

    /// Sends the first `count` messages of the batch.
    private func send(_ count: Int, partition: Int32?, into output: inout Output) throws(Failure) {
        try producer.send(UnsafeMutableBufferPointer(rebasing: batch[..<count]), partition: partition) {
            message throws(Failure) in
            let line = UnsafeRawBufferPointer(start: message.payload, count: message.len)
            try refuse(line, Int(bitPattern: message._private), message.err, into: &output)
        }
    }

    /// The way for lines with fields of their own in front, timestamps or headers.
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
        var partition = own.partition ?? shape.partition
        if shape.pack != nil {
            let slot = own.withKey { partition.map { Int($0) } ?? self.slot(ofKey: $0) }
            return try pack(line, slot, number: number, into: &output)
        }
        let (key, timestamp, headers) = (own.key, own.timestamp, own.headers)
        let code = try OwnFields.withAddress(of: key) { key throws(Failure) in
            if partition == nil, let key { partition = producer.partition(ofKey: key) }
            return try producer.send(
                value: line, key: key, partition: partition ?? RD_KAFKA_PARTITION_UA, timestamp: timestamp,
                headers: headers, line: number)
        }
        if let code { try refuse(whole, number, code, into: &output) }
    }

    // MARK: Packs

    /// The fast way for lines that may go anywhere, or all to one partition: as many as fit are copied as they lie.
    private mutating func writePacks(
        _ lines: UnsafeRawBufferPointer, firstLine: Int, into output: inout Output
    ) throws(Failure) {
        guard let base = lines.baseAddress, let limit = shape.pack else { return }
        let slot = Int(shape.partition ?? (partitions == 1 ? 0 : partitions))
        var (at, number) = (0, firstLine)
        while at < lines.count {
            // In bounds: at most the rest of the lines. The LF behind the last line does not count.
            let room = limit - packs[slot].byteCountWithNext
            let whole = room < 0 ? 0 : cbytes_behind_last(base + at, 0x0A, min(room + 1, lines.count - at))
            if whole == 0 {
                if packs[slot].lineCount > 0 {
                    try send(slot, into: &output)
                    continue
                }
                // Longer than a pack: a message of its own.
                let length = cbytes_first(base + at, 0x0A, lines.count - at)
                packs[slot].add(UnsafeRawBufferPointer(start: base + at, count: length), lines: 1, number: number)
                try send(slot, into: &output)
                (at, number) = (at + length + 1, number + 1)
            } else {
                let count = cbytes_count(base + at, 0x0A, whole)
                packs[slot].add(
                    UnsafeRawBufferPointer(start: base + at, count: whole - 1), lines: count, number: number)
                (at, number) = (at + whole, number + count)
            }
        }
    }

    /// A line with a key, into the pack of the key's partition.
    private mutating func writeKeyed(
        _ line: UnsafeRawBufferPointer, _ fields: FieldList, number: Int, into output: inout Output
    ) throws(Failure) {
        guard let found = fields.key(of: line, &key) else {
            return try reject(line, number, .missingField(fields.last), into: &output)
        }
        try pack(line, shape.partition.map { Int($0) } ?? slot(ofKey: found), number: number, into: &output)
    }

    /// The partition of a key, as the Java client chooses it; without one any.
    private func slot(ofKey key: UnsafeRawBufferPointer?) -> Int {
        let any = Int(partitions == 1 ? 0 : partitions)
        guard let key else { return any }
        let partition = producer.partition(ofKey: key)
        return partition == RD_KAFKA_PARTITION_UA ? any : Int(partition)
    }

    private mutating func pack(
        _ line: UnsafeRawBufferPointer, _ slot: Int, number: Int, into output: inout Output
    ) throws(Failure) {
        if packs[slot].lineCount > 0, packs[slot].byteCountWithNext + line.count > shape.pack ?? 0 {
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
        let partition = slot == Int(partitions) ? RD_KAFKA_PARTITION_UA : Int32(slot)
        let (firstLine, lineCount) = (packs[slot].firstLine, packs[slot].lineCount)
        // Lines without a key in them may go anywhere, in a message with no key.
        let code = try packs[slot].withBytes { bytes throws(Failure) in
            try producer.send(
                value: bytes, key: nil, partition: partition, timestamp: nil, headers: shape.headers, line: firstLine,
                lines: lineCount, numbers: packs[slot].numbers)
        }
        if let code { try refusePack(packs[slot], code, into: &output) }
        packs[slot].empty()
    }

    // MARK: The end and what cannot be delivered

    /// Ends this writer's part of every partition.
    /// - Parameter writer: its name, if it may do so more than once.
    public func writeEndOfStream(ok: Bool, writer: String?) throws(Failure) {
        let status = Array((ok ? EndOfStream.ok : EndOfStream.failed).utf8)
        var headers = [Header(name: Array(EndOfStream.header.utf8), value: status)]
        if let writer { headers.append(Header(name: Array(EndOfStream.writer.utf8), value: Array(writer.utf8))) }
        // Partitions that were added meanwhile have their readers, too.
        var count = partitions
        if case .partitionCount(let now) = producer.client.describe(topic, milliseconds: 5000) {
            count = max(count, now)
        }
        try writeToAll(count, key: nil, headers, "cannot write the end-of-stream record")
    }

    /// Tells every partition how far the input's partitions have come.
    /// - Parameter writer: its name.
    func writeWatermark(_ record: WatermarkRecord, writer: String) throws(Failure) {
        let headers = [Header(name: Array(WatermarkRecord.header.utf8), value: record.value)]
        try writeToAll(partitions, key: WatermarkRecord.key(ofWriter: writer), headers, "cannot write a watermark")
    }

    /// A record of our own, which holds no line, into each of the first `count` partitions.
    private func writeToAll(
        _ count: Int32, key: [UInt8]?, _ headers: [Header], _ attempt: String
    ) throws(Failure) {
        for partition in 0..<count {
            let code = try OwnFields.withAddress(of: key) { key throws(Failure) in
                try producer.send(
                    value: UnsafeRawBufferPointer(start: nil, count: 0), key: key, partition: partition,
                    timestamp: nil, headers: headers, line: 0)
            }
            if let code { throw .kafka(attempt, code) }
        }
    }

    /// Puts aside what the broker has refused in the meantime.
    public func rejectRefused(into output: inout Output) throws(Failure) {
        for (line, code, value) in producer.takeRefused() {
            try value.span.withUnsafeBytes { bytes throws(Failure) in try refuse(bytes, line, code, into: &output) }
        }
    }

    private func refusePack(
        _ pack: borrowing Pack, _ code: rd_kafka_resp_err_t, into output: inout Output
    ) throws(Failure) {
        let lines = pack.bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        let numbers = pack.numbers?.all
        for (place, line) in lines.enumerated() {
            let number = numbers?[place] ?? pack.firstLine + place
            try Array(line).span.withUnsafeBytes { bytes throws(Failure) in
                try refuse(bytes, number, code, into: &output)
            }
        }
    }

    /// A line that can never be delivered.
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

/// Lines on their way into one message, LF between them.
private struct Pack {
    private(set) var bytes: [UInt8] = []
    private(set) var lineCount = 0
    /// The number of the first of them.
    private(set) var firstLine = 0
    /// Of all of them, where they came one by one; else they are in a row.
    private(set) var numbers: LineNumbers?
    /// How many lines the last one had.
    private var usualCount = 0

    /// The bytes that it has when a line of none is added.
    var byteCountWithNext: Int { lineCount == 0 ? 0 : bytes.count + 1 }

    /// One line, of which the next may come from further on.
    mutating func add(_ line: UnsafeRawBufferPointer, number: Int) {
        if lineCount == 0 {
            numbers = LineNumbers(first: number, capacity: usualCount)
        } else {
            numbers?.append(number)
        }
        add(line, lines: 1, number: number)
    }

    /// - Parameter lines: how many `text` holds, with LF between them.
    mutating func add(_ text: UnsafeRawBufferPointer, lines: Int, number: Int) {
        if lineCount == 0 { firstLine = number } else { bytes.append(0x0A) }
        bytes.append(contentsOf: text)
        lineCount += lines
    }

    func withBytes<Result, Problem: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Problem) -> Result
    ) throws(Problem) -> Result {
        try bytes.span.withUnsafeBytes(body)
    }

    mutating func empty() {
        bytes.removeAll(keepingCapacity: true)
        (usualCount, lineCount, numbers) = (lineCount + lineCount / 8, 0, nil)
    }
}
