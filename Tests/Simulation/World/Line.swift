/// A line of the simulated text, without its bytes: a number that stands for a text or a word, and the count behind it.
struct Line: Equatable {
    var key: Int32
    var count: Int32 = 1

    /// Bytes with the LF: lines differ in length, so that pipes are full in the middle of one.
    func size(weight: Int) -> Int { (5 + Int(key % 7)) * weight }
}

/// What a topic's record holds.
enum Body: Equatable {
    case line(Line)
    case endOfStream(isOK: Bool, writer: Int32?)
    case marker(isCommit: Bool)
    /// Compaction has taken it away.
    case removed
}
