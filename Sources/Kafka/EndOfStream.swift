/// The record with which a `kcat-out --eof` ends its part of each partition: an empty value under this header, whose value
/// is `ok`, or `failed` where its input did not end well. `kcat-in --until-eof` counts them.
enum EndOfStream {
    static let header = "end-of-stream"
    static let ok = "ok"
    static let failed = "failed"
}

/// How many writers have ended their part of a partition, and whether one of them had failed. It is committed with the
/// offset, as its metadata: who gets the partition next must not wait for records that are behind that offset.
package struct EndsOfStream: Equatable {
    package var count = 0
    package var hasFailed = false

    package init() {}

    /// From a commit's metadata: `end-of-stream COUNT ok|failed`. Whatever else stands there is none of ours.
    package init(metadata: UnsafeRawBufferPointer) {
        let words = String(decoding: metadata, as: UTF8.self).split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, words[0] == EndOfStream.header, let count = Int(words[1]), count > 0,
            words[2] == EndOfStream.failed || words[2] == EndOfStream.ok
        else { return }
        self.count = count
        hasFailed = words[2] == EndOfStream.failed
    }

    package var metadata: String {
        count == 0 ? "" : "\(EndOfStream.header) \(count) \(hasFailed ? EndOfStream.failed : EndOfStream.ok)"
    }

    package mutating func add(isOK: Bool) {
        count += 1
        hasFailed = hasFailed || !isOK
    }
}
