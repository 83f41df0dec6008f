import Delivery
import Testing

@Suite struct EndOfStreamTests {
    static func read(_ text: String) -> EndsOfStream {
        Array(text.utf8).withUnsafeBytes { StoredOffset(next: 0, metadata: $0).ends }
    }

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

    @Test func aWriterWithANameCountsOnce() {
        var ends = EndsOfStream()
        for name in ["split-1", "split-2", "split-1", ""] { ends.add(isOK: true, writer: Array(name.utf8)) }
        #expect(ends.count == 3)
        ends.add(isOK: true)
        #expect(ends.count == 4)
        var restored = Self.read(ends.metadata)
        #expect(restored == ends)
        restored.add(isOK: true, writer: Array("split-2".utf8))
        #expect(restored == ends)
        restored.add(isOK: true, writer: Array("split-3".utf8))
        #expect(restored.count == 5)
    }

    @Test func othersMetadataIsNotOurs() {
        for text in [
            "", "hello", "end-of-stream", "end-of-stream 1", "end-of-stream x ok", "end-of-stream -1 ok",
            "end-of-stream 1 maybe", "end-of-stream  1 ok", "end-of-stream 1 ok more",
            "end-of-stream 1 ok 0123456789abcdeg", "start-of-stream 1 ok",
        ] {
            #expect(Self.read(text) == EndsOfStream(), "\(text)")
        }
    }
}
