import CRDKafka
internal import Delivery
import ToolRuntime

/// What has come back: sent again in pieces, so that only what is refused alone is refused, and nothing overtakes.
extension Producer {
    func takeFailed(_ report: UnsafePointer<rd_kafka_message_t>) {
        let line = Int(bitPattern: report.pointee._private)
        let message = ReturnedMessage(report, numbers: numbersOfPacks.removeValue(forKey: line)?.all)
        guard isTransactional else { return returned.append(message) }
        failedLines += message.numbers.count
        fail(line: line, message.code)
    }

    /// Sends again what has come back, and names what is refused alone.
    func settle() throws(Failure) {
        isSettling = true
        defer { isSettling = false }
        try takeBackTheRest()
        // In the order of sending: an end-of-stream record is the last of its partition.
        let messages = returned.sorted { ($0.numbers.first ?? .max) < ($1.numbers.first ?? .max) }
        returned = []
        let reasons = messages.map { Return(ErrorCode($0.code), mayBeWritten: $0.mayBeWritten) }
        if let place = reasons.firstIndex(where: { $0 == .failed || $0 == .doubtful }) {
            let code = reasons[place] == .failed ? messages[place].code : RD_KAFKA_RESP_ERR__MSG_TIMED_OUT
            return giveUp(messages, code)
        }
        let refused = reasons.filter { $0 == .refused }.count
        if !messages.isEmpty { try resend(messages, firstPiece: refused / 2) }
    }

    /// A client that has stopped sends nothing more: what is in its queue comes back, and what is on its way is answered.
    private func takeBackTheRest() throws(Failure) {
        guard hasStopped else { return }
        var deadline: Int64?
        while underWay > 0 {
            let now = Client.monotonicMilliseconds()
            if Signals.isAsked, deadline == nil { deadline = now + 5000 }
            let isLate = deadline.map { now >= $0 } ?? false
            // Over and over: answers put messages back into the queue.
            rd_kafka_purge(client.handle, RD_KAFKA_PURGE_F_QUEUE | (isLate ? RD_KAFKA_PURGE_F_INFLIGHT : 0))
            rd_kafka_flush(client.handle, 5)
            try serve()
        }
    }

    /// Sends a message with no other beside it, after all that was sent before: one that may be refused.
    func sendAlone(_ message: ReturnedMessage) throws(Failure) {
        try flush()
        try throwFirst()
        takenLines += message.numbers.count
        try resend([message], firstPiece: 1)
        try throwFirst()
    }

    private func resend(_ messages: [ReturnedMessage], firstPiece: Int) throws(Failure) {
        let most = min(SingleBatches.bytesAtOnce, limits?.batchBytes ?? .max)
        var resend = Resend(messages.map(\.item), bytesAtOnce: most, firstPiece: firstPiece)
        do throws(Failure) {
            try carryOut(&resend)
        } catch {
            for item in resend.rest { failedLines += item.lines }
            throw error
        }
    }

    private func carryOut(_ resend: inout Resend<ReturnedMessage>) throws(Failure) {
        if single == nil { single = try SingleBatches(settings, name) }
        guard let single else { return }
        while !resend.isDone {
            let pieces = resend.pieces()
            let answers = try single.send(pieces)
            for (piece, code) in zip(pieces, answers) {
                guard let partition = piece.first?.partition else { continue }
                var answer = Resend<ReturnedMessage>.Answer.delivered
                if code != RD_KAFKA_RESP_ERR_NO_ERROR {
                    guard Return(ErrorCode(code), mayBeWritten: false) == .refused else {
                        return giveUp(resend.rest.map(\.message), code)
                    }
                    answer = .refused(ErrorCode(code))
                }
                let next = resend.note(answer, of: partition)
                if let bytes = resend.learnedBytes { keepBatches(below: bytes) }
                switch next {
                case .goOn: break
                case .split(let item):
                    let (first, second) = item.message.halves
                    resend.replace(by: (first.item, second.item))
                case .name(let item, let code): name(item.message, rd_kafka_resp_err_t(code.rawValue))
                }
            }
        }
    }

    private func name(_ message: ReturnedMessage, _ code: rd_kafka_resp_err_t) {
        if keepsRefused, message.line > 0 {
            takenLines -= 1
            refused.append((message.line, code, message.value))
        } else {
            giveUp([message], code)
        }
    }

    private func giveUp(_ messages: [ReturnedMessage], _ code: rd_kafka_resp_err_t) {
        for message in messages {
            failedLines += message.numbers.count
            fail(line: message.line, code)
        }
    }
}
