import CRDKafka
internal import Delivery
import ToolRuntime

extension GroupMember {
    /// From librdkafka's binary form, the only place where version 2.0.2 tells the generation:
    /// `CGMDv2:`, the generation (4 bytes), group NUL, member NUL, and 1, or 0 instance NUL.
    /// - Returns: nil if it is of another version.
    package init?(serialized bytes: UnsafeRawBufferPointer) {
        let magic = "CGMDv2:".utf8
        guard bytes.starts(with: magic), bytes.count > magic.count + 4 else { return nil }
        let generation = bytes.loadUnaligned(fromByteOffset: magic.count, as: Int32.self)
        var rest = bytes[(magic.count + 4)...]
        func text(_ rest: inout Slice<UnsafeRawBufferPointer>) -> [UInt8]? {
            guard let end = rest.firstIndex(of: 0) else { return nil }
            defer { rest = rest[(end + 1)...] }
            return Array(rest[..<end])
        }
        guard let group = text(&rest), let member = text(&rest), let isMissing = rest.popFirst() else { return nil }
        let instance = isMissing == 0 ? text(&rest) : nil
        if isMissing == 0, instance == nil { return nil }
        self.init(group: group, generation: generation, member: member, instance: instance)
    }

    /// librdkafka's own form, good while `body` runs.
    func withMetadata<Result>(_ body: (OpaquePointer) -> Result) -> Result {
        func ended(_ bytes: [UInt8]) -> [CChar] { bytes.map(CChar.init(bitPattern:)) + [0] }
        let metadata = rd_kafka_consumer_group_metadata_new_with_genid(
            ended(group), generation, ended(member), instance.map(ended))
        guard let metadata else { preconditionFailure("out of memory") }
        defer { rd_kafka_consumer_group_metadata_destroy(metadata) }
        return body(metadata)
    }
}

extension Client {
    /// Who this consumer is in its group now.
    /// - Throws: `tryAgain` while it is no member.
    func groupMember() throws(Failure) -> GroupMember {
        guard let metadata = rd_kafka_consumer_group_metadata(handle) else {
            throw Failure(.internalError, "librdkafka knows no group")
        }
        defer { rd_kafka_consumer_group_metadata_destroy(metadata) }
        var (bytes, count): (UnsafeMutableRawPointer?, Int) = (nil, 0)
        // The only error is a wrong argument.
        guard rd_kafka_consumer_group_metadata_write(metadata, &bytes, &count) == nil else {
            throw Failure(.internalError, "librdkafka does not tell the group's generation")
        }
        defer { rd_kafka_mem_free(nil, bytes) }
        guard let member = GroupMember(serialized: UnsafeRawBufferPointer(start: bytes, count: count)) else {
            throw Failure(.internalError, "this librdkafka writes the group's generation in a way of its own")
        }
        guard member.generation >= 0, !member.member.isEmpty else {
            throw Failure(.tryAgain, "no longer a member of the group")
        }
        return member
    }
}
