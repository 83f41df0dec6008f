import TestSupport
import Testing

/// examples/compose, examples/swarm and examples/kubernetes, by Tests/Deployment/check.
@Suite(.serialized) struct ExampleTests {
    static let stacks = ["compose/compose.yaml", "swarm/backends.yaml", "swarm/pipes.yaml"]
    static let chains = ["compose/compose.yaml", "swarm/pipes.yaml", "kubernetes"]

    private func check(_ command: String, _ example: String, under: [String] = [], deadline: Double = 300) throws
        -> Ended
    {
        try run(
            under + ["\(Repository.root)/Tests/Deployment/check", command, "\(Repository.root)/examples/\(example)"],
            environment: Repository.environment.merging([
                "PATH": environmentVariable("PATH") ?? "/usr/bin:/bin", "HOME": environmentVariable("HOME") ?? "/",
            ]) { $1 }, deadline: deadline)
    }

    @Test(arguments: stacks)
    func dockerComposeReadsIt(_ example: String) throws {
        let ended = try check("compose", example)
        #expect(ended.ending == .status(0), "\(ended.errorText)")
    }

    @Test func kustomizeBuildsItAndTheSchemasOfKubernetesAcceptIt() throws {
        let ended = try check("kubernetes", "kubernetes")
        #expect(ended.ending == .status(0), "\(ended.errorText)")
    }

    /// Each stage is a pipeline for bash, with no script in between.
    @Test(arguments: chains)
    func itHasTheStagesOfTheWordCount(_ example: String) throws {
        let ended = try check("stages", example)
        try #require(ended.ending == .status(0), "\(ended.errorText)")
        let stages = ended.outputText.split(separator: "\n").map { $0.split(separator: "\t") }
        #expect(Set(stages.map { $0[0] }).subtracting(["feeder"]) == ["split", "count", "sum", "index"])
        for stage in stages where stage[0] != "feeder" {
            #expect(stage[2].contains("kcat-in ") && stage[2].contains(" --exactly-once"), "\(stage)")
        }
    }

    /// All of it, on a broker and an Elasticsearch of its own, while each replica is replaced as the example does it.
    @Test(.enabled(if: isThorough), arguments: chains)
    func itsPipelinesCountEveryWordOnceWhileReplicasAreReplaced(_ example: String) throws {
        let broker = ["\(Repository.root)/bin/broker", "--with", "elasticsearch", "run"]
        let ended = try check("run", example, under: broker, deadline: 600)
        #expect(ended.ending == .status(0), "\(ended.errorText)")
        #expect(ended.outputText.hasPrefix("334 words, "), "\(ended.outputText)")
    }
}
