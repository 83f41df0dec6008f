import CBytes

/// The record with which a `kcat-out --eof` ends its part of each partition: an empty value under this header, whose value
/// is `ok`, or `failed` where its input did not end well; a second header names a writer that has a name. `kcat-in
/// --until-eof` counts them.
package enum EndOfStream {
    package static let header = "end-of-stream"
    package static let writer = "writer"
    package static let ok = "ok"
    package static let failed = "failed"
}

/// How many writers have ended their part of a partition, and whether one of them had failed. It is committed with the
/// offset, as its metadata: who gets the partition next must not wait for records that are behind that offset.
package struct EndsOfStream: Equatable {
    private var unnamed = 0
    /// Of writers with a name (`--transactional-id`), which may be started again behind their record: each counts once. A
    /// hash of 16 hexadecimal digits, since a commit's metadata is short (`offset.metadata.max.bytes`).
    private var writers: [String] = []
    package private(set) var hasFailed = false

    package init() {}

    package var count: Int { unnamed + writers.count }

    /// From the words of a commit's metadata after those of `PartitionTimes`: `end-of-stream UNNAMED ok|failed WRITER…`.
    /// Whatever else stands there is none of ours.
    init(words: ArraySlice<Substring>) {
        let words = Array(words)
        guard words.count >= 3, words[0] == EndOfStream.header, let unnamed = Int(words[1]), unnamed >= 0,
            words[2] == EndOfStream.failed || words[2] == EndOfStream.ok,
            words[3...].allSatisfy({ $0.utf8.count == 16 && UInt64($0, radix: 16) != nil })
        else { return }
        self.unnamed = unnamed
        hasFailed = words[2] == EndOfStream.failed
        writers = words[3...].map(String.init)
    }

    package var metadata: String {
        guard count > 0 else { return "" }
        return ([EndOfStream.header, "\(unnamed)", hasFailed ? EndOfStream.failed : EndOfStream.ok] + writers)
            .joined(separator: " ")
    }

    package mutating func add(isOK: Bool, writer: [UInt8]? = nil) {
        hasFailed = hasFailed || !isOK
        guard let writer else { return unnamed += 1 }
        let hash = ([0] + writer).withUnsafeBytes { $0.baseAddress.map { cbytes_xxh3($0, writer.count + 1, 0) } ?? 0 }
        let digits = String(hash, radix: 16)
        let name = String(repeating: "0", count: 16 - digits.count) + digits
        if !writers.contains(name) { writers.append(name) }
    }
}
