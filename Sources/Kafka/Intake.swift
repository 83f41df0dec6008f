import CRDKafka
internal import Delivery
import ToolRuntime

/// Turns messages into lines. It is called for each message, from C, through a pointer.
struct Intake: ~Copyable {
    var session: ReaderSession
    var output = LineOutput()
    private var renderer: MessageRenderer
    /// Where the stream carries watermarks that are made of the times of lines.
    private var times: ReadTimes?
    private let maxAhead: Int64
    private let splits: Bool
    private let limit: Int?
    /// The first failure; nothing is taken after it.
    private(set) var failure: Failure?
    /// The time, as of the last look at the clock.
    var now: Int64

    init(_ plan: ReadPlan, _ session: ReaderSession, at now: Int64) {
        self.session = session
        self.now = now
        limit = plan.limit
        times = plan.eventTime?.lines.map { ReadTimes($0) }
        (maxAhead, splits) = (plan.maxAhead, plan.embeddedLF == .split)
        renderer = MessageRenderer(with: plan.with, embeddedLF: plan.embeddedLF)
    }

    /// Whether enough has been read for now: the rest stays in librdkafka's queue.
    var isFull: Bool { !output.hasRoom || !session.mayRead || failure != nil }

    /// How many lines may be taken.
    var room: Int { limit.map { $0 - session.readLines } ?? Int.max }

    mutating func take(_ message: UnsafeMutablePointer<rd_kafka_message_t>) {
        guard admits(message) else { return }
        do throws(Failure) {
            if let highest = times?.highest(in: message, splits: splits) {
                session.see(message.pointee.partition, highest)
            }
            let lines = try renderer.append(message, to: &output, limit: room)
            session.took(
                message.pointee.partition, offset: message.pointee.offset, lines: lines.count, end: output.position,
                isWhole: lines.isWhole)
        } catch {
            failure = error
        }
    }

    /// What is to be said of the times, and what looks wrong about all of them.
    mutating func takeRemarks() -> [String] { times?.takeRemarks() ?? [] }
    var doubt: String? { times?.doubt }

    mutating func noteWallClock(_ milliseconds: Int64) { times?.ceiling = milliseconds + maxAhead }

    /// Takes some lines of a message, in the order of time.
    /// - Parameters:
    ///   - part: the lines, without the last LF.
    ///   - earlier: how many lines of it were taken before.
    ///   - isLast: these are all that were left.
    mutating func take(
        _ part: UnsafeRawBufferPointer, of message: UnsafeMutablePointer<rd_kafka_message_t>, lines: Int,
        after earlier: Int, isLast: Bool
    ) {
        do throws(Failure) {
            try renderer.append(part, of: message, after: earlier, to: &output)
            session.took(
                message.pointee.partition, offset: message.pointee.offset, lines: lines, after: earlier,
                end: output.position, isWhole: isLast)
        } catch {
            failure = failure ?? error
        }
    }

    /// Whether the message is lines that are to be read. What else it may be is dealt with.
    mutating func admits(_ message: UnsafeMutablePointer<rd_kafka_message_t>) -> Bool {
        let (number, offset) = (message.pointee.partition, message.pointee.offset)
        guard failure == nil else { return false }
        guard message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR else {
            takeError(message)
            return false
        }
        guard session.admits(number, offset: offset) else { return false }
        if message.pointee.len == 0, let record = OwnRecord(message) {
            switch record {
            case .endOfStream(let isOK, let writer):
                session.take(.endOfStream(number, offset, isOK: isOK, writer: writer), at: now)
            case .watermark(let watermark): session.take(.watermark(number, offset, watermark), at: now)
            }
            return false
        }
        return true
    }

    private mutating func takeError(_ message: UnsafeMutablePointer<rd_kafka_message_t>) {
        let number = message.pointee.partition
        if message.pointee.err == RD_KAFKA_RESP_ERR__PARTITION_EOF {
            return session.take(.endOfPartition(number, message.pointee.offset), at: now)
        }
        let text = rd_kafka_message_errstr(message).map { String(cString: $0) } ?? ""
        session.take(.partitionFailed(number, ErrorCode(message.pointee.err), oneLine(text)), at: now)
    }
}
