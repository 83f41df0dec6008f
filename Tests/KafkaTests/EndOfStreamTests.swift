import Kafka
import Testing

@Suite struct EndOfStreamTests {
    static func read(_ text: String) -> EndsOfStream { Array(text.utf8).withUnsafeBytes(EndsOfStream.init(metadata:)) }

    @Test func endsSurviveACommit() {
        var ends = EndsOfStream()
        #expect(ends.metadata == "")
        #expect(Self.read(ends.metadata) == ends)
        ends.add(isOK: true)
        #expect(ends.metadata == "end-of-stream 1 ok")
        #expect(Self.read(ends.metadata) == ends)
        ends.add(isOK: false)
        ends.add(isOK: true)
        #expect(ends.metadata == "end-of-stream 3 failed")
        #expect(Self.read(ends.metadata) == ends)
    }

    @Test func othersMetadataIsNotOurs() {
        for text in [
            "", "hello", "end-of-stream", "end-of-stream 1", "end-of-stream x ok", "end-of-stream -1 ok",
            "end-of-stream 1 maybe", "end-of-stream  1 ok", "end-of-stream 1 ok more", "start-of-stream 1 ok",
        ] {
            #expect(Self.read(text) == EndsOfStream(), "\(text)")
        }
    }
}
