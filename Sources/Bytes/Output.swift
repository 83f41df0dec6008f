/// All that a filter may write to.
public struct Output: ~Copyable {
    /// Standard output.
    public var lines: OutputBuffer
    /// `--reject FILE`: malformed lines, each as `line NUMBER: REASON TAB LINE`. Without it the first one ends the tool.
    private var rejects: OutputBuffer?
    /// `--late FILE`: lines that came after their window was closed, as they were.
    private var late: OutputBuffer?
    public private(set) var rejectedLines = 0
    public private(set) var lateLines = 0
    /// What looks wrong, though it is valid; to be said on standard error.
    private var remarks: [String] = []
    private var flushedRejects = 0
    private var flushedLate = 0

    public init(
        lines: consuming OutputBuffer, rejects: consuming OutputBuffer? = nil, late: consuming OutputBuffer? = nil
    ) {
        self.lines = lines
        self.rejects = rejects
        self.late = late
    }

    /// Puts a malformed line aside, or throws it where no place was named for it.
    /// - Parameter line: without its LF.
    public mutating func reject<Problem>(
        _ line: UnsafeRawBufferPointer, number: Int, _ problem: Problem
    ) throws(MalformedLine<Problem>) {
        let malformed = MalformedLine(number: number, problem: problem)
        guard rejects != nil else { throw malformed }
        rejectedLines += 1
        rejects?.append(malformed.description)
        rejects?.append(UInt8(ascii: "\t"))
        rejects?.append(line)
        rejects?.append(UInt8(ascii: "\n"))
    }

    /// Puts a late line aside; where no place was named for it, it is only counted.
    /// - Parameter line: without its LF.
    public mutating func setAside(late line: UnsafeRawBufferPointer) {
        lateLines += 1
        late?.append(line)
        late?.append(UInt8(ascii: "\n"))
    }

    /// Says that something looks wrong. The filter does so once.
    public mutating func remark(_ text: String) { remarks.append(text) }

    /// What was remarked since the last time.
    public mutating func takeRemarks() -> [String] {
        defer { remarks = [] }
        return remarks
    }

    /// Whether anything waits to be flushed.
    public var isPending: Bool {
        !lines.isEmpty || rejectedLines != flushedRejects || lateLines != flushedLate
    }

    /// Flushes what was put aside, then the lines: nothing is ahead of what explains it.
    public mutating func flush() {
        rejects?.flush()
        late?.flush()
        (flushedRejects, flushedLate) = (rejectedLines, lateLines)
        lines.flush()
    }
}
