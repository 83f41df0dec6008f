import Bytes
import Glibc
import Loading
public import ToolRuntime

/// Standard input into a search engine: carries out what `Loader` decides.
public struct Load: ~Copyable {
    private var input: LineInput
    private var loader: Loader
    private let connections: Connections
    private let rejects: RejectFile?
    private let acks: AckFile?
    private let reject: String?
    private let wantsSummary: Bool
    private var numbers: Numbers

    private init(_ plan: Plan) throws(Failure) {
        var settings = plan.settings
        settings.hosts = plan.addresses.count
        settings.putsAside = plan.reject != nil
        settings.acknowledges = plan.ack != nil
        settings.seed = UInt64(bitPattern: Moment.now().unixMilliseconds) ^ UInt64(UInt32(bitPattern: getpid())) << 32
        let rejects = try plan.reject.map { (path) throws(Failure) in try RejectFile(path) }
        let acks = try plan.ack.map { (path) throws(Failure) in try AckFile(path) }
        connections = try Connections(
            lanes: settings.lanes, addresses: plan.addresses, options: plan.options, compresses: plan.compresses,
            timeout: plan.timeout)
        (self.rejects, self.acks) = (rejects, acks)
        loader = Loader(settings)
        input = LineInput(maxLine: plan.maxLine)
        reject = plan.reject
        wantsSummary = plan.wantsSummary
        numbers = Numbers(isShown: plan.wantsProgress, plan.statistics)
    }

    /// Loads all of the input, and ends the process.
    public static func run(_ plan: Plan) throws(Failure) {
        var load = try Load(plan)
        load.run()
    }

    /// Runs to the end of the input, or to a failure, and tells the numbers in either case.
    private mutating func run() {
        var failure: Failure?
        do throws(Failure) { try pump() } catch { failure = error }
        numbers.end(loader.summary, loader.heldBytes)
        if let failure {
            Descriptor.standardError.writeIgnoringErrors(
                "es-load: \(Self.oneLine(failure.message))\(failure.status == .usage ? " (try 'es-load --help')" : "")\n"
            )
        }
        if wantsSummary { Descriptor.standardError.writeIgnoringErrors(summary + "\n") }
        // Nothing is left to flush, and what libcurl holds goes with the process.
        _exit(failure?.status.rawValue ?? 0)
    }

    private mutating func pump() throws(Failure) {
        while true {
            Signals.dieIfAsked()
            let hadInput = loader.wantsInput ? try takeInput() : false
            if try carryOut() { return }
            for (lane, reply) in try connections.perform() { loader.handle(reply, lane: lane, now: .now()) }
            if try carryOut() { return }
            numbers.tell(loader.summary, loader.heldBytes)
            if hadInput { continue }
            let now = Moment.now()
            let patience = [loader.patience(at: now), numbers.patience(at: now), 60_000].compactMap(\.self).min() ?? 0
            if patience > 0 { connections.wait(milliseconds: patience, input: loader.wantsInput) }
            loader.wake(now: .now())
        }
    }

    /// Takes what input there is, up to a read's worth; false: there was none.
    private mutating func takeInput() throws(Failure) -> Bool {
        switch try input.next(patience: 0) {
        case .piece(.lines(let lines, let firstLine)):
            loader.take(lines.span, firstLine: firstLine, now: .now())
        case .piece(.barrier(let barrier, _)):
            loader.barrier(barrier, line: input.lineCount, now: .now())
        case .idle:
            loader.pause(now: .now())
            return false
        case .end:
            Signals.dieIfAsked()
            loader.endInput(now: .now())
        }
        return true
    }

    /// Does what the loader asks for. Returns whether all is over.
    private mutating func carryOut() throws(Failure) -> Bool {
        for action in loader.takeActions() {
            switch action {
            case .post(let lane, let host, let body): try connections.post(body, lane: lane, host: host)
            case .putAside(let line): try rejects?.write(line)
            case .keepPutAside: try rejects?.keep()
            case .acknowledge(let session, let epoch, let isLast):
                try acks?.write(session: session, epoch: epoch, isLast: isLast)
            case .say(let text):
                numbers.leaveLine()
                Descriptor.standardError.writeIgnoringErrors("es-load: \(Self.oneLine(text))\n")
            case .end(nil): return true
            case .end(.some(let failure)): throw word(failure)
            }
        }
        return false
    }

    private func word(_ failure: LoadFailure) -> Failure {
        let status: ExitStatus =
            switch failure {
            case .malformed, .refused, .allRefused, .putAside: .malformedData
            case .request(let status, _): status == 400 ? .malformedData : .unavailable
            case .index, .gaveUp: .unavailable
            case .notPermitted: .notPermitted
            case .brokenOff: .tryAgain
            }
        var text = failure.description
        if case .putAside(let count) = failure, let reject {
            text += count == 1 ? "; it is in \(reject)" : "; they are in \(reject)"
        }
        return Failure(status, text)
    }

    /// What a server says may have line ends.
    private static func oneLine(_ text: String) -> String {
        String(decoding: text.utf8.map { $0 < 0x20 || $0 == 0x7F ? 0x20 : $0 }, as: UTF8.self)
    }

    private var summary: String {
        let counts = loader.summary
        var summary = Summary()
        summary.add("tool", "es-load")
        summary.add("read", counts.read)
        summary.add("done", counts.done)
        summary.add(contentsOf: counts.facts)
        summary.add("acked", counts.acknowledged.map { .integer($0) } ?? .null)
        return summary.json
    }
}
