/// What can be wrong with a line, as facts; `description` words it for the user, on one line and without TABs.
public protocol LineProblem: Error, Equatable, Sendable, CustomStringConvertible {}

/// An input line that a filter cannot take.
public struct MalformedLine<Problem: LineProblem>: Error, Equatable, Sendable, CustomStringConvertible {
    /// Counted from 1, barriers included, as `sed -n 17p` counts.
    public let number: Int
    public let problem: Problem

    public init(number: Int, problem: Problem) {
        self.number = number
        self.problem = problem
    }

    public var description: String { "line \(number): \(problem)" }
}

/// Bytes as they appear in a message: in quotes, at most 40 of them, what is not printable ASCII as \xNN.
public func quoted(_ bytes: UnsafeRawBufferPointer) -> String {
    var text = "\""
    for byte in bytes.prefix(40) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): text += "\\" + String(UnicodeScalar(byte))
        case 0x20..<0x7F: text += String(UnicodeScalar(byte))
        case 0x09: text += "\\t"
        default: text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
    }
    return text + (bytes.count > 40 ? "…\"" : "\"")
}
