import Glibc
import TestSupport
import Testing

/// A version of librdkafka for the tools to run with, out of Tests/Kafka/librdkafka.
struct Librdkafka {
    let folder: String

    init(_ version: String) throws {
        let environment = Repository.environment.merging(["HOME": environmentVariable("HOME") ?? "/"]) { $1 }
        let ended = try run(
            ["\(Repository.root)/Tests/Kafka/librdkafka", version], environment: environment, deadline: 180)
        try #require(ended.ending == .status(0), "\(ended.errorText)")
        folder = String(ended.outputText.dropLast())
    }
}

extension Topic {
    func with(_ library: Librdkafka) -> Topic {
        var topic = self
        topic.librdkafka = library.folder
        return topic
    }
}

/// The tools were built with one librdkafka, and run with any that Debian 12 or a later one has.
@Suite struct LibrdkafkaTests {
    @Test(arguments: [("2.0.2", "2.0.2"), ("2.8", "2.8."), ("newest", "2.")])
    func theToolsRunWithTheVersionThatTheyAreGiven(_ version: String, _ prefix: String) throws {
        let topic = try Topic().with(Librdkafka(version))
        // Another program that is linked to it says which it is.
        let said = try topic.shell("kcat -V")
        #expect(said.outputText.contains("librdkafka \(prefix)"), "\(said.outputText)")
        let (reading, writing) = try makePipe()
        let reader = try topic.startIn(output: .descriptor(writing))
        close(writing)
        try topic.fill("a\n")
        #expect(readLine(from: reading, seconds: 20) == "a\n")
        let maps = String(decoding: try contents(of: "/proc/\(reader.process)/maps"), as: UTF8.self)
        let loaded = Set(
            maps.split(separator: "\n").compactMap { $0.split(separator: " ").last }.filter {
                $0.contains("librdkafka")
            })
        #expect(loaded == ["\(topic.librdkafka ?? "")/librdkafka.so.1"])
        close(reading)
        #expect(try reader.wait(deadline: 20).ending == .signal(SIGPIPE))
    }
}
