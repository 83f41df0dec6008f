import CBytes

/// Reads the time that stands in a field of a line. Fields are separated by TAB and counted from 1.
public struct LineTime: Sendable {
    private let field: Int
    private var reader: TimeReader

    public init(field: Int, _ format: TimeFormat) {
        precondition(field >= 1)
        self.field = field
        reader = TimeReader(format)
    }

    /// What looks wrong about the times so far, in words.
    public var doubt: String? { reader.doubt }

    /// Milliseconds since the Unix epoch; nil if the line lacks the field, or it is none of the times in `Timestamp.range`.
    /// - Parameter line: without its LF.
    /// - Cost: one search for each field up to the time.
    public mutating func milliseconds(in line: UnsafeRawBufferPointer) -> Int64? {
        guard let base = line.baseAddress, let start = line.start(ofField: field) else { return nil }
        // In bounds: start is at most the count.
        let count = cbytes_first(base + start, UInt8(ascii: "\t"), line.count - start)
        let text = UnsafeRawBufferPointer(start: base + start, count: count)
        guard let time = try? reader.milliseconds(text), Timestamp.range.contains(time) else { return nil }
        return time
    }
}
