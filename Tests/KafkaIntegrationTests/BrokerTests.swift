import Glibc
import TestSupport
import Testing

/// `bin/broker`: nothing of it stays behind, however it ends.
@Suite struct BrokerTests {
    private static func copy() throws -> (folder: TemporaryFolder, script: String) {
        guard environmentVariable("BROKER_FOR_TESTS") != nil else { throw NoBroker() }
        let folder = try TemporaryFolder()
        try copyBrokerScript(into: folder)
        try #require(mkdir(folder.file("tmp"), 0o700) == 0)
        return (folder, folder.file("bin/broker"))
    }

    private static func environment(_ folder: TemporaryFolder) -> [String: String] {
        Repository.environment.merging(["TMPDIR": folder.file("tmp")]) { $1 }
    }

    /// Starts it; returns it with its port when it answers.
    private static func start(_ script: String, _ folder: TemporaryFolder) throws -> (Program, port: Int) {
        let (reading, writing) = try makePipe()
        defer { close(reading) }
        let program = try Program([script], output: .descriptor(writing), environment: environment(folder))
        close(writing)
        let address = try #require(readLine(from: reading, seconds: 30))
        let port = try #require(address.split(separator: ":").last.flatMap { Int($0.dropLast()) })
        #expect(accepts(port))
        return (program, port)
    }

    @Test func aCommandRunsWithABrokerOfItsOwnAndItsStatusIsKept() throws {
        let (folder, script) = try Self.copy()
        let ended = try run(
            [
                script, "run", "bash", "-c",
                "seq 3 | kcat-out -t new --create 1 && kcat-in -t new --until-end; echo $KAFKA_BROKERS; exit 7",
            ], environment: Self.environment(folder))
        #expect(ended.ending == .status(7))
        let lines = ended.outputText.split(separator: "\n")
        #expect(lines.dropLast() == ["1", "2", "3"])
        let port = try #require(lines.last?.split(separator: ":").last.flatMap { Int($0) })
        #expect(eventually { !accepts(port) })
        #expect(entries(of: folder.file("tmp")) == [])
        #expect(entries(of: folder.file(".venv-broker/running")) == [])
    }

    @Test(arguments: [SIGTERM, SIGHUP])
    func aSignalEndsIt(_ signal: CInt) throws {
        let (folder, script) = try Self.copy()
        let (program, port) = try Self.start(script, folder)
        program.send(signal)
        // Waits for all that it has started as well.
        #expect(try program.wait(deadline: 20).ending == .status(143))
        #expect(eventually { !accepts(port) })
        #expect(entries(of: folder.file("tmp")) == [])
    }

    @Test func stopEndsIt() throws {
        let (folder, script) = try Self.copy()
        let (program, port) = try Self.start(script, folder)
        let stopped = try run([script, "stop"], environment: Self.environment(folder))
        #expect(stopped.ending == .status(0), "\(stopped.errorText)")
        #expect(try program.wait(deadline: 20).ending == .status(143))
        #expect(eventually { !accepts(port) })
    }

    @Test func theBrokerOfAKilledScriptEndsAndStopRemovesItsData() throws {
        let (folder, script) = try Self.copy()
        let (program, port) = try Self.start(script, folder)
        program.send(SIGKILL)
        #expect(try program.wait(deadline: 20).ending == .signal(SIGKILL))
        #expect(eventually { !accepts(port) })
        #expect(entries(of: folder.file("tmp")).count == 1)
        let stopped = try run([script, "stop"], environment: Self.environment(folder))
        #expect(stopped.ending == .status(0), "\(stopped.errorText)")
        #expect(entries(of: folder.file("tmp")) == [])
        #expect(entries(of: folder.file(".venv-broker/running")) == [])
    }
}
