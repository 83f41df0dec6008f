import Delivery
import Kafka
import Testing

@Suite struct GroupMemberTests {
    private static let member = GroupMember(
        group: Array("g".utf8), generation: 7, member: Array("m-1".utf8), instance: nil)

    @Test func theGenerationIsReadOutOfLibrdkafkasForm() {
        func read(_ bytes: [UInt8]) -> GroupMember? { bytes.withUnsafeBytes { GroupMember(serialized: $0) } }
        let start = Array("CGMDv2:".utf8) + [7, 0, 0, 0] + Array("g\0m-1\0".utf8)
        #expect(read(start + [1]) == Self.member)
        var named = Self.member
        named.instance = Array("i".utf8)
        #expect(read(start + [0] + Array("i\0".utf8)) == named)
        for broken in [Array("CGMDv3:".utf8) + start[7...], Array(start.dropLast()), start, start + [0], []] {
            #expect(read(broken) == nil)
        }
    }
}
