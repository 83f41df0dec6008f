public import Bytes
internal import Delivery
import ToolRuntime

/// What `kcat-out` makes of a line.
public struct MessageShape: Sendable {
    /// Fields that are taken off the front of the line and become the message's own.
    public var with: [MessageField] = []
    public var keyFields: FieldList?
    /// The field, counted from 1, that holds the timestamp in milliseconds since the Unix epoch; it stays in the line.
    public var timestampField: Int?
    /// Headers of every message.
    public var headers: [Header] = []
    public var partition: Int32?
    /// Lines of one partition are put into one message, LF between them, up to so many bytes.
    public var pack: Int?

    /// Ends where keys would move since partitions were added, rather than go on.
    public var endsOnNewPartitions = false

    public init() {}

    /// Whether a line's message has what librdkafka takes only one by one.
    var isSlow: Bool { timestampField != nil || !headers.isEmpty || !with.isEmpty }

    /// - Throws: `usage` where one option leaves no sense to another.
    func check() throws(Failure) {
        if pack != nil {
            let own = timestampField != nil ? "--timestamp-field" : with.contains(.timestamp) ? "--with timestamp" : nil
            if let own = own ?? (with.contains(.headers) ? "--with headers" : nil) {
                throw Failure(.usage, "--pack and \(own) exclude each other: the lines of a message share what it has")
            }
        }
        if partition != nil, with.contains(.partition) {
            throw Failure(.usage, "--partition and --with partition exclude each other")
        }
        if keyFields != nil, with.contains(.key) {
            throw Failure(.usage, "--key-fields and --with key exclude each other")
        }
        if timestampField != nil, with.contains(.timestamp) {
            throw Failure(.usage, "--timestamp-field and --with timestamp exclude each other")
        }
        if headers.contains(where: { $0.name.elementsEqual(EndOfStream.header.utf8) }) {
            throw Failure(.usage, "--header: \"\(EndOfStream.header)\" is what --eof writes")
        }
        if headers.contains(where: { $0.name.elementsEqual(WatermarkRecord.header.utf8) }) {
            throw Failure(.usage, "--header: \"\(WatermarkRecord.header)\" is what --exactly-once writes")
        }
    }
}

/// Why a line cannot become a message.
public enum UndeliverableLine: LineProblem {
    case missingField(Int)
    case notATimestamp(String)
    case notAPartition(String)
    case notAKey(String)
    case notHeaders(String)
    case refused(String)

    public var description: String {
        switch self {
        case .missingField(let number): "there is no field \(number)"
        case .notATimestamp(let text): "timestamp is not in milliseconds from 1: \(text)"
        case .notAPartition(let text): "not a partition of the topic: \(text)"
        case .notAKey(let text): "key has an unknown escape: \(text)"
        case .notHeaders(let text): "headers are not name=value,…: \(text)"
        case .refused(let reason): "cannot be delivered: \(reason)"
        }
    }
}
