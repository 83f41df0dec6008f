import Bytes
import CBytes

/// The `_id` of a document, out of the texts of its id fields: the same on every run and machine, and different for
/// different texts.
///
/// The text of one field is the id as it is. Several are joined by commas, with a backslash before each comma and
/// backslash inside them. The text of a number is its bytes in the document, so 1 and 1.0 give two ids; the number 1 and
/// the string "1" give one, as they are one term to an index.
///
/// Elasticsearch takes ids of at most 512 bytes. A longer one becomes `xxh3:` and its 128-bit XXH3 in hexadecimal digits;
/// so does one that itself begins with `xxh3:`, so that no short id is that of a long one. (XXH3: Y. Collet,
/// https://xxhash.com. Not a cryptographic hash: who chooses the texts could make two long ones collide.)
enum DocumentID {
    static let longest = 512
    static let mark = Array("xxh3:".utf8)

    /// Adds the text of one of several fields to an id.
    static func join(_ text: UnsafeRawBufferPointer, to id: inout [UInt8]) {
        let (comma, backslash) = (UInt8(ascii: ","), UInt8(ascii: "\\"))
        // Nearly always there is neither, and the text goes over in one piece.
        guard text.contains(where: { $0 == comma || $0 == backslash }) else { return id.append(contentsOf: text) }
        for byte in text {
            if byte == comma || byte == backslash { id.append(backslash) }
            id.append(byte)
        }
    }

    static func needsHash(_ id: UnsafeRawBufferPointer) -> Bool { id.count > longest || id.starts(with: mark) }

    static func hashed(_ id: UnsafeRawBufferPointer) -> [UInt8] {
        var halves: [UInt64] = [0, 0]
        cbytes_hash128(id.baseAddress, id.count, &halves)
        return mark
            + halves.flatMap { half in
                let digits = String(half, radix: 16)
                return Array((String(repeating: "0", count: 16 - digits.count) + digits).utf8)
            }
    }
}
