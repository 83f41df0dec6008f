import CBytes

/// A set of words, looked up byte by byte: an open-addressing table of XXH3 hashes, at most half full.
public struct StopWords: Sendable {
    /// All words, one behind the other.
    private var words: [UInt8] = []
    private var table: [Entry]

    /// A word as part of `words`; an empty slot has length 0, which no word has.
    private struct Entry {
        var hash: UInt64 = 0
        var start = 0
        var length = 0
    }

    /// The lines of `text` but for empty ones.
    public init(_ text: [UInt8]) {
        let lines = text.split(separator: UInt8(ascii: "\n"))
        var capacity = 16
        while capacity < 2 * lines.count { capacity *= 2 }
        table = Array(repeating: Entry(), count: capacity)
        for line in lines {
            let (slot, hash) = line.withUnsafeBytes { (self.slot(of: $0), Self.hash($0)) }
            guard table[slot].length == 0 else { continue }
            table[slot] = Entry(hash: hash, start: words.count, length: line.count)
            words += line
        }
    }

    func contains(_ word: UnsafeRawBufferPointer) -> Bool { table[slot(of: word)].length != 0 }

    /// Where the word is, or where it would be.
    private func slot(of word: UnsafeRawBufferPointer) -> Int {
        let hash = Self.hash(word)
        var slot = Int(truncatingIfNeeded: hash) & (table.count - 1)
        while true {
            let entry = table[slot]
            if entry.length == 0 { return slot }
            if entry.hash == hash, entry.length == word.count,
                words[entry.start..<(entry.start + entry.length)].elementsEqual(word)
            {
                return slot
            }
            slot = (slot + 1) & (table.count - 1)
        }
    }

    private static func hash(_ word: UnsafeRawBufferPointer) -> UInt64 {
        guard let base = word.baseAddress else { return 0 }
        return XXH_INLINE_XXH3_64bits(base, word.count)
    }
}
