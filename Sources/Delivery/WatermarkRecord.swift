import Bytes

/// A record with which `kcat-out --exactly-once` tells every partition of its topic where the partitions stand in event time from
/// which its stage reads here: an empty value under the header `watermark`, whose value is
///
///     TOPIC SPACE COUNT { SPACE PARTITION:WATERMARK|idle }
///
/// COUNT is how many partitions TOPIC has, which is the topic that the stage reads; those that its reader has are named, all of
/// them in each record. WATERMARK is in milliseconds since 1970. The record comes after all lines that the stage made of what it
/// had read of them by then, in the same transaction. Its key, `RS watermark TAB WRITER`, is the writer's own: a topic that is
/// compacted keeps the last of each.
package struct WatermarkRecord: Equatable, Sendable {
    package static let header = "watermark"

    package enum Mark: Equatable, Sendable {
        case time(Int64)
        case idle
    }

    package var topic: [UInt8]
    package var count: Int32
    package var marks: [Int32: Mark]

    package init(topic: [UInt8], count: Int32, marks: [Int32: Mark]) {
        (self.topic, self.count, self.marks) = (topic, count, marks)
    }

    /// nil if the header's value is none.
    package init?(value: [UInt8]) {
        let words = value.split(separator: 0x20, omittingEmptySubsequences: false)
        guard words.count > 2, let count = Int32(String(decoding: words[1], as: UTF8.self)), count > 0 else {
            return nil
        }
        self.init(topic: Array(words[0]), count: count, marks: [:])
        for word in words[2...] {
            let parts = word.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
                .map { String(decoding: $0, as: UTF8.self) }
            guard parts.count == 2, let partition = Int32(parts[0]), (0..<count).contains(partition) else { return nil }
            if parts[1] == "idle" {
                marks[partition] = .idle
            } else {
                guard let time = Int64(parts[1]) else { return nil }
                marks[partition] = .time(time)
            }
        }
    }

    package var value: [UInt8] {
        let words = marks.sorted { $0.key < $1.key }.map { partition, mark in
            let text = if case .time(let time) = mark { String(time) } else { "idle" }
            return " \(partition):\(text)"
        }
        return topic + " \(count)\(words.joined())".utf8
    }

    package static func key(ofWriter writer: String) -> [UInt8] {
        [Barrier.recordSeparator] + "watermark\t\(writer)".utf8
    }
}
