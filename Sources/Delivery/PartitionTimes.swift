/// Where a partition stands in event time. It is committed with the partition's offset, in its metadata:
///
///     time WATERMARK DONE busy|idle { TOPIC:SILENT } [ what EndsOfStream says ]
///
/// Both are milliseconds since 1970, `-` while they are not known, and `Int64.max` past the end of the stream. SILENT has a letter
/// for each partition of TOPIC that this one is made of: `i` for one that is idle and `e` for one that has ended, whose writers say
/// nothing more, and which the next owner could not know of; `-` for the others. Where all are `-`, it is left out.
package struct PartitionTimes: Equatable, Sendable {
    /// The partition's own: no line with an earlier time comes out of it any more, but for late ones.
    package var watermark: Int64?
    /// The stream's watermark at the last barrier: windows that end by then were put out for this partition.
    package var done: Int64?
    /// It has had nothing to read for so long that nobody waits for it.
    package var isIdle = false
    /// TOPIC:SILENT, in their order.
    package var silent: [String] = []

    package init(watermark: Int64? = nil, done: Int64? = nil, isIdle: Bool = false, silent: [String] = []) {
        (self.watermark, self.done, self.isIdle, self.silent) = (watermark, done, isIdle, silent)
    }

    var text: String {
        let own = [watermark.map(String.init) ?? "-", done.map(String.init) ?? "-", isIdle ? "idle" : "busy"]
        return (["time"] + own + silent).joined(separator: " ")
    }

    /// Takes the words of a metadata that are its own.
    static func take(from words: inout ArraySlice<Substring>) -> PartitionTimes? {
        func time(_ word: Substring) -> Int64?? { word == "-" ? .some(nil) : Int64(word).map { .some($0) } }
        let own = words.prefix(4)
        guard own.count == 4, own.first == "time", let watermark = time(own[own.startIndex + 1]),
            let done = time(own[own.startIndex + 2]), ["busy", "idle"].contains(own[own.startIndex + 3])
        else { return nil }
        words = words.dropFirst(4)
        let silent = words.prefix { $0.utf8.contains(UInt8(ascii: ":")) }
        words = words.dropFirst(silent.count)
        return PartitionTimes(
            watermark: watermark, done: done, isIdle: own[own.startIndex + 3] == "idle", silent: silent.map(String.init)
        )
    }
}
