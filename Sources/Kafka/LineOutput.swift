import Glibc
import ToolRuntime

/// Lines on their way to standard output, which is never allowed to block: whoever is stuck in a write cannot stay in its
/// group. It tells how many bytes were accepted.
///
///     0 ..< start       accepted
///     start ..< end     waiting
struct LineOutput: ~Copyable {
    private enum Way {
        /// Not a pipe: a write is done when it returns.
        case file
        /// An open file of our own, which does not block. The flag belongs to an open file, and other processes share
        /// standard output's: so a pipe or a terminal is opened anew.
        case ownFile
        case socket
        /// A pipe that cannot be opened anew: once it is writable, it takes a piece of PIPE_BUF whole.
        case smallPieces
    }

    /// How much is collected before more messages are refused.
    static let limit = 256 << 10

    private var storage: UnsafeMutablePointer<UInt8>
    private var capacity = 2 * limit
    private var start = 0
    private var end = 0
    private let way: Way
    private let descriptor: CInt
    /// Bytes that standard output has accepted so far.
    private(set) var acceptedBytes = 0
    /// Its reader is gone.
    private(set) var isClosed = false

    init() {
        signal(SIGPIPE, SIG_IGN)
        storage = .allocate(capacity: capacity)
        (way, descriptor) = Self.open()
        if way == .ownFile { Descriptor.standardOutput.enlargePipe(to: 1 << 20) }
    }

    deinit { storage.deallocate() }

    private static func open() -> (Way, CInt) {
        var status = stat()
        // A standard output that was closed is one that cannot be written (`Descriptor.fillStandardGaps`): so it stays.
        guard fstat(1, &status) == 0, fcntl(1, F_GETFL) & O_ACCMODE != O_RDONLY else { return (.file, 1) }
        switch status.st_mode & S_IFMT {
        case S_IFSOCK: return (.socket, 1)
        case S_IFIFO, S_IFCHR:
            let own = Glibc.open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
            return own >= 0 ? (.ownFile, own) : (.smallPieces, 1)
        default: return (.file, 1)
        }
    }

    /// Bytes that wait.
    var waiting: Int { end - start }
    var hasRoom: Bool { waiting < Self.limit }
    /// Bytes accepted and waiting: where the next byte will stand.
    var position: Int { acceptedBytes + waiting }

    /// Room for `count` more bytes. Write there, then `commit` what was written.
    mutating func reserve(_ count: Int) -> UnsafeMutablePointer<UInt8> {
        if capacity - end < count { makeRoom(count) }
        return storage + end
    }

    mutating func commit(_ count: Int) {
        precondition(count >= 0 && count <= capacity - end)
        end += count
    }

    mutating func append(_ line: [UInt8]) {
        reserve(line.count).update(from: line, count: line.count)
        commit(line.count)
    }

    private mutating func makeRoom(_ count: Int) {
        let held = waiting
        if held + count <= capacity {
            UnsafeMutableRawPointer(storage).copyMemory(from: storage + start, byteCount: held)
        } else {
            capacity = max(2 * capacity, held + count)
            let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
            larger.update(from: storage + start, count: held)
            storage.deallocate()
            storage = larger
        }
        (start, end) = (0, held)
    }

    /// Takes back all that waits behind `position`.
    mutating func cut(to position: Int) {
        precondition(position >= acceptedBytes && position <= self.position)
        end -= self.position - position
    }

    /// Writes what standard output takes at once. Returns whether that was all.
    mutating func write() throws(Failure) -> Bool {
        while waiting > 0, !isClosed {
            var count: Int
            switch way {
            case .file, .ownFile: count = Glibc.write(descriptor, storage + start, waiting)
            case .socket: count = send(descriptor, storage + start, waiting, CInt(MSG_DONTWAIT))
            case .smallPieces:
                var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                guard poll(&entry, 1, 0) > 0 else { return false }
                count = Glibc.write(descriptor, storage + start, min(waiting, Int(PIPE_BUF)))
            }
            if count >= 0 {
                start += count
                acceptedBytes += count
            } else if errno == EPIPE || errno == ECONNRESET {
                isClosed = true
            } else if errno == EAGAIN {
                return false
            } else if errno != EINTR {
                throw Failure(.inputOutput, "cannot write standard output: \(String(cString: strerror(errno)))")
            }
        }
        if waiting == 0 { (start, end) = (0, 0) }
        return true
    }

    /// Closes standard output: the last moment at which some file systems report that they could not keep the lines.
    func close() throws(Failure) {
        if descriptor != 1 { Glibc.close(descriptor) }
        if Glibc.close(1) != 0, errno != EINTR, !isClosed {
            throw Failure(.inputOutput, "cannot write standard output: \(String(cString: strerror(errno)))")
        }
    }

    /// Waits until `wake` is readable, what waits can be written, or the time is up. Notes a reader that is gone, also
    /// while nothing waits.
    mutating func wait(wake: CInt, milliseconds: CInt) {
        var entries = (
            pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
            pollfd(fd: descriptor, events: waiting > 0 ? Int16(POLLOUT) : 0, revents: 0)
        )
        _ = withUnsafeMutablePointer(to: &entries) {
            $0.withMemoryRebound(to: pollfd.self, capacity: 2) { poll($0, 2, milliseconds) }
        }
        if entries.1.revents & Int16(POLLERR | POLLHUP) != 0 { isClosed = true }
    }
}
