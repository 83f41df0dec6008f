import CRDKafka
internal import Delivery
import ToolRuntime

/// Turns messages into lines. It is called for each message, from C, through a pointer.
struct Intake: ~Copyable {
    var session: ReaderSession
    var output = LineOutput()
    private var renderer: MessageRenderer
    private let limit: Int?
    /// The first failure; nothing is taken after it.
    private(set) var failure: Failure?
    /// The time, as of the last look at the clock.
    var now: Int64

    init(_ plan: ReadPlan, _ session: ReaderSession, at now: Int64) {
        self.session = session
        self.now = now
        limit = plan.limit
        renderer = MessageRenderer(with: plan.with, embeddedLF: plan.embeddedLF)
    }

    /// Whether enough has been read for now: the rest stays in librdkafka's queue.
    var isFull: Bool { !output.hasRoom || !session.mayRead || failure != nil }

    mutating func take(_ message: UnsafeMutablePointer<rd_kafka_message_t>) {
        let (number, offset) = (message.pointee.partition, message.pointee.offset)
        guard failure == nil else { return }
        guard message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR else { return takeError(message) }
        guard session.admits(number, offset: offset) else { return }
        if message.pointee.len == 0, let (isOK, writer) = MessageRenderer.endOfStream(message) {
            return session.take(.endOfStream(number, offset, isOK: isOK, writer: writer), at: now)
        }
        do throws(Failure) {
            let room = limit.map { $0 - session.readLines } ?? Int.max
            let lines = try renderer.append(message, to: &output, limit: room)
            session.took(number, offset: offset, lines: lines.count, end: output.position, isWhole: lines.isWhole)
        } catch {
            failure = error
        }
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
