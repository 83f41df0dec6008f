import CBytes

extension KeyTotals {
    /// Forgets the keys that `isOver` tells, but for those that have changed, and gives their memory back.
    /// - Cost: a pass over the table, and a new table for what is left.
    public mutating func remove(where isOver: (UnsafeRawBufferPointer) -> Bool) {
        var left = CountTable(plan: .unbounded, seed: 0)
        for at in 0..<table.capacity where !table.slots[at].key.isNone {
            let slot = table.slots + at
            let key = table.bytes(of: slot)
            if slot.pointee.admitted == 0, isOver(key) { continue }
            _ = left.makeRoom(for: 1)
            var moved = slot.pointee
            if moved.key.isLong { moved.key = InlineKey(longWithHash: moved.key.low, offset: left.arena.append(key)) }
            left.put(moved)
            left.used += 1
        }
        table = left
        if tracksChanges { collectChanged() }
    }
}
