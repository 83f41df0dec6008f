import Glibc
import TestSupport
import Testing

/// bin/plan: what it predicts is held against what a larger run takes.
@Suite(.serialized) struct PlanTests {
    private static let environment = Repository.environment.merging([
        "PATH": "\(Repository.products):" + (environmentVariable("PATH") ?? "/usr/bin:/bin"),
        "HOME": environmentVariable("HOME") ?? "/",
    ]) { $1 }

    private func plan(_ arguments: [String], brokers: String? = nil) throws -> Ended {
        try run(
            ["\(Repository.root)/bin/plan"] + arguments,
            environment: Self.environment.merging(brokers.map { ["KAFKA_BROKERS": $0] } ?? [:]) { $1 }, deadline: 300)
    }

    /// What --json says, by an expression of Python on `facts`: a line each of the list that it is.
    private func facts(_ expression: String, _ arguments: [String], brokers: String? = nil) throws -> [Substring] {
        let ended = try plan(arguments + ["--json"], brokers: brokers)
        try #require(ended.ending == .status(0), "\(ended.errorText)")
        let script = "import json, sys; facts = json.load(sys.stdin); print(*\(expression), sep='\\n')"
        return try run(
            ["/usr/bin/env", "python3", "-c", script], input: .bytes(ended.output), environment: Self.environment
        )
        .outputText.split(separator: "\n")
    }

    /// The cores that the only stage needs for each MB/s.
    private func cores(_ stage: String, _ sample: String, brokers: String? = nil) throws -> Double {
        let found = try facts("[facts['stages'][0]['cores']]", [sample, "--rate", "1MB/s", stage], brokers: brokers)
        return try #require(Double(found[0]))
    }

    /// Words as frequent as those of a language, the n-th about 1/n of all.
    private static func words(bytes: Int, between: (inout SeededGenerator) -> [UInt8]) -> [UInt8] {
        var generator = SeededGenerator(seed: 1)
        var text: [UInt8] = []
        text.reserveCapacity(bytes + 100)
        while text.count < bytes {
            text += "Word\(Int(exp(Double.random(in: 0..<11, using: &generator))))".utf8
            text += between(&generator)
        }
        if text.last != 0x0A { text.append(0x0A) }
        return text
    }

    /// CPU seconds of a command line of bash between pipes, with all that it starts: the median of three.
    private func seconds(
        _ command: String, from file: String = "/dev/null", _ environment: [String: String] = environment
    ) throws -> Double {
        try (0..<3).map { _ in
            let ended = try bash(
                "TIMEFORMAT='%U %S'; set -o pipefail; cat \(file) | { time { \(command); }; } | cat > /dev/null",
                environment: environment, deadline: 120)
            let words = ended.errorText.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
            try #require(ended.ending == .status(0) && words.count == 2, "\(ended.errorText)")
            return words[0] + words[1]
        }.sorted()[1]
    }

    /// Holds a prediction against a measurement. What else the machine does can only make a program take longer, in
    /// either of them, so a few tries are fair: a wrong prediction misses in all.
    private func expectWithin30Percent(_ what: String, _ attempt: () throws -> (predicted: Double, measured: Double))
        throws
    {
        var misses: [String] = []
        for _ in 0..<5 {
            let (predicted, measured) = try attempt()
            if predicted > 0.7 * measured, predicted < 1.3 * measured { return }
            misses.append("\(predicted) s predicted, \(measured) s measured")
        }
        Issue.record("\(what): \(misses)")
    }

