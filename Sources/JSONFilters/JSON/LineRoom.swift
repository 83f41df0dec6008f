import Bytes

/// Reserved bytes of an output buffer, being filled line by line.
struct LineRoom {
    private let start: UnsafeMutablePointer<UInt8>
    private let end: UnsafeMutablePointer<UInt8>
    /// Where the line begins that is being written.
    var lineStart: UnsafeMutablePointer<UInt8>
    var target: UnsafeMutablePointer<UInt8>

    /// Room for at least `least` bytes, and so much more that it need not be asked for often.
    init(_ buffer: inout OutputBuffer, _ least: Int) {
        let count = least + 64 << 10
        start = buffer.reserve(count)
        end = start + count
        (lineStart, target) = (start, start)
    }

    var left: Int { end - target }

    /// Puts out the whole lines.
    func commit(to buffer: inout OutputBuffer) { buffer.commit(lineStart - start) }
}
