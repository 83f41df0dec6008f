/// Where a partition stands in event time. It is committed with the partition's offset, in its metadata:
///
///     time WATERMARK DONE busy|idle [ what EndsOfStream says ]
///
/// Both are milliseconds since 1970, `-` while they are not known, and `Int64.max` past the end of the stream.
package struct PartitionTimes: Equatable, Sendable {
    /// The partition's own: no line with an earlier time comes out of it any more, but for late ones.
    package var watermark: Int64?
    /// The stream's watermark at the last barrier: windows that end by then were put out for this partition.
    package var done: Int64?
    /// It has had nothing to read for so long that nobody waits for it.
    package var isIdle = false

    package init(watermark: Int64? = nil, done: Int64? = nil, isIdle: Bool = false) {
        (self.watermark, self.done, self.isIdle) = (watermark, done, isIdle)
    }

    var text: String {
        "time \(watermark.map(String.init) ?? "-") \(done.map(String.init) ?? "-") \(isIdle ? "idle" : "busy")"
    }

    /// Takes the words of a metadata that are its own.
    static func take(from words: inout ArraySlice<Substring>) -> PartitionTimes? {
        func time(_ word: Substring) -> Int64?? { word == "-" ? .some(nil) : Int64(word).map { .some($0) } }
        let own = words.prefix(4)
        guard own.count == 4, own.first == "time", let watermark = time(own[own.startIndex + 1]),
            let done = time(own[own.startIndex + 2]), ["busy", "idle"].contains(own[own.startIndex + 3])
        else { return nil }
        words = words.dropFirst(4)
        return PartitionTimes(watermark: watermark, done: done, isIdle: own[own.startIndex + 3] == "idle")
    }
}