    @Test(.enabled(if: isThorough), arguments: ["tokenize -w -l", "cms-topk -k 0", "to-json word", "merge-counts"])
    func aSamplePredictsTheTimeOfALargerText(_ filter: String) throws {
        let folder = try TemporaryFolder()
        let text = Self.words(bytes: 60_000_000) { generator in
            switch filter {
            case "merge-counts": Array("\t1\n".utf8)
            case "tokenize -w -l": Int.random(in: 0..<10, using: &generator) == 0 ? [0x0A] : [0x20]
            default: [0x0A]
            }
        }
        try write(text, to: folder.file("text"))
        _ = try bash("head --bytes 20000000 text | head --lines -1 > sample", folder: folder.path)
        try expectWithin30Percent(filter) {
            (
                predicted: try cores(filter, folder.file("sample")) * Double(text.count) / 1e6,
                measured: try seconds(filter, from: folder.file("text"))
            )
        }
    }

    /// With the bridges: two replicas in a group share a larger text.
    @Test(.enabled(if: isThorough)) func aSamplePredictsTheTimeOfTwoReplicasBetweenTopics() throws {
        let folder = try TemporaryFolder()
        let text = Self.words(bytes: 6_000_000) { Int.random(in: 0..<10, using: &$0) == 0 ? [0x0A] : [0x20] }
        try write(text, to: folder.file("text"))
        _ = try bash("head --bytes 2000000 text | head --lines -1 > sample", folder: folder.path)
        let (lines, words) = (try Topic(partitions: 4), try Topic(partitions: 4))
        try lines.fill(String(decoding: text, as: UTF8.self))
        let stage = "kcat-in -t \(lines.name) -g $G --until-end | tokenize -w -l | kcat-out -t \(words.name) -k 1"
        try expectWithin30Percent(stage) {
            let environment = Self.environment.merging(["KAFKA_BROKERS": lines.brokers]) { $1 }
            return (
                predicted: try cores(stage, folder.file("sample"), brokers: lines.brokers) * Double(text.count) / 1e6,
                // A group of its own for each run, which reads all.
                measured: try seconds("G=$RANDOM$RANDOM; \(stage) & \(stage); wait $!", environment)
            )
        }
    }

