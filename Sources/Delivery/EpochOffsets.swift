import Bytes

/// What a `commit` barrier carries from `kcat-in` to `kcat-out`: who has read, and how far. As the payload of a barrier:
///
///     GROUP TAB GENERATION TAB MEMBER TAB INSTANCE TAB TOPIC { TAB PARTITION SPACE OFFSET SPACE METADATA }
///
/// TAB, LF, CR and `\` in a name are escaped as in the fields of `--with`, and a missing instance is `\N`. METADATA is that of
/// the commit (`EndsOfStream`). Other payloads: that of `open` is the length of an epoch in milliseconds, that of `close` is a
/// `StreamEnd`.
package struct EpochOffsets: Equatable {
    package var member: GroupMember
    package var topic: [UInt8]
    package var positions: [Position]

    package init(member: GroupMember, topic: [UInt8], positions: [Position]) {
        (self.member, self.topic, self.positions) = (member, topic, positions)
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
        for position in positions {
            text += "\t\(position.partition) \(position.next) \(position.ends.metadata)".utf8
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
        for field in fields[5...] {
            let words = field.split(separator: 0x20, maxSplits: 2, omittingEmptySubsequences: false)
            guard words.count == 3, let partition = Int32(String(decoding: words[0], as: UTF8.self)), partition >= 0,
                let next = Int64(String(decoding: words[1], as: UTF8.self)), next >= 0
            else { return nil }
            let ends = Array(words[2]).withUnsafeBytes { EndsOfStream(metadata: $0) }
            positions.append(Position(partition: partition, next: next, ends: ends))
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
