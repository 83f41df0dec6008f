import Glibc

/// How a tool ends, in the numbers of sysexits.h. The one place where failures become exit statuses.
public enum ExitStatus: Int32, Sendable {
    case success = 0
    case usage = 64
    case malformedData = 65
    case cannotOpenInput = 66
    case unavailable = 69
    case internalError = 70
    case inputOutput = 74
    case tryAgain = 75
    case notPermitted = 77
    case configuration = 78
}

/// A reason to end, worded for the user without the tool's name.
public struct Failure: Error, Equatable, Sendable {
    public let status: ExitStatus
    public let message: String

    public init(_ status: ExitStatus, _ message: String) {
        self.status = status
        self.message = message
    }

    /// A system call that failed: what was tried, and errno's text.
    static func system(_ attempt: String, errno code: CInt) -> Failure {
        Failure(.inputOutput, "\(attempt): \(String(cString: strerror(code)))")
    }
}

/// Prints `tool: message` on standard error.
func complain(_ tool: String, _ message: String) {
    Descriptor.standardError.writeIgnoringErrors("\(tool): \(message)\n")
}
