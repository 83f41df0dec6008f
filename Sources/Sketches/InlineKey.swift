import CBytes

/// A key in the sixteen bytes that a slot of the table has for it.
///
/// A key of up to 15 bytes lies there itself, with zeros behind it; the last byte is its length + 1. Of a longer key
/// `low` is the hash, and `high` the mark of a long key over its offset in the arena. So two short keys are equal if
/// and only if their words are, all zeros is no key, and the bytes of a short key can be read where they lie.
/// (That takes a little-endian machine, which all that Swift runs on are.)
struct InlineKey: Equatable {
    static let longest = 15
    static let longMark: UInt64 = 0xFF << 56
    static let none = InlineKey(low: 0, high: 0)
    /// Of a long key that is not in the arena: no record begins there.
    static let unknownOffset = (1 << 56) - 1

    var low: UInt64
    var high: UInt64

    /// - Parameter words: the key's bytes, at most 15, and zeros.
    @inline(__always)
    init(words: cbytes_pair, length: Int) {
        low = words.low
        high = words.high | UInt64(truncatingIfNeeded: length &+ 1) &<< 56
    }

    @inline(__always)
    init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    @inline(__always)
    init(longWithHash hash: UInt64, offset: Int = unknownOffset) {
        low = hash
        high = Self.longMark | UInt64(truncatingIfNeeded: offset)
    }

    @inline(__always) var isNone: Bool { high == 0 }
    @inline(__always) var isLong: Bool { high >= Self.longMark }
    /// Of a long key.
    var offset: Int { Int(truncatingIfNeeded: high & ~Self.longMark) }
    /// Of a short key.
    var length: Int { Int(truncatingIfNeeded: high &>> 56) &- 1 }

    /// Where a probe for the key begins. One multiplication, its halves folded (as in wyhash): it need not be the hash
    /// of the sketch, since nothing that is put out depends on it.
    @inline(__always) var tableHash: UInt64 {
        if isLong { return low }
        let product = (low ^ 0xA076_1D64_78BD_642F).multipliedFullWidth(by: high ^ 0xE703_7ED1_A0B4_28DB)
        return product.high ^ product.low
    }
}

/// An entry of the table; empty if its key is none. Two of them fill a cache line.
struct Slot {
    var key: InlineKey
    /// Since the key was admitted; in a ranking the estimate.
    var count: Int64
    /// Only in a ranking: what was counted since the key was admitted.
    var admitted: Int64

    static let empty = Slot(key: .none, count: 0, admitted: 0)
}
