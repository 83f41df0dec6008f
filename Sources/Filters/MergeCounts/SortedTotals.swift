import Bytes
import CBytes

/// Sums count lines that come sorted by key: one key and its total are all that is held.
struct SortedTotals: ~Copyable {
    typealias Problem = MergeCounts.Problem

    /// The open key, kept from chunk to chunk.
    private var key: UnsafeMutableRawBufferPointer
    private var keyCount = 0
    private var total: Int64 = 0
    private var isOpen = false
    /// Totals put out.
    private(set) var count = 0

    init() { key = .allocate(byteCount: 256, alignment: 1) }

    deinit { key.deallocate() }

    /// Takes whole lines.
    mutating func add(
        _ lines: UnsafeRawBufferPointer, firstLine: Int, into output: inout Output
    ) throws(MalformedLine<Problem>) {
        guard let base = lines.baseAddress else { return }
        var index = 0
        var scanner = LineScanner(lines)
        // Where the open key lies: in these lines, or kept from those before.
        var open = UnsafeRawPointer(key.baseAddress.unsafelyUnwrapped)
        while let line = scanner.next() {
            do throws(Problem) {
                let cut: CountLine
                do throws(CountLine.Problem) { cut = try CountLine(lines, line) } catch { throw .count(error) }
                let next = base + line.lowerBound
                let nextCount = cut.keyEnd - line.lowerBound
                if isOpen, nextCount == keyCount, cbytes_equal(open, next, keyCount) {
                    let (sum, overflow) = total.addingReportingOverflow(cut.count)
                    if overflow {
                        throw .totalOutOfRange(quoted(UnsafeRawBufferPointer(start: next, count: nextCount)))
                    }
                    total = sum
                } else {
                    if isOpen {
                        guard Self.precedes(open, keyCount, next, nextCount) else {
                            throw .notSorted(quoted(UnsafeRawBufferPointer(start: next, count: nextCount)))
                        }
                        write(open, into: &output.lines)
                    }
                    (open, keyCount, total, isOpen) = (next, nextCount, cut.count, true)
                }
            } catch {
                try output.reject(UnsafeRawBufferPointer(rebasing: lines[line]), number: firstLine + index, error)
            }
            index += 1
        }
        keep(open)
    }

    /// Puts out the open key. The next may be any.
    mutating func end(into output: inout Output) {
        guard isOpen else { return }
        write(UnsafeRawPointer(key.baseAddress.unsafelyUnwrapped), into: &output.lines)
        isOpen = false
    }

    @inline(__always)
    private static func precedes(
        _ left: UnsafeRawPointer, _ leftCount: Int, _ right: UnsafeRawPointer, _ rightCount: Int
    ) -> Bool {
        let order = cbytes_compare(left, right, min(leftCount, rightCount))
        return order != 0 ? order < 0 : leftCount < rightCount
    }

    @inline(__always)
    private mutating func write(_ open: UnsafeRawPointer, into output: inout OutputBuffer) {
        let target = output.reserve(keyCount + 1 + Decimal.longest + 1)
        UnsafeMutableRawPointer(target).copyMemory(from: open, byteCount: keyCount)
        target[keyCount] = UInt8(ascii: "\t")
        let end = keyCount + 1 + Decimal.write(total, to: target + keyCount + 1)
        target[end] = UInt8(ascii: "\n")
        output.commit(end + 1)
        count += 1
    }

    /// Copies the open key out of lines that go away.
    private mutating func keep(_ open: UnsafeRawPointer) {
        guard isOpen, open != UnsafeRawPointer(key.baseAddress) else { return }
        if keyCount > key.count {
            key.deallocate()
            key = .allocate(byteCount: 2 * keyCount, alignment: 1)
        }
        key.baseAddress.unsafelyUnwrapped.copyMemory(from: open, byteCount: keyCount)
    }
}
