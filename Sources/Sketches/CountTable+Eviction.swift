import CBytes

extension CountTable {
    /// What is short.
    enum Shortage {
        case entries
        case arena
    }

    /// Evicts the smaller half of the entries – or, where the arena is short, of its bytes – into the sketch: whole, so
    /// that table and sketch together stay the sketch of the stream.
    ///
    /// Smaller is by class of count (`CountClass`). Which of the entries of the class in the middle go is drawn by their hash
    /// and `round`: evenly over the table, and not the same keys each time.
    /// - Cost: three passes over the table, and a pass over the arena.
    mutating func evictHalf(_ shortage: Shortage, round: UInt64, into sketch: inout CountMinSketch)
        throws(CountOverflow)
    {
        let threshold = threshold(shortage, round)
        let mask = capacity - 1
        // Begin behind an empty slot. Then an entry that is put back lands at or before its old place, behind entries
        // that have been put back already: probes find them all, and none is met twice.
        var at = 0
        while !slots[at].key.isNone { at += 1 }
        for _ in 0..<capacity {
            at = (at + 1) & mask
            let slot = slots + at
            guard !slot.pointee.key.isNone else { continue }
            let entry = slot.pointee
            if weight(entry, shortage) > 0, Rank(entry, round) <= threshold {
                try sketch.add(entry.count, hash: sketchHash(of: slot))
                if entry.key.isLong { arena.kill(entry.key.offset) }
                slot.pointee = .empty
                used -= 1
            } else {
                slot.pointee = .empty
                put(entry)
            }
        }
        compactArena()
    }

    /// Class of count, then a number drawn for the key.
    private struct Rank: Comparable {
        var countClass: Int
        var draw: Int

        init(countClass: Int, draw: Int) {
            self.countClass = countClass
            self.draw = draw
        }

        init(_ entry: Slot, _ round: UInt64) {
            countClass = CountClass.index(entry.count)
            draw = Int(truncatingIfNeeded: CountMinSketch.splitMix(entry.key.tableHash ^ round) >> 54)
        }

        static func < (left: Rank, right: Rank) -> Bool {
            (left.countClass, left.draw) < (right.countClass, right.draw)
        }
    }

    private func weight(_ entry: Slot, _ shortage: Shortage) -> Int {
        switch shortage {
        case .entries: 1
        case .arena: entry.key.isLong ? KeyArena.cost(arena.key(at: entry.key.offset).count) : 0
        }
    }

    /// The rank up to which at least half of the weight lies.
    private func threshold(_ shortage: Shortage, _ round: UInt64) -> Rank {
        var classes = [Int](repeating: 0, count: CountClass.all)
        for at in 0..<capacity where !slots[at].key.isNone {
            classes[CountClass.index(slots[at].count)] += weight(slots[at], shortage)
        }
        var wanted = (classes.reduce(0, +) + 1) / 2
        let middle = Self.take(&wanted, from: classes)
        var draws = [Int](repeating: 0, count: 1024)
        for at in 0..<capacity where !slots[at].key.isNone {
            let rank = Rank(slots[at], round)
            if rank.countClass == middle { draws[rank.draw] += weight(slots[at], shortage) }
        }
        return Rank(countClass: middle, draw: Self.take(&wanted, from: draws))
    }

    /// The first index up to which the weights reach `wanted`, from which those before it are taken off.
    private static func take(_ wanted: inout Int, from weights: [Int]) -> Int {
        for (index, weight) in weights.enumerated() {
            if weight >= wanted { return index }
            wanted -= weight
        }
        return weights.count - 1
    }

    private mutating func compactArena() {
        let (slots, mask, seed) = (self.slots, capacity - 1, self.seed)
        arena.compact { key, old, new in
            let hash = CountMinSketch.hash(key, seed: seed)
            var at = Int(truncatingIfNeeded: hash) & mask
            // Every living record has its slot on the probe of its hash.
            while slots[at].key != InlineKey(longWithHash: hash, offset: old) { at = (at + 1) & mask }
            slots[at].key = InlineKey(longWithHash: hash, offset: new)
        }
    }
}
