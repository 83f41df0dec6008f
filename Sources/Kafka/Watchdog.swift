import Glibc
import Synchronization
import ToolRuntime

/// Ends the process when a call into librdkafka takes longer than it may, whatever it hangs in: with 75 and one line. Nothing is
/// lost by that: what was not committed is read again.
///
/// It has a thread of its own, so it holds also where the library ignores its own time-outs, and where standard input has ended
/// or its writer has died meanwhile.
final class Watchdog: Sendable {
    private struct Watch {
        var deadline: Int64
        var words: String
    }

    private let tool: String
    private let watch = Mutex<Watch?>(nil)

    init(_ tool: String) {
        self.tool = tool
        runDetached { self.run() }
    }

    /// Does `body`, which may take so long.
    func during<Result>(_ words: String, milliseconds: Int64, _ body: () -> Result) -> Result {
        let deadline = Client.monotonicMilliseconds() + milliseconds
        watch.withLock { $0 = Watch(deadline: deadline, words: "\(words): no end after \(milliseconds / 1000) s") }
        defer { watch.withLock { $0 = nil } }
        return body()
    }

    private func run() {
        while true {
            usleep(100_000)
            let words: String? = watch.withLock { watch in
                guard let watch, Client.monotonicMilliseconds() >= watch.deadline else { return nil }
                return watch.words
            }
            guard let words else { continue }
            Descriptor.standardError.writeIgnoringErrors("\(tool): \(words)\n")
            _exit(ExitStatus.tryAgain.rawValue)
        }
    }
}