    /// Two words a line, an epoch a quarter of the sample: in each, both are counted once.
    @Test func ratesFollowFromWhatEachStagePutsOut() throws {
        let folder = try TemporaryFolder()
        try write(Array(String(repeating: "one two\n", count: 4000).utf8), to: folder.file("sample"))
        let found = try facts(
            "[[stage[name] for name in ('stage', 'lines_per_second', 'lines_out_per_line_in')] for stage in facts['stages']]",
            [
                folder.file("sample"), "--rate", "8MB/s", "--epoch", "1ms",
                "kcat-in -t lines --exactly-once | tokenize | kcat-out -t tokens -k 1 --exactly-once",
                "kcat-in -t tokens --exactly-once | cms-topk -k 0 | kcat-out -t counts -k 1 --exactly-once",
                "kcat-in -t counts --exactly-once --restore totals | merge-counts --updates | kcat-out -t totals -k 1",
            ])
        #expect(
            found == [
                "['tokenize', 1000000.0, 2.0]", "['cms-topk', 2000000.0, 0.001]", "['merge-counts', 2000.0, 1.0]",
            ])
    }

    @Test func aTopicAndItsStateHaveTheSameNumberOfPartitions() throws {
        let folder = try TemporaryFolder()
        try write(Array(String(repeating: "one two three four\n", count: 20_000).utf8), to: folder.file("sample"))
        let found = try facts(
            "[(topic['topic'], topic['partitions']) for topic in facts['topics']]",
            [folder.file("sample"), "--rate", "40GB/s"])
        #expect(found.count == 4)
        let numbers = found.map { $0.split(separator: ", ")[1] }
        #expect(numbers[2] == numbers[3])
        #expect(Set(numbers).count > 1, "the rate is high enough for them to differ")
    }

    @Test func writtenReplicasAreAllThatChangesInTheFiles() throws {
        let folder = try TemporaryFolder()
        let examples = "\(Repository.root)/examples"
        _ = try bash(
            "cp \(examples)/compose/compose.yaml \(examples)/swarm/pipes.yaml . && cp \(examples)/word-count/input .",
            folder: folder.path)
        let (compose, pipes) = (folder.file("compose.yaml"), folder.file("pipes.yaml"))
        let found = try facts(
            "[f\"{stage['stage']}\\t{stage['replicas']}\" for stage in facts['stages']]",
            [folder.file("input"), "--rate", "5GB/s", "--file", compose, "--write", compose, "--write", pipes])
        #expect(found.map { $0.prefix { $0 != "\t" } } == ["split", "count", "sum", "index"])
        for (file, original) in [(compose, "compose/compose.yaml"), (pipes, "swarm/pipes.yaml")] {
            let changed = try bash(
                "diff \(examples)/\(original) \(file) | grep '^[<>]' | grep -v '^[<>]       *replicas: [0-9]*$'")
            #expect(changed.outputText == "")
            let stages = try bash(
                "\(Repository.root)/Tests/Deployment/check stages \(file) | cut -f 1,2", environment: Self.environment,
                deadline: 300)
            #expect(stages.outputText.split(separator: "\n").filter { !$0.hasPrefix("feeder") } == found)
        }
    }

    /// bin/plan has no parser for YAML; it finds in the examples what one does.
    @Test(arguments: ["compose/compose.yaml", "swarm/pipes.yaml"])
    func itReadsFromAFileWhatAParserOfYAMLReads(_ example: String) throws {
        let ended = try bash(
            """
            parsed() { Tests/Deployment/check stages examples/\(example) | grep -v ^feeder | cut -f 1,3; }
            python3 -B - examples/\(example) <(parsed) <<'END'
            import sys
            sys.path.insert(0, "Tools/plan")
            import pipelines
            read = {stage.name: stage for stage in pipelines.of_file(sys.argv[1])}
            for line in open(sys.argv[2]):
                name, text = line.rstrip("\\n").split("\\t")
                assert read.pop(name) == pipelines.parse(text, name), name
                print(name)
            assert not read
            END
            """, environment: Self.environment, folder: Repository.root, deadline: 300)
        #expect(ended.ending == .status(0), "\(ended.errorText)")
        #expect(Set(ended.outputText.split(separator: "\n")) == ["split", "count", "sum", "index"])
    }

    @Test func whatIsWrongIsSaidInALine() throws {
        let folder = try TemporaryFolder()
        try write(Array("one\n".utf8), to: folder.file("sample"))
        try write([], to: folder.file("empty"))
        let (sample, rate) = (folder.file("sample"), ["--rate", "1MB/s"])
        for (arguments, status, message) in [
            ([sample], 64, "the following arguments are required: --rate"),
            ([sample, "--rate", "3"], 64, #"argument --rate: "3" is not like 200MB/s"#),
            (
                [sample, "--headroom", "100%"] + rate, 64,
                "--rate, --cores, --epoch and --replication are above 0, --headroom is below 100%"
            ),
            (["/nonexistent"] + rate, 66, "cannot read /nonexistent"),
            ([folder.file("empty")] + rate, 65, "\(folder.file("empty")): no line to measure with"),
            (
                [sample, "tokenize > x"] + rate, 64,
                "stage tokenize > x: > cannot be planned, only commands with | between them"
            ),
            ([sample, "grep --quiet two"] + rate, 65, "grep --quiet two: status 1"),
            ([sample, "no-such-program"] + rate, 69, "no-such-program: No such file or directory"),
            (
                [sample, "kcat-in -t a | kcat-out -t b"] + rate, 69,
                "stage kcat-in: only bridges, and no broker to measure them on (KAFKA_BROKERS)"
            ),
            (
                [sample, "--file", folder.file("empty")] + rate, 65,
                "\(folder.file("empty")): no service with a pipeline that begins with kcat-in"
            ),
            ([sample, "--write", sample, "cat"] + rate, 65, "\(sample): no replicas: line in cat"),
        ] {
            let ended = try plan(arguments)
            #expect(ended.ending == .status(Int32(status)), "\(arguments)")
            #expect(ended.errorText == "bin/plan: \(message)\n")
        }
    }
}
