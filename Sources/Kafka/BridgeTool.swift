import CRDKafka
import Glibc
public import ToolRuntime

/// The main function of a bridge.
public enum BridgeTool {
    /// Reads the command line, runs `body` and ends the process.
    public static func main(_ command: Command, _ body: (Arguments) throws(Failure) -> Void) -> Never {
        Descriptor.fillStandardGaps()
        shareOneHeap()
        let arguments = command.parse()
        // Lines on their way to or from a broker get longer than those in a pipe.
        Signals.install(secondsToDrain: 15)
        do throws(Failure) {
            try body(arguments)
            _exit(0)  // librdkafka's threads go on, as in `Command.end`
        } catch {
            command.end(with: error)
        }
    }

    /// librdkafka takes memory for each message in one thread and gives it back in another. With a heap for each thread,
    /// glibc grows the one by a system call for every few messages and locks it for both all the same. One heap, grown in
    /// larger steps and kept, takes a third off the system time of kcat-in (3 M lines: 0.95 s to 0.57 s) and half off that
    /// of kcat-out --pack.
    private static func shareOneHeap() {
        mallopt(M_ARENA_MAX, 1)
        mallopt(M_TOP_PAD, 1 << 20)
        mallopt(M_TRIM_THRESHOLD, 64 << 20)
        mallopt(M_MMAP_THRESHOLD, 32 << 20)
    }
}
