import Bytes
import CRDKafka
internal import Delivery
import ToolRuntime

/// What is sent, and in which order.
extension Producer {
    /// Sends copies of the messages. `_private` of each is its line number. Waits while too much is under way.
    /// - Parameters:
    ///   - partition: of all of them; nil: each says its own, which may be `RD_KAFKA_PARTITION_UA`, for the partitioner to
    ///     choose by the key.
    ///   - refuse: gets the messages that can never be delivered.
    func send(
        _ messages: UnsafeMutableBufferPointer<rd_kafka_message_t>, partition: Int32?,
        refuse: (rd_kafka_message_t) throws(Failure) -> Void
    ) throws(Failure) {
        var rest = messages[...]
        while !rest.isEmpty {
            let misfit = firstMisfit(rest) ?? rest.endIndex
            try sendTogether(UnsafeMutableBufferPointer(rebasing: rest[..<misfit]), partition, refuse)
            rest = rest[misfit...]
            guard var message = rest.popFirst() else { return }
            if isTransactional {
                message.err = RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE
                if message.key == nil, limits?.needsKey == true { message.err = RD_KAFKA_RESP_ERR_INVALID_RECORD }
                try refuse(message)
            } else {
                try sendAlone(ReturnedMessage(message, partition: partition ?? self.partition(of: message)))
            }
        }
    }

    /// The first message that does not fit into the topic, as far as is known.
    private func firstMisfit(_ messages: Slice<UnsafeMutableBufferPointer<rd_kafka_message_t>>) -> Int? {
        guard let limits else { return nil }
        // With all that a batch and a record have besides at most.
        let safe = (limits.batchBytes ?? .max) - TopicLimits.mostOverhead
        return messages.firstIndex {
            guard $0.len + $0.key_len > safe || limits.needsKey && $0.key == nil else { return false }
            let size = TopicLimits.batchBytes(value: $0.len, key: $0.key == nil ? nil : $0.key_len)
            return limits.refusal(size: size, hasKey: $0.key != nil, time: nil, now: 0) != nil
        }
    }

    private func sendTogether(
        _ messages: UnsafeMutableBufferPointer<rd_kafka_message_t>, _ partition: Int32?,
        _ refuse: (rd_kafka_message_t) throws(Failure) -> Void
    ) throws(Failure) {
        var rest = messages
        while !rest.isEmpty {
            try makeReady()
            if !introductions.areDone { rest = try introduce(rest, partition, refuse) }
            // That may have been refused.
            if !hasStopped { rest = try transmit(rest, partition, refuse) }
        }
    }

    /// Sends the first message to each partition that has taken none, and waits until they have.
    /// - Returns: the others.
    private func introduce(
        _ messages: UnsafeMutableBufferPointer<rd_kafka_message_t>, _ partition: Int32?,
        _ refuse: (rd_kafka_message_t) throws(Failure) -> Void
    ) throws(Failure) -> UnsafeMutableBufferPointer<rd_kafka_message_t> {
        try awaitIntroductions()
        if hasStopped { return messages }
        var firsts: [rd_kafka_message_t] = []
        var count = 0
        for place in messages.indices {
            var message = messages[place]
            message.partition = partition ?? self.partition(of: message)
            if introductions.isStranger(message.partition) {
                introductions.begin(message.partition)
                firsts.append(message)
            } else {
                messages[count] = message
                count += 1
            }
        }
        let others = UnsafeMutableBufferPointer(rebasing: messages[..<count])
        if firsts.isEmpty { return others }
        let buffer = UnsafeMutableBufferPointer<rd_kafka_message_t>.allocate(capacity: firsts.count)
        defer { buffer.deallocate() }
        _ = buffer.initialize(from: firsts)
        let left = try transmit(buffer, nil, refuse)
        if !others.isEmpty { try awaitIntroductions() }
        // A client that has stopped takes no more: what it has not taken goes first to the next.
        if !left.isEmpty { try sendTogether(left, nil, refuse) }
        return others
    }

    /// Waits until all partitions that were sent their first message have taken it.
    private func awaitIntroductions() throws(Failure) {
        guard introductions.areUnderWay else { return }
        try flush()
        try throwFirst()
        // Else there will be another client.
        if !hasStopped { introductions.complete() }
    }

    /// Where a message goes: by its key, or without one to a partition that has taken none yet; else librdkafka chooses.
    private func partition(of message: rd_kafka_message_t) -> Int32 {
        if message.partition != RD_KAFKA_PARTITION_UA { return message.partition }
        if let key = message.key {
            return partition(ofKey: UnsafeRawBufferPointer(start: key, count: message.key_len))
        }
        return introductions.stranger ?? RD_KAFKA_PARTITION_UA
    }

    /// The partition of a key, as the Java client chooses it, unless the user says otherwise.
    func partition(ofKey key: UnsafeRawBufferPointer) -> Int32 {
        partitioner.partition(of: key, topic, Int32(partitions)) ?? RD_KAFKA_PARTITION_UA
    }

