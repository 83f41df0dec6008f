public import CBytes

/// Finds the ends of lines, 64 bytes at a time.
///
///     var scanner = LineScanner(bytes)
///     while let line = scanner.next() { … bytes[line] … }
///
/// A step costs a few instructions a line and one block load per 64 bytes; it allocates nothing.
public struct LineScanner {
    @usableFromInline let base: UnsafePointer<UInt8>
    @usableFromInline let count: Int
    /// Offset of the block that `ends` describes.
    @usableFromInline var block: Int
    /// The line ends of that block that are still to come, bit i for byte block + i.
    @usableFromInline var ends: UInt64
    /// Where the next line starts.
    @usableFromInline var start = 0

    /// - Parameter bytes: whole lines, each with its LF. They must outlive the scanner.
    @inlinable
    public init(_ bytes: UnsafeRawBufferPointer) {
        count = bytes.count
        block = 0
        ends = 0
        guard let address = bytes.baseAddress else {
            base = UnsafePointer(bitPattern: 1).unsafelyUnwrapped  // never read: count is 0
            return
        }
        base = address.assumingMemoryBound(to: UInt8.self)
        ends = mask(at: 0)
    }

    /// The next line, without its LF, as offsets into the bytes; nil after the last.
    @inlinable
    public mutating func next() -> Range<Int>? {
        while ends == 0 {
            block += 64
            guard block < count else { return nil }
            ends = mask(at: block)
        }
        let end = block &+ ends.trailingZeroBitCount
        ends &= ends &- 1
        let line = Range(uncheckedBounds: (start, end))  // start ≤ end: ends come in rising order
        start = end &+ 1
        return line
    }

    /// Whole blocks are read where they lie; the last, partial one through a padded copy.
    @inlinable
    func mask(at offset: Int) -> UInt64 {
        if count - offset >= 64 { return cbytes_mask_equal(base + offset, 0x0A) }
        return cbytes_mask_equal_padded(base + offset, 0x0A, count - offset)
    }
}
