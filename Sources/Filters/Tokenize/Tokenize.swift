public import Bytes
import CBytes

public struct Tokenize: Filter {
    public enum Problem: LineProblem {
        case missingFields(wanted: Int)
        public var description: String {
            switch self { case .missingFields(let wanted): "fewer than \(wanted) fields" }
        }
    }
    public init() {}

    public mutating func consume(
        _ lines: Span<UInt8>, firstLine: Int, now: Moment, into output: inout Output
    ) throws(MalformedLine<Problem>) {
        lines.withUnsafeBytes { bytes in
            let count = bytes.count
            let source = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
            let start = output.lines.reserve(count + 192)
            var target = start
            var carry: UInt64 = 1
            var at = 0
            while at + 64 <= count {
                let space = cbytes_copy_space_as_lf(target, source + at)
                var drop = space & (space << 1 | carry)
                carry = space >> 63
                if drop == 0 {
                    target += 64
                } else {
                    // copy kept runs over the block written
                    let from = target
                    var position = 0
                    repeat {
                        let stop = drop.trailingZeroBitCount
                        let run = stop - position
                        // stop..<next: dropped bytes
                        if target != from + position {
                          var moved = 0
                          repeat {
                            UnsafeMutableRawPointer(target + moved).copyMemory(from: from + position + moved, byteCount: 16)
                            moved += 16
                          } while moved < run
                        }
                        target += run
                        let dropped = (~(drop >> UInt64(stop))).trailingZeroBitCount
                        position = stop + dropped
                        drop = position >= 64 ? 0 : drop & (~0 << UInt64(position))
                    } while drop != 0
                    if position < 64 {
                        var moved = 0
                        let run = 64 - position
                        repeat {
                            UnsafeMutableRawPointer(target + moved).copyMemory(from: from + position + moved, byteCount: 16)
                            moved += 16
                        } while moved < run
                        target += run
                    }
                }
                at += 64
            }
            while at < count {
                var byte = source[at]
                let space = byte == 32 || (byte &- 9) < 5
                if space { byte = 10 }
                if !(space && carry == 1) { target.pointee = byte; target += 1 }
                carry = space ? 1 : 0
                at += 1
            }
            output.lines.commit(target - start)
        }
    }
}
