import Bytes

/// Which tokens come out: those of a wanted length that are no stop words.
struct Selection {
    /// In characters.
    let lengths: ClosedRange<Int>
    let stopWords: StopWords?

    var takesAll: Bool { lengths == 1...Int.max && stopWords == nil }

    /// Appends the tokens that are wanted.
    /// - Parameters:
    ///   - tokens: each with its LF.
    ///   - carried: what goes in front of each, and a TAB behind it; nil: nothing.
    @inline(__always)
    func append(
        _ tokens: UnsafeRawBufferPointer, behind carried: UnsafeRawBufferPointer?, to output: inout OutputBuffer
    ) {
        var scanner = LineScanner(tokens)
        while let line = scanner.next() {
            let token = UnsafeRawBufferPointer(rebasing: tokens[line])
            guard takesAll || takes(token) else { continue }
            if let carried {
                output.append(carried)
                output.append(UInt8(ascii: "\t"))
            }
            // The LF behind the token comes with it.
            output.append(UnsafeRawBufferPointer(rebasing: tokens[line.lowerBound...line.upperBound]))
        }
    }

    private func takes(_ token: UnsafeRawBufferPointer) -> Bool {
        // A character has one to four bytes: mostly the number of bytes decides.
        if token.count < lengths.lowerBound { return false }
        if (token.count + 3) / 4 < lengths.lowerBound || token.count > lengths.upperBound {
            guard lengths.contains(Self.characters(in: token)) else { return false }
        }
        return !(stopWords?.contains(token) ?? false)
    }

    /// The code points of a token; each maximal subpart of an ill-formed sequence counts as one.
    static func characters(in token: UnsafeRawBufferPointer) -> Int {
        guard let base = token.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return 0 }
        var (count, at) = (0, 0)
        while at < token.count {
            at += base[at] < 0x80 ? 1 : CodePoint((base + at).word(token.count - at)).length
            count += 1
        }
        return count
    }
}
