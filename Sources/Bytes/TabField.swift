public import CBytes

extension UnsafeRawBufferPointer {
    /// Where a field of this line begins; nil: the line lacks it.
    ///
    /// Fields are separated by TAB and counted from 1, as in cut; a line of no bytes is one empty field.
    /// - Cost: one search for each field before it.
    @inlinable
    public func start(ofField number: Int) -> Int? {
        guard let baseAddress else { return number == 1 ? 0 : nil }
        var start = 0
        for _ in 1..<number {
            // In bounds: start is at most the count.
            start += cbytes_first(baseAddress + start, UInt8(ascii: "\t"), count - start) + 1
            if start > count { return nil }
        }
        return start
    }
}
