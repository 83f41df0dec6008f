// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

/// A library of ours: Sources/NAME, tested by Tests/NAMETests, file by file.
func library(_ name: String, _ dependencies: Target.Dependency...) -> [Target] {
    [
        .target(name: name, dependencies: dependencies, swiftSettings: strict),
        .testTarget(
            name: "\(name)Tests", dependencies: [.target(name: name), "TestSupport"] + dependencies,
            swiftSettings: strict),
    ]
}

/// A tool that is a filter: options and wiring only.
func filterTool(_ name: String, _ library: Target.Dependency) -> [Target] {
    [.executableTarget(name: name, dependencies: [library, "ToolRuntime"], swiftSettings: strict)]
}

/// A tool between a pipe and a topic.
func bridge(_ name: String) -> [Target] {
    [.executableTarget(name: name, dependencies: ["Kafka", "ToolRuntime"], swiftSettings: strict)]
}

/// `FUZZING=1 swift build --sanitize fuzzer --product fuzz`, as bin/fuzz does: libFuzzer brings the main function.
let fuzzing: [Target] =
    Context.environment["FUZZING"] == nil
    ? []
    : [
        .executableTarget(
            name: "fuzz", dependencies: ["Bytes", "Filters", "JSONFilters", "Loading", "TestSupport"],
            path: "Tests/Fuzzing/Harness",
            swiftSettings: strict)
    ]

let package = Package(
    name: "distributed-pipes",
    targets: [
        // Thin shims over C and C++.
        [.target(name: "CBytes")],
        [.target(name: "CTokenize", dependencies: ["CBytes"])],
        [.target(name: "CSimdjson", dependencies: ["CBytes"], linkerSettings: [.linkedLibrary("simdjson")])],
        // Pure: no system call, no clock, no randomness.
        library("Bytes", "CBytes"),
        library("Sketches", "Bytes", "CBytes"),
        library("Filters", "Bytes", "CBytes", "CTokenize", "Sketches"),
        // Apart, so that only the tools that read JSON need libsimdjson.
        library("JSONFilters", "Bytes", "CBytes", "CSimdjson"),
        // Every contact with the operating system.
        library("ToolRuntime", "Bytes", "CBytes"),
        [
            .systemLibrary(
                name: "CRDKafka", pkgConfig: "rdkafka", providers: [.apt(["librdkafka-dev", "libjemalloc-dev"])])
        ],
        // What the bridges decide, apart from the library that does it: pure, too.
        library("Delivery", "Bytes", "CBytes"),
        library("Kafka", "Bytes", "CBytes", "CRDKafka", "Delivery", "ToolRuntime"),
        // What es-load decides: pure.
        library("Loading", "Bytes", "JSONFilters"),
        [
            .systemLibrary(
                name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev", "zlib1g-dev"])])
        ],
        [.target(name: "Search", dependencies: ["Bytes", "CCurl", "Loading", "ToolRuntime"], swiftSettings: strict)],
        // The tools.
        filterTool("tokenize", "Filters"),
        filterTool("cms-topk", "Filters"),
        filterTool("merge-counts", "Filters"),
        filterTool("bars", "Filters"),
        filterTool("to-json", "JSONFilters"),
        filterTool("from-json", "JSONFilters"),
        filterTool("es-bulk", "JSONFilters"),
        [.executableTarget(name: "es-load", dependencies: ["CBytes", "Search", "ToolRuntime"], swiftSettings: strict)],
        bridge("kcat-in"),
        bridge("kcat-out"),
        // Tests of the release binaries.
        [.target(name: "TestSupport", dependencies: ["Bytes"], path: "Tests/TestSupport", swiftSettings: strict)],
        // A cluster that a test can break: librdkafka's own, on real ports.
        [
            .executableTarget(
                name: "mock-cluster", dependencies: ["CRDKafka"], path: "Tests/MockCluster", swiftSettings: strict)
        ],
        [
            .testTarget(
                name: "KafkaIntegrationTests", dependencies: ["TestSupport"], swiftSettings: strict)
        ],
        // Whole clusters in virtual time, around the bridges' decisions: `simulate --seeds 0..100000`.
        [
            .target(
                name: "Simulation", dependencies: ["Bytes", "Delivery"], path: "Tests/Simulation/World",
                swiftSettings: strict),
            .executableTarget(
                name: "simulate", dependencies: ["Simulation"], path: "Tests/Simulation/Simulate", swiftSettings: strict
            ),
            .testTarget(
                name: "SimulationTests", dependencies: ["Simulation", "TestSupport"], path: "Tests/Simulation/Tests",
                swiftSettings: strict),
        ],
        [.testTarget(name: "LoaderTests", dependencies: ["TestSupport"], swiftSettings: strict)],
        [.testTarget(name: "EndToEndTests", dependencies: ["TestSupport"], swiftSettings: strict)],
        fuzzing,
    ].flatMap { $0 },
    cxxLanguageStandard: .cxx17
)
