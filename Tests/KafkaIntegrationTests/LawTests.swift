import TestSupport
import Testing

/// For any bytes X: `X | kcat-out --eof` and then `kcat-in --until-eof` gives the lines of X.
@Suite struct LawTests {
    /// Bytes with all that could go wrong at the edges of lines.
    static func anyBytes(_ generator: inout SeededGenerator) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 0...200, using: &generator) {
            switch Int.random(in: 0..<8, using: &generator) {
            case 0: bytes += [0x0A]
            case 1: bytes += [0x0D, 0x0A]
            case 2: bytes += [0x00, 0x1E, 0x09, 0xFF, 0xC3]
            case 3: bytes += Array("end-of-stream ok \\N \\t".utf8)
            default:
                let length = Int.random(in: 0...(Bool.random(using: &generator) ? 20 : 3000), using: &generator)
                bytes += (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
            }
        }
        return bytes
    }

    /// The bytes as lines, each with its LF.
    static func whole(_ bytes: [UInt8]) -> [UInt8] { bytes.isEmpty || bytes.last == 0x0A ? bytes : bytes + [0x0A] }

    static func sortedLines(_ bytes: [UInt8]) -> [UInt8] {
        let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
        return Array(lines.sorted { $0.lexicographicallyPrecedes($1) }.joined(separator: [0x0A]))
    }

    static func check(_ bytes: [UInt8], partitions: Int, _ arguments: [String]) throws {
        let topic = try Topic(missingOn: nil)
        let out = try topic.out(["--create", "\(partitions)", "--eof"] + arguments, input: .bytes(bytes))
        #expect(out.ending == .status(0), "\(out.errorText)")
        let back = try topic.in(["--until-eof"])
        #expect(back.ending == .status(0), "\(back.errorText)")
        let (found, expected) = (back.output, whole(bytes))
        if partitions == 1 {
            expectSame(found, expected, "\(arguments)")
        } else {
            expectSame(sortedLines(found), sortedLines(expected), "\(arguments)")
        }
    }

    @Test(arguments: [1, 4], [[], ["--pack", "1K"], ["--pack", "64K"]])
    func linesComeBack(partitions: Int, arguments: [String]) throws {
        try withEverySeed(5) { generator in
            try Self.check(Self.anyBytes(&generator), partitions: partitions, arguments)
        }
    }

    @Test(arguments: ["none", "lz4", "zstd", "snappy", "gzip"])
    func everyCodecBringsThemBack(_ codec: String) throws {
        try withEverySeed(1) { generator in
            let bytes = Self.anyBytes(&generator) + Array(String(repeating: "again and again\n", count: 5000).utf8)
            try Self.check(bytes, partitions: 1, ["-z", codec])
            try Self.check(bytes, partitions: 4, ["-z", codec, "--pack", "16K"])
        }
    }

    @Test(arguments: [[], ["--pack", "100"], ["--pack", "1"], ["-k", "1"], ["-k", "1", "--pack", "10"]])
    func edgesComeBack(_ arguments: [String]) throws {
        for text in ["", "\n", "\n\n\n", "no last line end", "a\n\nb\n", "\r\n\r", "a\0b\n\0\n", "x", " \n\t\n"] {
            try Self.check(Array(text.utf8), partitions: 1, arguments)
        }
    }

    @Test func keysKeepTheOrderOfTheirLines() throws {
        let topic = try Topic(partitions: 4)
        let lines = (0..<2000).map { "key\($0 % 17)\t\($0)" }
        for arguments in [["-k", "1"], ["-k", "1", "--pack", "300"]] {
            let topic = try Topic(partitions: 4)
            try topic.fill(lines.joined(separator: "\n"), arguments)
            let back = try topic.lines()
            #expect(back.sorted() == lines.sorted())
            for key in 0..<17 {
                let own = back.filter { $0.hasPrefix("key\(key)\t") }
                #expect(own == lines.filter { $0.hasPrefix("key\(key)\t") })
            }
        }
        #expect(try topic.lines() == [])
    }

    /// A broker takes a message of a mebibyte, with what belongs to it, unless it is told to take more.
    @Test(arguments: [[], ["--pack", "64K"], ["-z", "lz4"]])
    func aLineOfAMegabyteComesBack(_ arguments: [String]) throws {
        var generator = SeededGenerator(seed: 7)
        let long = (0..<1_000_000).map { _ in UInt8.random(in: 11...255, using: &generator) }
        try Self.check(Array("before\n".utf8) + long + Array("\nafter\n".utf8), partitions: 1, arguments)
    }

    @Test func aLongLineComesBackFromABrokerThatTakesIt() throws {
        let cluster = try MockCluster()
        let topic = try cluster.topic()
        let ended = try topic.shell(
            """
            long() { head -c 66000000 /dev/zero | tr '\\0' x; }
            long | kcat-out -t $T && kcat-in -t $T -c 1 | cmp - <(long; echo)
            """)
        #expect(ended.ending == .status(0), "\(ended.errorText)")
    }
}
