public import Glibc
import Synchronization

/// How a program ended.
public enum Ending: Equatable, Sendable {
    case status(Int32)
    case signal(Int32)
    /// It was killed by the test, which had waited long enough.
    case deadline
}

/// A program that has ended, and what it wrote where nothing else was said.
public struct Ended: Equatable, Sendable {
    public let ending: Ending
    public let output: [UInt8]
    public let errors: [UInt8]
    public let seconds: Double

    public var outputText: String { String(decoding: output, as: UTF8.self) }
    public var errorText: String { String(decoding: errors, as: UTF8.self) }
}

/// What a program reads.
public enum Source: Sendable {
    case nothing
    case bytes([UInt8])
    case text(String)
    case file(String)
    case descriptor(CInt)
    case closed
}

/// Where what a program writes goes.
public enum Target: Sendable {
    /// Into a file, and from there into `Ended`. A pipe would block at 64 KiB.
    case kept
    case file(String)
    case descriptor(CInt)
    case closed
}

/// Runs a program to its end.
/// - Parameter deadline: in seconds; then it is killed, with all that it has started.
public func run(
    _ words: [String], input: Source = .nothing, output: Target = .kept, errors: Target = .kept,
    environment: [String: String] = Repository.environment, folder: String? = nil, deadline: Double = 60
) throws -> Ended {
    try Program(
        words, input: input, output: output, errors: errors, environment: environment, folder: folder
    ).wait(deadline: deadline)
}

/// Runs a command line of bash, with the tools in PATH.
public func bash(
    _ command: String, input: Source = .nothing, environment: [String: String] = Repository.environment,
    folder: String? = nil, deadline: Double = 60
) throws -> Ended {
    try run(
        ["/bin/bash", "-c", command], input: input, environment: environment, folder: folder, deadline: deadline)
}

/// A program that runs.
public final class Program {
    public let process: pid_t
    private let scratch: TemporaryFolder
    private let kept: (output: Bool, errors: Bool)
    /// The program and all that it starts hold the other end: when this one reports its end, they are gone.
    private let alive: CInt
    private let started = monotonicSeconds()

    public init(
        _ words: [String], input: Source = .nothing, output: Target = .kept, errors: Target = .kept,
        environment: [String: String] = Repository.environment, folder: String? = nil
    ) throws {
        let words = (folder.map { ["/usr/bin/env", "--chdir=\($0)"] } ?? []) + words
        scratch = try TemporaryFolder()
        (kept.output, kept.errors) = (output.isKept, errors.isKept)
        let (aliveHere, aliveThere) = try makePipe()
        defer { close(aliveThere) }
        alive = aliveHere

        switch input {
        case .text(let text): try write(text.utf8, to: scratch.file("input"))
        case .bytes(let bytes): try write(bytes, to: scratch.file("input"))
        default: break
        }
        let actions = FileActions()
        actions.duplicate(aliveThere, as: 99)
        switch input {
        case .nothing: actions.open("/dev/null", O_RDONLY, as: 0)
        case .text, .bytes: actions.open(scratch.file("input"), O_RDONLY, as: 0)
        case .file(let path): actions.open(path, O_RDONLY, as: 0)
        case .descriptor(let number): actions.duplicate(number, as: 0)
        case .closed: actions.close(0)
        }
        for (number, target, name) in [(1, output, "output"), (2, errors, "errors")] as [(CInt, Target, String)] {
            switch target {
            case .kept: actions.open(scratch.file(name), O_WRONLY | O_CREAT | O_TRUNC, as: number)
            case .file(let path): actions.open(path, O_WRONLY | O_CREAT | O_TRUNC, as: number)
            case .descriptor(let other): actions.duplicate(other, as: number)
            case .closed: actions.close(number)
            }
        }
        process = try actions.spawn(words, environment)
    }

    deinit { close(alive) }

    public func send(_ signal: CInt) { kill(process, signal) }

    /// Whether the program itself has not ended yet.
    public var isRunning: Bool {
        var change = siginfo_t()
        return waitid(P_PID, id_t(process), &change, WEXITED | WNOHANG | WNOWAIT) == 0 && change.si_signo == 0
    }

