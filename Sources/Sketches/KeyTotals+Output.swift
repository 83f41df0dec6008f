public import Bytes
import CBytes

extension KeyTotals {
    /// Writes the totals as count lines: all of them by key, or the `top` largest by count and then by key.
    public func write(top: Int? = nil, to output: inout OutputBuffer) {
        var sorted = SlotSort(capacity: count, arena: table.arena)
        for at in 0..<table.capacity where !table.slots[at].key.isNone { sorted.append(table.slots + at) }
        let first = min(top ?? count, count)
        sorted.sort(top == nil ? .key : .ranking, first: first)
        write(sorted, first, to: &output)
    }

    /// Writes the totals that changed since the last time, by key.
    public mutating func writeChanged(to output: inout OutputBuffer) {
        precondition(tracksChanges)
        var sorted = SlotSort(capacity: changed.count, arena: table.arena)
        for at in changed {
            sorted.append(table.slots + at)
            table.slots[at].admitted = 0
        }
        changed.removeAll(keepingCapacity: true)
        sorted.sort(.key, first: sorted.count)
        write(sorted, sorted.count, to: &output)
    }

    private func write(_ sorted: borrowing SlotSort, _ first: Int, to output: inout OutputBuffer) {
        let piece = 64 << 10
        var target = output.reserve(piece)
        var start = target
        for index in 0..<first {
            if index + 8 < first { cbytes_prefetch(sorted[index + 8]) }
            let slot = sorted[index]
            var key = table.bytes(of: slot)
            if target - start + key.count + 1 + Decimal.longest + 1 > piece {
                output.commit(target - start)
                if key.count > piece / 2 {
                    output.append(key)
                    key = UnsafeRawBufferPointer(start: nil, count: 0)
                }
                start = output.reserve(piece)
                target = start
            }
            target = Self.copy(key, to: target)
            target.pointee = UInt8(ascii: "\t")
            target += 1
            target += Decimal.write(slot.pointee.count, to: target)
            target.pointee = UInt8(ascii: "\n")
            target += 1
        }
        output.commit(target - start)
    }

    @inline(__always)
    private static func copy(
        _ key: UnsafeRawBufferPointer, to target: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        guard let source = key.baseAddress else { return target }
        UnsafeMutableRawPointer(target).copyMemory(from: source, byteCount: key.count)
        return target + key.count
    }
}
