import Glibc
import ToolRuntime

/// `--reject FILE`: what was refused, added at the end of the file, so that neither a restart nor another loader loses any.
struct RejectFile {
    private let path: String
    private let descriptor: CInt

    init(_ path: String) throws(Failure) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            throw Failure(.inputOutput, "cannot open \(path) for writing: \(String(cString: strerror(errno)))")
        }
    }

    /// Writes a line; in one call, so that the lines of two loaders do not mix.
    func write(_ line: [UInt8]) throws(Failure) {
        var rest = line[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                throw failure()
            }
        }
    }

    /// Returns when the lines would outlive a power cut.
    func keep() throws(Failure) {
        // What cannot be kept, a pipe or a terminal, says so by EINVAL.
        while fdatasync(descriptor) != 0 {
            if errno == EINVAL || errno == EROFS { return }
            if errno != EINTR { throw failure() }
        }
    }

    private func failure() -> Failure {
        Failure(.inputOutput, "cannot write \(path): \(String(cString: strerror(errno)))")
    }
}

/// `--ack FIFO`: where kcat-in learns which epochs are done, SESSION TAB EPOCH a line.
struct AckFile {
    private let path: String
    private let descriptor: CInt

    init(_ path: String) throws(Failure) {
        self.path = path
        // Whoever comes first makes it: kcat-in --ack does the same.
        _ = mkfifo(path, 0o600)
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFIFO else {
            throw Failure(.cannotOpenInput, "--ack \(path): not a FIFO")
        }
        // To open a FIFO for writing waits for a reader, who may be dead already: so for a moment there is one of its own.
        let both = open(path, O_RDWR | O_CLOEXEC)
        descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard both >= 0, descriptor >= 0 else {
            throw Failure(.cannotOpenInput, "cannot open \(path): \(String(cString: strerror(errno)))")
        }
        close(both)
        // Who does not read it any more is told from other failures.
        signal(SIGPIPE, SIG_IGN)
    }

    /// - Parameter isLast: after the last commit nobody need wait for another number.
    func write(session: [UInt8], epoch: Int64, isLast: Bool) throws(Failure) {
        let line = session + "\t\(epoch)\n".utf8
        // Shorter than PIPE_BUF: all of it or nothing.
        while line.withUnsafeBytes({ Glibc.write(descriptor, $0.baseAddress, $0.count) }) < 0 {
            if errno == EINTR {
                Signals.dieIfAsked()
            } else if isLast {
                return
            } else {
                throw Failure(.tryAgain, "nobody reads \(path) any more")
            }
        }
    }
}