    /// Waits for the end of the program and of all that it has started.
    public func wait(deadline: Double = 60) throws -> Ended {
        let inTime = isReadable(alive, seconds: deadline)
        if !inTime { kill(-process, SIGKILL) }
        var status: CInt = 0
        while waitpid(process, &status, 0) == -1 {
            guard errno == EINTR else { throw SystemError("wait") }
        }
        let seconds = monotonicSeconds() - started
        let ending: Ending =
            !inTime ? .deadline : status & 0x7F == 0 ? .status(status >> 8 & 0xFF) : .signal(status & 0x7F)
        return Ended(
            ending: ending,
            output: kept.output ? try contents(of: scratch.file("output")) : [],
            errors: kept.errors ? try contents(of: scratch.file("errors")) : [],
            seconds: seconds)
    }
}

extension Target {
    fileprivate var isKept: Bool { if case .kept = self { true } else { false } }
}

/// The descriptors that a program is to start with.
private final class FileActions {
    private var actions = posix_spawn_file_actions_t()

    init() { posix_spawn_file_actions_init(&actions) }
    deinit { posix_spawn_file_actions_destroy(&actions) }

    func open(_ path: String, _ flags: CInt, as number: CInt) {
        posix_spawn_file_actions_addopen(&actions, number, path, flags, 0o666)
    }
    func duplicate(_ other: CInt, as number: CInt) { posix_spawn_file_actions_adddup2(&actions, other, number) }
    func close(_ number: CInt) { posix_spawn_file_actions_addclose(&actions, number) }

    /// Starts the program as an interactive shell does: in a group of its own, no signal ignored or blocked.
    func spawn(_ words: [String], _ environment: [String: String]) throws -> pid_t {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var (all, none) = (sigset_t(), sigset_t())
        sigfillset(&all)
        sigemptyset(&none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP))

        var arguments = words.map { strdup($0) } + [nil]
        var variables = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in arguments + variables { free(text) } }
        var process: pid_t = 0
        let failure = spawning.withLock { _ in
            posix_spawn(&process, words[0], &actions, &attributes, &arguments, &variables)
        }
        guard failure == 0 else { throw SystemError("run \(words[0])", errno: failure) }
        return process
    }
}

/// No program is started between the making of a pipe and the marking of its ends.
private let spawning = Mutex(())

/// A pipe whose ends the programs that are started do not inherit.
public func makePipe() throws -> (reading: CInt, writing: CInt) {
    var ends: [CInt] = [0, 0]
    return try spawning.withLock { _ in
        guard pipe(&ends) == 0 else { throw SystemError("pipe") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }
}

/// Whether something to read, or the end, comes in time.
public func isReadable(_ number: CInt, seconds: Double) -> Bool {
    let end = monotonicSeconds() + seconds
    var entry = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
    while true {
        let left = end - monotonicSeconds()
        let ready = poll(&entry, 1, CInt(max(0, left * 1000)))
        if ready > 0 { return true }
        if ready == 0, left <= 0 { return false }
    }
}

/// How many bytes lie in a pipe that nobody has read yet, told from either end.
public func unreadBytes(in number: CInt) -> Int {
    var count: CInt = 0
    return ioctl(number, UInt(FIONREAD), &count) == 0 ? Int(count) : -1
}

/// What comes within the time, up to and with the next LF.
public func readLine(from number: CInt, seconds: Double = 10) -> String? {
    var line: [UInt8] = []
    while isReadable(number, seconds: seconds) {
        var byte: UInt8 = 0
        guard read(number, &byte, 1) == 1 else { break }
        line.append(byte)
        if byte == 0x0A { return String(decoding: line, as: UTF8.self) }
    }
    return nil
}

/// As many lines as `expected` has.
public func readLines(like expected: String, from number: CInt) -> String {
    expected.filter { $0 == "\n" }.map { _ in readLine(from: number) ?? "" }.joined()
}

public func monotonicSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// As the tools' clock tells it, whose ticks are milliseconds.
public func monotonicMilliseconds() -> Int { Int(monotonicSeconds() * 1e3) }
