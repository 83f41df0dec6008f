import Bytes

/// What a `commit` barrier carries from `kcat-in` to `kcat-out`: who has read, and how far. As the payload of a barrier:
///
///     GROUP TAB GENERATION TAB MEMBER TAB INSTANCE TAB TOPIC [ TAB of SPACE COUNT ]
///         { TAB PARTITION SPACE OFFSET SPACE METADATA }
///
/// COUNT, how many partitions the topic has, is there where the stream carries watermarks.
/// TAB, LF, CR and `\` in a name are escaped as in the fields of `--with`, and a missing instance is `\N`. METADATA is that of
/// the commit (`PartitionTimes`, `EndsOfStream`). Other payloads: that of `open` is the length of an epoch in milliseconds, that of `close` is a
/// `StreamEnd`.
package struct EpochOffsets: Equatable {
    package var member: GroupMember
    package var topic: [UInt8]
    package var partitionCount: Int32?
    package var positions: [Position]

    package init(member: GroupMember, topic: [UInt8], partitionCount: Int32? = nil, positions: [Position]) {
        (self.member, self.topic, self.partitionCount, self.positions) = (member, topic, partitionCount, positions)
    }

    package var payload: [UInt8] {
        var text: [UInt8] = []
        func field(_ bytes: [UInt8]) {
            bytes.withUnsafeBytes { Escape.write($0, to: &text) }
            text.append(0x09)
        }
        field(member.group)
        text += "\(member.generation)\t".utf8
        field(member.member)
        if let instance = member.instance { field(instance) } else { text += Escape.missing + [0x09] }
        field(topic)
        text.removeLast()
        if let partitionCount { text += "\tof \(partitionCount)".utf8 }
        for position in positions {
            text += "\t\(position.partition) \(position.next) \(position.metadata)".utf8
        }
        return text
    }

    /// nil if `payload` is not one, or has no generation: a broker would take such offsets from anybody.
    package init?(payload: [UInt8]) {
        let fields = payload.split(separator: 0x09, omittingEmptySubsequences: false)
        guard fields.count >= 5, let group = Escape.read(fields[0]), !group.isEmpty,
            let generation = Int32(String(decoding: fields[1], as: UTF8.self)), generation >= 0,
            let member = Escape.read(fields[2]), !member.isEmpty, let topic = Escape.read(fields[4])
        else { return nil }
        var instance: [UInt8]?
        if !fields[3].elementsEqual(Escape.missing) {
            guard let text = Escape.read(fields[3]) else { return nil }
            instance = text
        }
        self.init(
            member: GroupMember(group: group, generation: generation, member: member, instance: instance), topic: topic,
            positions: [])
        var rest = fields[5...]
        if let field = rest.first, field.starts(with: "of ".utf8) {
            guard let count = Int32(String(decoding: field.dropFirst(3), as: UTF8.self)), count > 0 else { return nil }
            partitionCount = count
            rest = rest.dropFirst()
        }
        for field in rest {
            let words = field.split(separator: 0x20, maxSplits: 2, omittingEmptySubsequences: false)
            guard words.count == 3, let partition = Int32(String(decoding: words[0], as: UTF8.self)), partition >= 0,
                let next = Int64(String(decoding: words[1], as: UTF8.self)), next >= 0
            else { return nil }
            let stored = Array(words[2]).withUnsafeBytes { StoredOffset(next: next, metadata: $0) }
            positions.append(Position(partition: partition, next: next, ends: stored.ends, times: stored.times))
        }
    }
}

/// Why a stream with barriers ends: the payload of `close`.
package enum StreamEnd: String {
    case ok
    /// The input of a writer of the topic had failed (`--until-eof`).
    case failed
    /// A signal asked for it: the topic goes on.
    case stopped
}
