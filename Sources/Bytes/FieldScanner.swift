public import CBytes

/// Finds the ends of fields, 64 bytes at a time: every TAB and every LF.
///
///     var scanner = FieldScanner(lines)
///     var start = 0
///     while let end = scanner.next() { … lines[start..<end], then lines[end] tells TAB from LF …; start = end + 1 }
///
/// A step costs a few instructions a field and one block load per 64 bytes; it allocates nothing.
public struct FieldScanner {
    @usableFromInline let base: UnsafePointer<UInt8>
    @usableFromInline let count: Int
    /// Offset of the block that `ends` describes.
    @usableFromInline var block: Int
    /// The ends of that block that are still to come, bit i for byte block + i.
    @usableFromInline var ends: UInt64

    /// - Parameters:
    ///   - bytes: whole lines, each with its LF. They must outlive the scanner.
    ///   - start: where to begin.
    @inlinable
    public init(_ bytes: UnsafeRawBufferPointer, from start: Int = 0) {
        count = bytes.count
        block = start
        ends = 0
        guard let address = bytes.baseAddress, start < bytes.count else {
            base = UnsafePointer(bitPattern: 1).unsafelyUnwrapped  // never read: no byte lies behind start
            return
        }
        base = address.assumingMemoryBound(to: UInt8.self)
        ends = mask(at: start)
    }

    /// The offset of the next TAB or LF; nil after the last.
    @inlinable
    public mutating func next() -> Int? {
        while ends == 0 {
            block += 64
            guard block < count else { return nil }
            ends = mask(at: block)
        }
        let end = block &+ ends.trailingZeroBitCount
        ends &= ends &- 1
        return end
    }

    /// Whole blocks are read where they lie; the last, partial one through a padded copy.
    @inlinable
    func mask(at offset: Int) -> UInt64 {
        if count - offset >= 64 { return cbytes_mask_field_end(base + offset) }
        return cbytes_mask_field_end_padded(base + offset, count - offset)
    }
}
