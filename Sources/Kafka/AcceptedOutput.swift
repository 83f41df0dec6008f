import Glibc
import ToolRuntime

/// Standard output that tells how far it was accepted, and that can be waited for without being stuck in it.
final class AcceptedOutput {
    /// Where a message ends in the buffer, and what its acceptance means.
    private struct Mark {
        let end: Int
        let partition: AssignedPartition
        let next: Int64
        let ends: EndsOfStream
    }

    /// Lines on their way out.
    var buffer: [UInt8] = []
    private var marks: [Mark] = []
    private let descriptor: CInt
    private let pieceSize: Int
    /// The reader of standard output is gone.
    private(set) var isClosed = false
    private(set) var acceptedBytes = 0

    init() {
        buffer.reserveCapacity(512 << 10)
        signal(SIGPIPE, SIG_IGN)
        (descriptor, pieceSize) = Self.open()
    }

    /// A pipe is opened anew, not to block: the flag belongs to an open file, which other processes may share. Where that is
    /// not possible, pieces that a pipe takes whole once it is writable serve. Files do not block.
    private static func open() -> (CInt, Int) {
        var status = stat()
        guard fstat(1, &status) == 0, status.st_mode & S_IFMT == S_IFIFO else { return (1, 1 << 20) }
        let own = Glibc.open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC)
        return own >= 0 ? (own, 1 << 20) : (1, Int(PIPE_BUF))
    }

    func hasRoom(for count: Int) -> Bool { buffer.count + count <= 256 << 10 || buffer.isEmpty }

    /// Says that with what is in the buffer now, `partition` has come to `next`.
    func mark(_ partition: AssignedPartition, next: Int64, ends: EndsOfStream) {
        marks.append(Mark(end: buffer.count, partition: partition, next: next, ends: ends))
    }

    /// Writes the buffer. `goOn` is asked about every 100 ms while standard output takes nothing; false gives up.
    func write(_ goOn: () throws(Failure) -> Bool) throws(Failure) {
        var written = 0
        defer { accept(written) }
        while written < buffer.count, !isClosed {
            var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            if poll(&entry, 1, 100) <= 0 {
                guard try goOn() else { return }
                continue
            }
            let piece = min(buffer.count - written, pieceSize)
            let count = buffer.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + written, piece) }
            if count >= 0 {
                written += count
            } else if errno == EPIPE {
                isClosed = true
            } else if errno != EAGAIN && errno != EINTR {
                throw Failure(.inputOutput, "cannot write standard output: \(String(cString: strerror(errno)))")
            }
        }
    }

    private func accept(_ written: Int) {
        acceptedBytes += written
        var count = 0
        for mark in marks {
            guard mark.end <= written else { break }
            mark.partition.accepted = mark.next
            mark.partition.ends = mark.ends
            count += 1
        }
        if written == buffer.count {
            buffer.removeAll(keepingCapacity: true)
            marks.removeAll(keepingCapacity: true)
        } else {
            buffer.removeFirst(written)
            marks = marks.dropFirst(count).map { Mark(end: $0.end - written, partition: $0.partition, next: $0.next, ends: $0.ends) }
        }
    }

    /// Waits until `wake` is readable, the time is up or standard output has lost its reader, which is noted.
    func waitWhileOpen(wake: CInt, milliseconds: CInt) {
        var entries = [
            pollfd(fd: wake, events: Int16(POLLIN), revents: 0), pollfd(fd: descriptor, events: 0, revents: 0),
        ]
        _ = poll(&entries, 2, milliseconds)
        if entries[1].revents & Int16(POLLERR) != 0 { isClosed = true }
    }
}
