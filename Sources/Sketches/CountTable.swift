import CBytes

/// Exact counts by key: open addressing with linear probing over 32-byte slots.
///
/// Counting a line costs one hash and mostly one cache line, and no allocation. Lines come in batches: first the keys of
/// the whole batch are hashed and their cache lines asked for, then each is probed, so that the waits overlap.
///
/// The table doubles while the plan lets it; a key that does not fit is refused, and its owner makes room.
struct CountTable: ~Copyable {
    let plan: MemoryPlan
    private(set) var slots: UnsafeMutablePointer<Slot>
    private(set) var capacity: Int
    /// Entries.
    var used = 0
    var arena: KeyArena
    /// Whether the table keeps its size, since the rest of the memory is the sketch's.
    private(set) var isFrozen = false
    let seed: UInt64

    init(plan: MemoryPlan, seed: UInt64) {
        self.plan = plan
        self.seed = seed
        capacity = MemoryPlan.firstSlots
        slots = Self.allocate(capacity)
        arena = KeyArena(capacity: plan.share)
    }

    deinit { slots.deallocate() }

    /// Aligned, so that no slot lies across two cache lines, and a large table on huge pages where the system has them:
    /// its slots are met in no order, and there are not enough entries in the TLB for small pages.
    private static func allocate(_ capacity: Int) -> UnsafeMutablePointer<Slot> {
        let byteCount = MemoryPlan.bytes(slots: capacity)
        let hugePage = 2 << 20
        let block = UnsafeMutableRawPointer.allocate(
            byteCount: byteCount, alignment: byteCount >= hugePage ? hugePage : 64)
        if byteCount >= hugePage { cbytes_prefer_huge_pages(block, byteCount) }
        let slots = block.bindMemory(to: Slot.self, capacity: capacity)
        slots.initialize(repeating: .empty, count: capacity)
        return slots
    }

    /// Forgets everything and gives the memory back.
    mutating func reset() {
        arena.reset()
        if capacity == MemoryPlan.firstSlots {
            slots.update(repeating: .empty, count: capacity)
        } else {
            slots.deallocate()
            capacity = MemoryPlan.firstSlots
            slots = Self.allocate(capacity)
        }
        used = 0
        isFrozen = false
    }

    /// Memory in use, in bytes.
    var memory: Int { MemoryPlan.bytes(slots: capacity) + arena.used }

    /// The most that the arena may take now that the table keeps its size, in bytes.
    var arenaLimit: Int { plan.share - MemoryPlan.bytes(slots: capacity) }

    // MARK: - Keys

    /// The key of an entry. Good until the table is changed.
    @inline(__always)
    func bytes(of slot: UnsafeMutablePointer<Slot>) -> UnsafeRawBufferPointer {
        if slot.pointee.key.isLong { return arena.key(at: slot.pointee.key.offset) }
        return UnsafeRawBufferPointer(start: slot, count: slot.pointee.key.length)  // the key is the first in the slot
    }

    /// The hash that the sketch knows an entry by.
    func sketchHash(of slot: UnsafeMutablePointer<Slot>) -> UInt64 {
        slot.pointee.key.isLong ? slot.pointee.key.low : CountMinSketch.hash(bytes(of: slot), seed: seed)
    }

    // MARK: - Room

    var hasFreeEntry: Bool { used < MemoryPlan.entries(slots: capacity) }

    /// Puts in a key that the table does not have, if it fits.
    @inline(never)
    mutating func admit(_ next: UnsafeMutablePointer<Pending>) -> Bool {
        let pending = next.pointee
        let arenaNeeded = arena.used + KeyArena.cost(pending.length)
        if isFrozen {
            guard hasFreeEntry, arenaNeeded <= arenaLimit else { return false }
        } else {
            let slotsNeeded = hasFreeEntry ? capacity : 2 * capacity
            guard plan.fits(slots: slotsNeeded, arena: arenaNeeded) else { return false }
            if slotsNeeded > capacity { grow(to: slotsNeeded) }
        }
        var key = pending.key
        if pending.length > InlineKey.longest {
            key = InlineKey(longWithHash: pending.hash, offset: arena.append(pending.bytes))
        }
        put(Slot(key: key, count: pending.count, admitted: 0))
        used += 1
        return true
    }

    /// Puts the count of a key in the place of the one that it has, or the key in if it fits. Returns whether it does.
    mutating func replace(_ next: UnsafeMutablePointer<Pending>) -> Bool {
        let mask = capacity &- 1
        var at = Int(truncatingIfNeeded: next.pointee.hash) & mask
        if next.pointee.key.isLong {
            at = find(long: next.pointee)
        } else {
            // at ≤ mask, below capacity; it ends, since a quarter of the slots are empty
            while slots[at].key != next.pointee.key, !slots[at].key.isNone { at = (at &+ 1) & mask }
        }
        guard slots[at].key.isNone else {
            slots[at].count = next.pointee.count
            return true
        }
        return admit(next)
    }

    /// Puts an entry into the first empty slot of its probe.
    @inline(__always)
    func put(_ entry: Slot) {
        let mask = capacity &- 1
        var at = Int(truncatingIfNeeded: entry.key.tableHash) & mask
        // There is an empty slot: a quarter of them are.
        while !slots[at].key.isNone { at = (at &+ 1) & mask }
        slots[at] = entry
    }

    mutating func grow(to larger: Int) {
        let (old, count) = (slots, capacity)
        slots = Self.allocate(larger)
        capacity = larger
        for at in 0..<count where !old[at].key.isNone { put(old[at]) }
        old.deallocate()
    }

    /// Grows to the largest size that leaves the sketch its room, and keeps it.
    mutating func freeze() {
        guard !isFrozen else { return }
        var largest = capacity
        while plan.fits(slots: largest * 2, arena: arena.used) { largest *= 2 }
        if largest > capacity { grow(to: largest) }
        isFrozen = true
    }
}
