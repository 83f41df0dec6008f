import Delivery
import Testing

@Suite struct EpochOffsetsTests {
    static let member = GroupMember(group: Array("g".utf8), generation: 7, member: Array("m-1".utf8), instance: nil)

    @Test func offsetsSurviveABarrier() {
        var ends = EndsOfStream()
        ends.add(isOK: true, writer: Array("w".utf8))
        let names: [[UInt8]] = [Array("plain".utf8), Array("a\tb\nc\\ \r".utf8), [0xFF, 0xFE], Array("\\N".utf8)]
        for name in names {
            for instance in [nil, [], name] {
                let member = GroupMember(group: name, generation: 0, member: name, instance: instance)
                for positions in [
                    [], [Position(partition: 0, next: 0)],
                    [Position(partition: 3, next: .max, ends: ends), Position(partition: 1, next: 5)],
                ] {
                    let offsets = EpochOffsets(member: member, topic: name, positions: positions)
                    #expect(!offsets.payload.contains(0x0A))
                    #expect(EpochOffsets(payload: offsets.payload) == offsets)
                }
            }
        }
    }

    @Test func aPayloadWithoutAGenerationIsRefused() {
        let good = EpochOffsets(member: Self.member, topic: [0x74], positions: [Position(partition: 0, next: 5)])
        #expect(String(decoding: good.payload, as: UTF8.self) == "g\t7\tm-1\t\\N\tt\t0 5 ")
        for text in [
            "", "g", "g\t-1\tm-1\t\\N\tt\t0 5 ", "g\t\tm-1\t\\N\tt\t0 5 ", "\t7\tm-1\t\\N\tt\t0 5 ",
            "g\t7\t\t\\N\tt\t0 5 ",
            "g\t7\tm-1\t\\N\tt\t0", "g\t7\tm-1\t\\N\tt\t-1 5 ", "g\t7\tm-1\t\\N\tt\t0 -5 ", "g\t7\tm-1\t\\N\tt\t",
            "g\tx\tm-1\t\\N\tt\t0 5 ",
        ] {
            #expect(EpochOffsets(payload: Array(text.utf8)) == nil, "\(text)")
        }
    }
}