    /// - Returns: what a client that has stopped did not take.
    private func transmit(
        _ messages: UnsafeMutableBufferPointer<rd_kafka_message_t>, _ partition: Int32?,
        _ refuse: (rd_kafka_message_t) throws(Failure) -> Void
    ) throws(Failure) -> UnsafeMutableBufferPointer<rd_kafka_message_t> {
        let flags = RD_KAFKA_MSG_F_COPY | (partition == nil ? RD_KAFKA_MSG_F_PARTITION : 0)
        var rest = messages[...]
        while let first = rest.first {
            let base = UnsafeMutableBufferPointer(rebasing: rest)
            let taken = rd_kafka_produce_batch(
                topic, partition ?? RD_KAFKA_PARTITION_UA, flags, base.baseAddress, CInt(base.count))
            takenLines += Int(taken)
            if Int(taken) == rest.count { break }
            if taken == 0, base[0].err == RD_KAFKA_RESP_ERR__FATAL, hasStopped { return base }
            // When the queue is full, this goes for all messages behind the first that did not fit: the order stays.
            let full = rest.firstIndex { $0.err == RD_KAFKA_RESP_ERR__QUEUE_FULL } ?? rest.endIndex
            for message in rest[..<full] where message.err != RD_KAFKA_RESP_ERR_NO_ERROR {
                try check(message.err, line: Int(bitPattern: message._private))
                try refuse(message)
            }
            rest = rest[full...]
            if rest.count == base.count, try !waitForRoom(line: Int(bitPattern: first._private)) {
                // It does not fit even where nothing else is under way.
                var message = first
                message.err = RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE
                try refuse(message)
                rest = rest.dropFirst()
            }
        }
        return UnsafeMutableBufferPointer(start: nil, count: 0)
    }

    /// Sends a copy of one message that has a timestamp or headers. Waits while too much is under way.
    /// - Parameters:
    ///   - timestamp: milliseconds since the Unix epoch, not 0, which librdkafka takes for now; nil: now.
    ///   - line: its number, and how many lines are in it.
    /// - Returns: why it can never be delivered; nil: it was taken.
    func send(
        value: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer?, partition: Int32, timestamp: Int64?,
        headers: [Header], line: Int, lines: Int = 1, numbers: LineNumbers? = nil
    ) throws(Failure) -> rd_kafka_resp_err_t? {
        if let code = refusal(value.count, key?.count, timestamp, headers) {
            if isTransactional { return rd_kafka_resp_err_t(code.rawValue) }
            try sendAlone(
                ReturnedMessage(
                    value: value, key: key, timestamp: timestamp, headers: headers, partition: partition,
                    numbers: numbers?.all ?? Array(line..<(line + lines))))
            return nil
        }
        while true {
            try makeReady()
            let target = introductions.areDone ? partition : try introduce(key, partition)
            if hasStopped { continue }
            switch client.produce(topic, value, key, target, timestamp, headers, line) {
            case RD_KAFKA_RESP_ERR_NO_ERROR:
                takenLines += line > 0 ? lines : 0
                if let numbers { try keep(numbers, ofPack: line) }
                introductions.begin(target)
                return nil
            case RD_KAFKA_RESP_ERR__QUEUE_FULL:
                if try !waitForRoom(line: line) { return RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE }
            case RD_KAFKA_RESP_ERR__FATAL where hasStopped: continue
            case let code:
                try check(code, line: line)
                return code
            }
        }
    }

    /// Deliveries are not reported: what has been delivered is known when nothing is under way. So many bytes that waiting for
    /// that costs nothing.
    private func keep(_ numbers: LineNumbers, ofPack line: Int) throws(Failure) {
        numbersOfPacks[line] = numbers
        bytesOfNumbers += numbers.byteCount
        guard bytesOfNumbers > 8 << 20 else { return }
        try flush()
        (numbersOfPacks, bytesOfNumbers) = ([:], 0)
    }

    /// Where one message goes, once it may.
    private func introduce(_ key: UnsafeRawBufferPointer?, _ partition: Int32) throws(Failure) -> Int32 {
        var message = rd_kafka_message_t()
        message.partition = partition
        (message.key, message.key_len) = (UnsafeMutableRawPointer(mutating: key?.baseAddress), key?.count ?? 0)
        let target = self.partition(of: message)
        if !introductions.isStranger(target) { try awaitIntroductions() }
        return target
    }

    /// Why the brokers would refuse such a message, as far as is known.
    private func refusal(_ value: Int, _ key: Int?, _ timestamp: Int64?, _ headers: [Header]) -> ErrorCode? {
        guard let limits else { return nil }
        let size = TopicLimits.batchBytes(
            value: value, key: key, headers: headers.map { ($0.name.count, $0.value?.count) })
        return limits.refusal(
            size: size, hasKey: key != nil, time: timestamp,
            now: timestamp == nil ? 0 : Moment.now().unixMilliseconds)
    }

    /// Waits a little for messages to leave.
    /// - Returns: false when none is under way that could leave.
    /// - Throws: when a line has failed, or a signal asks for the end: nothing more is sent.
    private func waitForRoom(line: Int) throws(Failure) -> Bool {
        let isAlone = underWay == 0 && !hasStopped
        // Acknowledgements do not wake: only failures are reported.
        try serve(waiting: 2)
        try throwFirst()
        if Signals.isAsked { throw Failure(.tryAgain, "line \(line): not delivered: stopped by a signal") }
        return !isAlone
    }

    /// Goes on only if the refusal is of the message.
    private func check(_ code: rd_kafka_resp_err_t, line: Int) throws(Failure) {
        if isTransactional, code == RD_KAFKA_RESP_ERR__STATE {
            // The transaction has failed before; its reason is under way.
            try serve(waiting: 100)
            try throwFirst()
        }
        if !code.isOfTheMessage { throw .kafka("line \(line): not delivered", code) }
    }
}
