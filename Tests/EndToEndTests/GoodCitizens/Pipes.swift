import Glibc
import TestSupport

/// A pipe into a program and one out of it.
final class Pipes {
    let inputReader, input, output, outputWriter: CInt
    private var isInputOpen = true

    init() throws {
        (inputReader, input) = try makePipe()
        (output, outputWriter) = try makePipe()
    }

    /// To be called when the program has been started: it alone holds its ends.
    func leaveFarEnds() {
        close(inputReader)
        close(outputWriter)
    }

    func endInput() {
        if isInputOpen { close(input) }
        isInputOpen = false
    }

    deinit {
        endInput()
        close(output)
    }
}
