import Bytes
import Kafka
import TestSupport
import Testing

@Suite struct MessageFieldsTests {
    static func bytes(_ generator: inout SeededGenerator) -> [UInt8] {
        (0..<Int.random(in: 0...20, using: &generator)).map { _ in
            Bool.random(using: &generator)
                ? UInt8.random(in: 0...255, using: &generator)
                : Array("\t\n\r\\,=N".utf8).randomElement(using: &generator)!
        }
    }

    @Test func anyKeyComesBackAndStaysAField() throws {
        try withEverySeed(500) { generator in
            let key = Self.bytes(&generator)
            var text: [UInt8] = []
            key.withUnsafeBytes { Escape.write($0, to: &text) }
            #expect(!text.contains(0x09) && !text.contains(0x0A) && !text.contains(0x0D))
            #expect(text != Escape.missing)
            #expect(Escape.read(text[...]) == key)
        }
    }

    @Test func anyHeadersComeBack() throws {
        try withEverySeed(500) { generator in
            let headers = (0..<Int.random(in: 0...4, using: &generator)).map { _ in
                let name = Self.bytes(&generator).filter { $0 != 0 } + [0x61]
                return Header(name: name, value: Bool.random(using: &generator) ? Self.bytes(&generator) : nil)
            }
            var text: [UInt8] = []
            Header.write(headers, to: &text)
            #expect(!text.contains(0x09) && !text.contains(0x0A))
            #expect(Header.read(text[...]) == headers)
        }
    }

    @Test func whatIsNotEscapedAsWeDoIsRefused() {
        for text in ["\\", "\\x", "a\\", "\\N", "\\0"] { #expect(Escape.read(Array(text.utf8)[...]) == nil, "\(text)") }
        for text in ["a", "=b", ",", "a=b,", "a=b,c", "a=\\x", "a\\=b", "a\0=b"] {
            #expect(Header.read(Array(text.utf8)[...]) == nil, "\(text)")
        }
    }

    @Test func lineEndsAreEscapedWithoutAmbiguity() {
        var text: [UInt8] = []
        Array("a\\n\nb\t\\".utf8).withUnsafeBytes { Escape.writeLineEnds($0, to: &text) }
        #expect(text == Array("a\\\\n\\nb\t\\\\".utf8))
    }

    @Test func fieldsAreNamedOnceEach() {
        #expect(MessageField.list("key,headers") == [.key, .headers])
        #expect(MessageField.list("timestamp") == [.timestamp])
        for text in ["", ",", "key,", "key,key", "keys", "Key", "key, offset"] {
            #expect(MessageField.list(text) == nil)
        }
    }
}
