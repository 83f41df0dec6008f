import TestSupport
import Testing

/// The container image, built from the Dockerfile and run without a Docker engine by bin/image.
@Suite(.serialized, .enabled(if: isThorough)) struct ImageTests {
    /// Of whoever runs the tests: bin/image builds.
    private func image(_ arguments: [String] = [], brokers: String = "", deadline: Double = 120) throws -> Ended {
        try run(
            ["\(Repository.root)/bin/image"] + arguments,
            environment: [
                "PATH": environmentVariable("PATH") ?? "/usr/bin:/bin", "HOME": environmentVariable("HOME") ?? "/",
                "KAFKA_BROKERS": brokers,
            ], deadline: deadline)
    }

    @Test func itIsBuiltAndSmallerThan170Megabytes() throws {
        let ended = try image(deadline: 1800)
        try #require(ended.ending == .status(0), "\(ended.errorText)")
        // "localhost/distributed-pipes: 167 MB"
        let words = ended.outputText.split(whereSeparator: \.isWhitespace)
        try #require(words.count == 3 && words[2] == "MB", "\(ended.outputText)")
        #expect(try #require(Double(words[1])) < 170)
    }

    @Test func itHoldsTheToolsAndAllThatTheyAreLinkedTo() throws {
        let ended = try image([
            "run", "bash", "-c",
            """
            for tool in tokenize cms-topk merge-counts to-json from-json es-bulk es-load kcat-in kcat-out; do
                $tool --version > /dev/null && ldd /usr/local/bin/$tool || echo "$tool fails"
            done
            """,
        ])
        #expect(ended.ending == .status(0), "\(ended.errorText)")
        #expect(!ended.outputText.contains("not found") && !ended.outputText.contains("fails"), "\(ended.outputText)")
        #expect(!ended.outputText.contains("libswift"), "the runtime of Swift is linked statically")
        #expect(ended.outputText.contains("librdkafka.so.1 =>"))
    }

    @Test func itDoesNotRunAsRootAndCannotChangeItsPrograms() throws {
        let ended = try image(["run", "bash", "-c", "id -u; echo >> /usr/local/bin/tokenize"])
        #expect(ended.outputText == "10001\n")
        #expect(ended.ending == .status(1))
    }

    @Test func aStageRunsInItBetweenTwoTopics() throws {
        let (lines, words) = (try Topic(partitions: 2), try Topic(partitions: 2))
        try lines.fill("The quick brown fox\njumps over\nthe lazy dog\n")
        let stage =
            "kcat-in -t \(lines.name) -g split --until-end | tokenize -w -l | kcat-out -t \(words.name) -k 1 --summary"
        let ended = try image(["run", "bash", "-o", "pipefail", "-c", stage], brokers: lines.brokers)
        try #require(ended.ending == .status(0), "\(ended.errorText)")
        #expect(ended.fact("delivered") == 9)
        #expect(try words.lines().sorted() == ["brown", "dog", "fox", "jumps", "lazy", "over", "quick", "the", "the"])
    }

    @Test func aContainerEndsWithTheStatusOfItsPipeline() throws {
        let topic = try Topic(missingOn: nil)
        let stage = "kcat-in -t \(topic.name) --until-end | tokenize | cat"
        #expect(
            try image(["run", "bash", "-o", "pipefail", "-c", stage], brokers: topic.brokers).ending == .status(69))
    }
}
