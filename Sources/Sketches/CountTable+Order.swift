import CBytes

/// An order of entries.
enum SlotOrder {
    /// By count, the largest first, and by key.
    case ranking
    case key
}

extension CountTable {
    /// Moves the entries to the front and puts the first `first` of them in order; the others follow in any order.
    ///
    /// Then there is no table any more, only a list, until `reset`. It is done in place, since no memory is left for more:
    /// a quicksort that leaves out what lies behind `first`. Slots lie in the order of a hash, so the middle is a random
    /// pivot.
    mutating func arrange(_ order: SlotOrder, first: Int) {
        var filled = 0
        for at in 0..<capacity where !slots[at].key.isNone {
            if at != filled { (slots[filled], slots[at]) = (slots[at], .empty) }
            filled += 1
        }
        switch order {
        case .ranking: sort(0, filled, first) { table, left, right in table.ranksBefore(left, right) }
        case .key: sort(0, filled, first) { table, left, right in table.sortsBefore(left, right) }
        }
    }

    @inline(__always)
    private func sort(
        _ start: Int, _ end: Int, _ first: Int,
        _ precedes: (borrowing CountTable, UnsafeMutablePointer<Slot>, UnsafeMutablePointer<Slot>) -> Bool
    ) {
        // Parts still to be sorted; the smaller part is done first, so there are at most 64.
        var parts = [(start, end)]
        while let (low, high) = parts.popLast() {
            guard low < first else { continue }
            if high - low <= 16 {
                for next in (low..<high).dropFirst() {
                    var at = next
                    while at > low, precedes(self, slots + at, slots + (at - 1)) {
                        (slots[at], slots[at - 1]) = (slots[at - 1], slots[at])
                        at -= 1
                    }
                }
                continue
            }
            let middle = low + (high - low) / 2
            (slots[low], slots[middle]) = (slots[middle], slots[low])
            // slots[low] is the pivot: what precedes it comes to low + 1 ... left
            var (left, right) = (low, high)
            while true {
                repeat { left += 1 } while left < high && precedes(self, slots + left, slots + low)
                repeat { right -= 1 } while precedes(self, slots + low, slots + right)
                guard left < right else { break }
                (slots[left], slots[right]) = (slots[right], slots[left])
            }
            (slots[low], slots[right]) = (slots[right], slots[low])
            let (lower, upper) = ((low, right), (right + 1, high))
            if right - low < high - right { parts += [upper, lower] } else { parts += [lower, upper] }
        }
    }

    @inline(__always)
    func ranksBefore(_ left: UnsafeMutablePointer<Slot>, _ right: UnsafeMutablePointer<Slot>) -> Bool {
        if left.pointee.count != right.pointee.count { return left.pointee.count > right.pointee.count }
        return sortsBefore(left, right)
    }

    /// Whether one key sorts before the other, byte by byte.
    @inline(__always)
    private func sortsBefore(_ left: UnsafeMutablePointer<Slot>, _ right: UnsafeMutablePointer<Slot>) -> Bool {
        let (leftKey, rightKey) = (left.pointee.key, right.pointee.key)
        guard leftKey.isLong || rightKey.isLong else {
            // The zeros behind the shorter one sort first, and where they stand for zeros of the key the length decides.
            if leftKey.low != rightKey.low { return leftKey.low.byteSwapped < rightKey.low.byteSwapped }
            return leftKey.high.byteSwapped < rightKey.high.byteSwapped
        }
        let (leftBytes, rightBytes) = (bytes(of: left), bytes(of: right))
        let common = min(leftBytes.count, rightBytes.count)
        if common > 0, let leftBase = leftBytes.baseAddress, let rightBase = rightBytes.baseAddress {
            let order = cbytes_compare(leftBase, rightBase, common)
            if order != 0 { return order < 0 }
        }
        return leftBytes.count < rightBytes.count
    }
}
