import CRDKafka
internal import Delivery
import Glibc
import Synchronization
import ToolRuntime

/// Asks the brokers what a reader wants to know, in threads of its own: the calls that do so block.
///
/// It has a client of its own, which reads uncommitted: so it sees the high watermark where the reader sees what is stable, and
/// the group's offsets as they are where a transaction holds them. librdkafka's Admin API could ask the latter without a thread,
/// but up to version 2.16 a time-out of it may end the process (librdkafka issues 3663 and 4605).
final class Inquirer: @unchecked Sendable {
    /// How long one call may take.
    static let milliseconds: CInt = 5000

    /// For what the group's reader sees.
    private let reader: Client
    private let client: Client
    private let topic: String
    private let start: StartOffset
    /// What an epoch waits for is not held up by slower questions.
    private let workers = [Worker(), Worker()]
    private let answers = Mutex<[(number: Int, question: Question, answer: Answer)]>([])

    init(for reader: Client, _ settings: Settings, _ plan: ReadPlan) throws(Failure) {
        var settings = settings
        settings.replace("isolation.level", by: "read_uncommitted")
        // It is not in the group, and so not its static member.
        settings.remove("group.instance.id")
        // Nobody's right to a group is asked for that nobody wants.
        if plan.group == nil { settings.remove("group.id") }
        client = try Client(RD_KAFKA_CONSUMER, settings, events: 0)
        (self.reader, topic, start) = (reader, plan.topic, plan.start)
    }

    func ask(_ number: Int, _ question: Question) {
        let isOfEpochs = if case .committed = question { true } else { false }
        workers[isOfEpochs ? 1 : 0].run { [self] in
            let answer = answer(question)
            answers.withLock { $0.append((number, question, answer)) }
            reader.wake()
        }
    }

    /// The answers that have come.
    func takeAnswers() throws(Failure) -> [(number: Int, answer: Answer)] {
        // What this client complains of, the reader's does, too.
        try client.serve(complain: { _ in }) { _ in }
        return answers.withLock { answers in
            defer { answers = [] }
            return answers.map { number, question, answer in
                guard question == .partitionCount, case .failure(let code, let text) = answer else {
                    return (number, answer)
                }
                return (number, .failure(code, reader.explained(code, text)))
            }
        }
    }

    private func answer(_ question: Question) -> Answer {
        switch question {
        case .partitionCount: client.describe(topic, milliseconds: 1000)
        case .ranges(let numbers): client.ranges(of: topic, numbers, from: start)
        case .stored(let numbers): reader.groupOffsets(of: topic, numbers)
        case .committed(let numbers): client.groupOffsets(of: topic, numbers)
        }
    }
}

/// A thread that does one thing after the other.
private final class Worker: Sendable {
    private let jobs = Mutex<[@Sendable () -> Void]>([])
    private let wake: (read: CInt, write: CInt)

    init() {
        var ends: [CInt] = [-1, -1]
        precondition(pipe(&ends) == 0, "no pipe can be made")
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        wake = (ends[0], ends[1])
        runDetached { self.work() }
    }

    func run(_ job: @escaping @Sendable () -> Void) {
        jobs.withLock { $0.append(job) }
        var byte: UInt8 = 0
        _ = write(wake.write, &byte, 1)
    }

    private func work() {
        var byte: UInt8 = 0
        while true {
            guard read(wake.read, &byte, 1) == 1 else { continue }
            let job = jobs.withLock { $0.isEmpty ? nil : $0.removeFirst() }
            job?()
        }
    }
}

extension Client {
    /// What the group has committed, as this client's isolation has it: one that reads committed waits while an open transaction
    /// holds it. May be called from any thread.
    func groupOffsets(of topic: String, _ numbers: [Int32]) -> Answer {
        let list = PartitionList(topic, numbers.map { ($0, 0) })
        let code = rd_kafka_committed(handle, list.pointer, Inquirer.milliseconds)
        if code != RD_KAFKA_RESP_ERR_NO_ERROR {
            return .failure(ErrorCode(code), String(cString: rd_kafka_err2str(code)))
        }
        var found: [Int32: StoredOffset] = [:]
        for entry in list.entries {
            if entry.err != RD_KAFKA_RESP_ERR_NO_ERROR {
                return .failure(ErrorCode(entry.err), String(cString: rd_kafka_err2str(entry.err)))
            }
            guard entry.offset >= 0 else { continue }
            let metadata = UnsafeRawBufferPointer(start: entry.metadata, count: entry.metadata_size)
            found[entry.partition] = StoredOffset(next: entry.offset, metadata: metadata)
        }
        return .offsets(found)
    }
}
