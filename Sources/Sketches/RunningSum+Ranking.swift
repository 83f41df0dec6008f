extension RunningSum {
    /// Puts the `top` largest keys in order, by count and then by key, and calls `body` with each.
    public mutating func rank(top: Int, _ body: (UnsafeRawBufferPointer, Int64) -> Void) {
        let listed = min(top, live)
        dropFallenCandidates()
        if bar == nil || candidates.count < listed { setBar(listed) }
        rankings += 1
        var sorted = SlotSort(capacity: candidates.count, arena: table.arena)
        for at in candidates { sorted.append(table.slots + at) }
        sorted.sort(.ranking, first: listed)
        for index in 0..<listed { body(table.bytes(of: sorted[index]), sorted[index].pointee.count) }
    }

    private mutating func dropFallenCandidates() {
        guard bar != nil else { return }
        var kept = 0
        for at in candidates {
            if isBeforeBar(table.slots + at) {
                candidates[kept] = at
                kept += 1
            } else {
                table.slots[at].admitted = 0
            }
        }
        candidates.removeSubrange(kept...)
        // Where ever more keys pass the bar it is too low.
        if candidates.count > 8 * wanted { bar = nil }
    }

    /// Sets the bar behind the largest keys: behind so many more than are listed that it will do for a while. Where it did
    /// not do for long, behind twice as many.
    private mutating func setBar(_ listed: Int) {
        let least = 2 * listed + 64
        wanted = rankings < 16 ? wanted * 2 : wanted / 2
        wanted = min(max(wanted, least), max(least, live / 16))
        rankings = 0
        var all = SlotSort(capacity: live, arena: table.arena)
        for at in 0..<table.capacity where !table.slots[at].key.isNone {
            table.slots[at].admitted = 0
            if table.slots[at].count > 0 { all.append(table.slots + at) }
        }
        candidates.removeAll(keepingCapacity: true)
        guard live > wanted else {
            bar = Slot(key: .none, count: 0, admitted: 0)
            for index in 0..<live { admit(all[index]) }
            return
        }
        all.sort(.ranking, first: wanted + 1)
        bar = all[wanted].pointee
        for index in 0..<wanted { admit(all[index]) }
    }

    private mutating func admit(_ slot: UnsafeMutablePointer<Slot>) {
        slot.pointee.admitted = 1
        candidates.append(slot - table.slots)
    }
}
