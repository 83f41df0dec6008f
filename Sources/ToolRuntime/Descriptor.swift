import CBytes
import Glibc

/// An open file descriptor.
public struct Descriptor: Sendable {
    let number: CInt
    /// What messages call it.
    let name: String

    public static let standardInput = Descriptor(number: 0, name: "standard input")
    public static let standardOutput = Descriptor(number: 1, name: "standard output")
    public static let standardError = Descriptor(number: 2, name: "standard error")

    public var isTerminal: Bool { isatty(number) == 1 }

    /// Reads once. Returns 0 at the end of the input, and nil when a signal came first or nothing is there yet.
    func read(into target: UnsafeMutableRawBufferPointer) throws(Failure) -> Int? {
        let count = Glibc.read(number, target.baseAddress, target.count)
        if count >= 0 { return count }
        if errno == EINTR { return nil }
        if errno == EAGAIN {  // whoever shares the input has made it non-blocking
            _ = wait(for: Int16(POLLIN), milliseconds: nil)
            return nil
        }
        throw .system("cannot read \(name)", errno: errno)
    }

    /// Writes all of `bytes`, past any signal: `Signals` sees to it that a blocked reader cannot keep the tool.
    func write(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        var rest = bytes
        while let address = rest.baseAddress, !rest.isEmpty {
            let count = Glibc.write(number, address, rest.count)
            if count >= 0 {
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            } else if errno == EPIPE {
                Signals.die(by: SIGPIPE)  // only reached where the parent has SIGPIPE ignored
            } else if errno == EAGAIN {
                _ = wait(for: Int16(POLLOUT), milliseconds: nil)
            } else if errno != EINTR {
                throw .system("cannot write \(name)", errno: errno)
            }
        }
    }

    /// Closes the descriptor: the last moment at which some file systems report that they could not keep what was written.
    func close() throws(Failure) {
        if Glibc.close(number) != 0, errno != EINTR { throw .system("cannot write \(name)", errno: errno) }
    }

    public func writeIgnoringErrors(_ text: String) {
        var text = text
        text.withUTF8 { _ = Glibc.write(number, $0.baseAddress, $0.count) }
    }

    /// Whether one of the poll(2) `events`, an end or an error comes within the time; nil waits for ever.
    /// A signal ends the wait as if the time were up.
    func wait(for events: Int16, milliseconds: Int64?) -> Bool {
        var entry = pollfd(fd: number, events: events, revents: 0)
        let timeout = milliseconds.map { CInt(clamping: $0) } ?? -1
        return poll(&entry, 1, timeout) > 0
    }

    /// Whether input, its end or an error comes within the time; false too when `other` becomes readable first.
    public func isReadable(within milliseconds: Int64?, or other: CInt?) -> Bool {
        var entries = [pollfd(fd: number, events: Int16(POLLIN), revents: 0)]
        if let other { entries.append(pollfd(fd: other, events: Int16(POLLIN), revents: 0)) }
        let timeout = milliseconds.map { CInt(clamping: $0) } ?? -1
        return poll(&entries, nfds_t(entries.count), timeout) > 0 && entries[0].revents != 0
    }

    /// A pipe that holds more costs fewer switches between its two ends. Not a pipe, or not permitted: left as it is.
    public func enlargePipe(to capacity: CInt) {
        let setPipeSize: CInt = 1031  // F_SETPIPE_SZ, which the Glibc module leaves out
        _ = fcntl(number, setPipeSize, capacity)
    }

    /// Opens `path` for writing, made anew.
    public static func create(_ path: String) throws(Failure) -> Descriptor {
        let number = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard number >= 0 else { throw .system("cannot open \(path)", errno: errno) }
        return Descriptor(number: number, name: path)
    }

    /// Where descriptor 0, 1 or 2 is closed, a file opened later would take its number and get the tool's data.
    /// Fills the gap with one that fails as a closed one does: reads from 0 and writes to 1 and 2 give EBADF.
    public static func fillStandardGaps() {
        for number: CInt in 0...2 where fcntl(number, F_GETFD) == -1 {
            _ = open("/dev/null", number == 0 ? O_WRONLY : O_RDONLY)
        }
    }
}

/// Collects what an `OutputBuffer` drains into a descriptor, and keeps the first failure.
public final class Sink {
    private let descriptor: Descriptor
    public private(set) var failure: Failure?
    /// Lines and bytes written, counted only where somebody wants to know.
    private(set) var lineCount = 0
    private(set) var byteCount = 0
    private let countsLines: Bool

    public init(_ descriptor: Descriptor, countsLines: Bool = false) {
        self.descriptor = descriptor
        self.countsLines = countsLines
    }

    public func take(_ bytes: UnsafeRawBufferPointer) {
        guard failure == nil else { return }
        do throws(Failure) {
            try descriptor.write(bytes)
            guard countsLines, let start = bytes.baseAddress else { return }
            lineCount += cbytes_count(start, 0x0A, bytes.count)
            byteCount += bytes.count
        } catch {
            failure = error
        }
    }

    /// Nothing may be taken after it.
    public func close() {
        guard failure == nil else { return }
        do throws(Failure) { try descriptor.close() } catch { failure = error }
    }
}
