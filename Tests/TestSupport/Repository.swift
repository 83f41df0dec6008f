public import Glibc

/// Where things are. The end-to-end tests run what `bin/build` made, wherever the tests themselves were built.
public enum Repository {
    /// The folder of Package.swift.
    public static let root = String(#filePath.dropLast("/Tests/TestSupport/Repository.swift".count))
    /// The release build.
    public static let products = root + "/.build/release"
    public static let filters = ["tokenize", "cms-topk", "merge-counts", "to-json", "from-json", "es-bulk"]

    public static func tool(_ name: String) -> String { "\(products)/\(name)" }

    /// The environment of every program that a test runs: the release tools first, then the system's, no locale.
    /// `bin` comes last, since its `test` and `install` are not what a command line means by these words.
    /// With another librdkafka than the system's, where the test run is one of such (Tests/Kafka/librdkafka).
    public static let environment = [
        "PATH": "\(products):/usr/local/bin:/usr/bin:/bin:\(root)/bin", "LC_ALL": "C", "HOME": "/nonexistent",
    ].merging(environmentVariable("LIBRDKAFKA_FOR_TESTS").map { ["LD_LIBRARY_PATH": $0] } ?? [:]) { $1 }
}

/// `bin/broker` in a folder, knowing of no broker but its own: `stop` ends all that it knows of.
public func copyBrokerScript(into folder: TemporaryFolder) throws {
    let ended = try bash(
        """
        mkdir -p bin .venv-broker/running && cp '\(Repository.root)/bin/broker' bin/
        mkdir Tests && ln -s '\(Repository.root)/Tests/Listeners' Tests/
        for file in '\(Repository.root)'/.venv-broker/*; do
            name=${file##*/}
            [ "$name" = running ] || ln -s "$(readlink -f "$file")" ".venv-broker/$name"
        done
        [ -x .venv-broker/broker ]
        """, folder: folder.path)
    guard ended.ending == .status(0) else { throw SystemError("copy bin/broker: \(ended.errorText)", errno: ENOENT) }
}

/// What a file holds.
public func contents(of path: String) throws -> [UInt8] {
    let number = open(path, O_RDONLY | O_CLOEXEC)
    guard number >= 0 else { throw SystemError("open \(path)") }
    defer { close(number) }
    return try contents(of: number)
}

/// All that comes, up to the end.
public func contents(of number: CInt) throws -> [UInt8] {
    var (bytes, piece) = ([UInt8](), [UInt8](repeating: 0, count: 1 << 16))
    while true {
        let count = read(number, &piece, piece.count)
        guard count >= 0 else { throw SystemError("read") }
        if count == 0 { return bytes }
        bytes += piece[..<count]
    }
}

/// Makes a file, or makes it anew.
public func write(_ bytes: some Collection<UInt8>, to path: String) throws {
    let number = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard number >= 0 else { throw SystemError("open \(path)") }
    defer { close(number) }
    try write(Array(bytes), to: number)
}

/// Writes to a pipe or a file. That the program at the other end is gone is thrown as an error.
public func write(_ bytes: [UInt8], to number: CInt) throws {
    signal(SIGPIPE, SIG_IGN)  // programs are started with it set back
    var rest = bytes[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(number, $0.baseAddress, $0.count) }
        guard count >= 0 else { throw SystemError("write") }
        rest = rest.dropFirst(count)
    }
}

/// The names in a folder, sorted; none where there is no such folder.
public func entries(of folder: String) -> [String] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
}

/// Removes a file, or a folder with all that it holds.
private func removeAll(_ path: String) {
    guard remove(path) != 0, errno == ENOTEMPTY || errno == EEXIST else { return }
    for name in entries(of: path) { removeAll("\(path)/\(name)") }
    remove(path)
}

public func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

/// A folder of its own for one test, removed with the last reference to it.
public final class TemporaryFolder: Sendable {
    public let path: String

    public init() throws {
        var template = Array("/tmp/distributed-pipes-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw SystemError("mkdtemp") }
        path = String(cString: made)
    }

    deinit { removeAll(path) }

    public func file(_ name: String) -> String { "\(path)/\(name)" }
}

/// A system call that failed, with errno's text.
public struct SystemError: Error, CustomStringConvertible {
    public let description: String

    public init(_ attempt: String, errno code: CInt = errno) {
        description = "\(attempt): \(String(cString: strerror(code)))"
    }
}

/// Whether this is `bin/test --all`: with what takes long, and with what another test beside it would spoil.
public let isThorough = environmentVariable("ALL_TESTS") != nil

public func environmentVariable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
}
