/// Why a load ends without having done all, as facts. `description` words it for the user.
public enum LoadFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// A line of the input is no part of a batch.
    case malformed(line: Int, Problem)
    /// A document was refused, and no place was named for it.
    case refused(line: Int, reason: String)
    /// The server refuses what cannot be the documents' fault.
    case request(status: Int, reason: String)
    /// The index has to be mended first.
    case index(reason: String)
    /// Every document of so many batches in a row.
    case allRefused(batches: Int, reason: String)
    case notPermitted(reason: String)
    case gaveUp(milliseconds: Int64, reason: String)
    /// Documents were put aside.
    case putAside(count: Int)
    /// The stream has no end.
    case brokenOff

    public enum Problem: Equatable, Sendable {
        case noAction
        case noDocument
    }

    public var description: String {
        switch self {
        case .malformed(let line, .noAction): "line \(line): not an action line of a bulk body"
        case .malformed(let line, .noDocument): "line \(line): an action line without a document after it"
        case .refused(let line, let reason):
            "line \(line): refused: \(reason) (--reject FILE puts such documents aside)"
        case .request(let status, let reason) where status == 400: "the server refuses the request: \(reason)"
        case .request(_, let reason): "the server answers \(reason)"
        case .index(let reason): "not one document more, until this is mended: \(reason)"
        case .allRefused(let batches, let reason):
            "every document of \(batches) batches in a row was refused, the last with \(reason)"
        case .notPermitted(let reason): "not permitted: \(reason)"
        case .gaveUp(let milliseconds, let reason): "gave up after \(duration(milliseconds)): \(reason)"
        case .putAside(let count): count == 1 ? "1 document was refused" : "\(count) documents were refused"
        case .brokenOff: "the input has ended without its last barrier: a program before it has died"
        }
    }
}

/// A duration as the options take it: 500ms, 10s, 5m.
func duration(_ milliseconds: Int64) -> String {
    for (unit, name) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s")] as [(Int64, String)]
    where milliseconds >= unit && milliseconds % unit == 0 {
        return "\(milliseconds / unit)\(name)"
    }
    return "\(milliseconds)ms"
}
