import CBytes

/// The bytes of the keys that are too long for their slot, one behind the other.
///
/// A record is the key's length, 8 bytes, and the key, rounded up to 8 bytes. Address space is taken 64 MiB at first, or
/// all that the arena may ever hold if that is less, and then twice as much each time; the system provides the memory
/// page by page as it is used, and for pieces of such a size it moves the pages rather than the bytes.
struct KeyArena: ~Copyable {
    private let capacity: Int
    private(set) var base: UnsafeMutableRawPointer?
    private var reserved = 0
    /// Bytes of the records, dead ones included.
    private(set) var used = 0

    private static let dead: UInt64 = 1 << 63

    /// What a key of `length` bytes takes.
    @inline(__always)
    static func cost(_ length: Int) -> Int { length > InlineKey.longest ? (length + 15) & ~7 : 0 }

    init(capacity: Int) { self.capacity = capacity }

    deinit { cbytes_release(base) }

    /// Stores a key for which there is room and returns its offset.
    mutating func append(_ key: UnsafeRawBufferPointer) -> Int {
        let offset = used
        used += Self.cost(key.count)
        precondition(used <= capacity)
        if used > reserved { reserve() }
        let base = memory(0)
        base.storeBytes(of: UInt64(key.count), toByteOffset: offset, as: UInt64.self)
        if let bytes = key.baseAddress { (base + offset + 8).copyMemory(from: bytes, byteCount: key.count) }
        return offset
    }

    private mutating func reserve() {
        reserved = min(capacity, max(used, reserved * 2, 64 << 20))
        guard let larger = cbytes_resize(base, reserved) else { fatalError("out of memory") }
        base = larger
    }

    /// The key stored at `offset`. Good until the arena is changed.
    func key(at offset: Int) -> UnsafeRawBufferPointer {
        let header = memory(offset).load(as: UInt64.self)
        return UnsafeRawBufferPointer(start: memory(offset) + 8, count: Int(truncatingIfNeeded: header & ~Self.dead))
    }

    /// Whether the key stored at `offset` is `key`.
    func holds(_ key: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        let stored = self.key(at: offset)
        guard stored.count == key.count, let left = stored.baseAddress, let right = key.baseAddress else {
            return false
        }
        return cbytes_equal(left, right, key.count)
    }

    /// Gives up the record at `offset`; its room comes back by `compact`.
    mutating func kill(_ offset: Int) {
        let header = memory(offset).load(as: UInt64.self)
        memory(offset).storeBytes(of: header | Self.dead, as: UInt64.self)
    }

    /// Moves the living records together and tells `moved` of each that has moved: its key, the old and the new offset.
    mutating func compact(_ moved: (UnsafeRawBufferPointer, Int, Int) -> Void) {
        var (from, to) = (0, 0)
        while from < used {
            let header = memory(from).load(as: UInt64.self)
            let size = Self.cost(Int(truncatingIfNeeded: header & ~Self.dead))
            if header & Self.dead == 0 {
                if from != to {
                    memory(to).copyMemory(from: memory(from), byteCount: size)
                    moved(key(at: to), from, to)
                }
                to += size
            }
            from += size
        }
        used = to
    }

    /// Forgets all keys and gives the memory back.
    mutating func reset() {
        cbytes_release(base)
        (base, used, reserved) = (nil, 0, 0)
    }

    private func memory(_ offset: Int) -> UnsafeMutableRawPointer {
        // Offsets come from `append`, so there is a base and they are below `used`.
        base.unsafelyUnwrapped + offset
    }
}
