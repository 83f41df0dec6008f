import Bytes
import CBytes

/// Fields chosen as `cut -f` does: `1`, `1,3`, `2-4`, `-3`, `3-`. They come out in the order of the line.
public struct FieldList: Equatable, Sendable {
    private let ranges: [ClosedRange<Int>]

    /// nil if `text` is not such a list.
    public init?(_ text: String) {
        var ranges: [ClosedRange<Int>] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false)
            guard (1...2).contains(ends.count), part != "-", part != "" else { return nil }
            let first = ends[0].isEmpty ? 1 : Self.number(ends[0])
            let last = ends.count == 1 ? first : ends[1].isEmpty ? Int.max : Self.number(ends[1])
            guard let first, let last, first >= 1, last >= first else { return nil }
            ranges.append(first...last)
        }
        self.ranges = ranges
    }

    /// The highest field that a line must have.
    package var last: Int { ranges.map { $0.upperBound == .max ? $0.lowerBound : $0.upperBound }.max() ?? 0 }

    /// The chosen fields of `line`, joined by TAB; nil if it lacks one.
    ///
    /// Neighbours are a piece of the line itself; others are put together behind what `space` holds, whose capacity must
    /// be enough.
    package func key(of line: UnsafeRawBufferPointer, _ space: inout [UInt8]) -> UnsafeRawBufferPointer? {
        if ranges.count == 1 {
            guard let start = line.start(ofField: ranges[0].lowerBound) else { return nil }
            var end = start - 1
            var field = ranges[0].lowerBound - 1
            while field < ranges[0].upperBound, end < line.count {
                end += 1
                end += tab(in: line, from: end)
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
            end += tab(in: line, from: end)
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

    /// Digits only: Int also takes a sign.
    private static func number(_ text: Substring) -> Int? {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
    }
}

/// How many bytes lie between `start` and the next TAB, or the end of the line.
private func tab(in line: UnsafeRawBufferPointer, from start: Int) -> Int {
    guard let base = line.baseAddress, start < line.count else { return 0 }
    return cbytes_first(base + start, UInt8(ascii: "\t"), line.count - start)
}
