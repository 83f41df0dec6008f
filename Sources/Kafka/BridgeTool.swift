import Glibc
public import ToolRuntime

/// The main function of a bridge.
public enum BridgeTool {
    /// Reads the command line, runs `body` and ends the process.
    public static func main(_ command: Command, _ body: (Arguments) throws(Failure) -> Void) -> Never {
        Descriptor.fillStandardGaps()
        let arguments = command.parse()
        // Lines on their way to or from a broker get longer than those in a pipe.
        Signals.install(secondsToDrain: 30)
        do throws(Failure) {
            try body(arguments)
            _exit(0)  // librdkafka's threads go on, as in `Command.end`
        } catch {
            command.end(with: error)
        }
    }
}
