/// Fields chosen as `cut -f` does: `1`, `1,3`, `2-4`, `-3`, `3-`. They come out in the order of the line.
public struct FieldList: Equatable, Sendable {
    private let ranges: [ClosedRange<Int>]

    /// nil if `text` is not such a list.
    public init?(_ text: String) {
        var ranges: [ClosedRange<Int>] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false)
            guard (1...2).contains(ends.count), part != "-", part != "" else { return nil }
            let first = ends[0].isEmpty ? 1 : Int(ends[0])
            let last = ends.count == 1 ? first : ends[1].isEmpty ? Int.max : Int(ends[1])
            guard let first, let last, first >= 1, last >= first else { return nil }
            ranges.append(first...last)
        }
        self.ranges = ranges
    }

    /// The highest field that a line must have.
    var last: Int { ranges.map { $0.upperBound == .max ? $0.lowerBound : $0.upperBound }.max() ?? 0 }

    /// The chosen fields of `line`, joined by TAB; nil if it lacks one.
    ///
    /// Neighbours are a piece of the line itself; others are put together behind what `space` holds, whose capacity must
    /// be enough.
    func key(of line: UnsafeRawBufferPointer, _ space: inout [UInt8]) -> UnsafeRawBufferPointer? {
        if ranges.count == 1 {
            guard let start = Self.start(of: ranges[0].lowerBound, in: line) else { return nil }
            var end = start - 1
            var field = ranges[0].lowerBound - 1
            while field < ranges[0].upperBound, end < line.count {
                end += 1
                while end < line.count, line[end] != UInt8(ascii: "\t") { end += 1 }
                field += 1
            }
            guard field == ranges[0].upperBound || ranges[0].upperBound == .max else { return nil }
            guard let base = line.baseAddress else { return nil }
            return UnsafeRawBufferPointer(start: base + start, count: end - start)
        }
        let before = space.count
        precondition(space.capacity >= before + line.count)
        var (field, start) = (1, 0)
        while true {
            var end = start
            while end < line.count, line[end] != UInt8(ascii: "\t") { end += 1 }
            if ranges.contains(where: { $0.contains(field) }) {
                if space.count > before { space.append(UInt8(ascii: "\t")) }
                space.append(contentsOf: UnsafeRawBufferPointer(rebasing: line[start..<end]))
            }
            guard end < line.count else { break }
            (field, start) = (field + 1, end + 1)
        }
        guard field >= last else { return nil }
        return space.withUnsafeBytes { UnsafeRawBufferPointer(rebasing: $0[before...]) }
    }

    private static func start(of field: Int, in line: UnsafeRawBufferPointer) -> Int? {
        var start = 0
        for _ in 1..<field {
            while start < line.count, line[start] != UInt8(ascii: "\t") { start += 1 }
            guard start < line.count else { return nil }
            start += 1
        }
        return start
    }
}
