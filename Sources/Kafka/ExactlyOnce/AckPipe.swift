import Glibc
import ToolRuntime

/// A FIFO into which a sink outside Kafka writes the numbers of the epochs that it has done, one a line: EPOCH or, so that
/// what the sink of an earlier stream writes late is not taken for its own, SESSION TAB EPOCH, as they stand in a barrier.
final class AckPipe {
    private let path: String
    private let session: [UInt8]
    private let descriptor: CInt
    private var line: [UInt8] = []
    private var lastNumber: Int64 = -1

    /// Opens it, and makes it where it is missing.
    init(_ path: String, session: [UInt8]) throws(Failure) {
        (self.path, self.session) = (path, session)
        _ = mkfifo(path, 0o600)
        // For writing as well: so it has no end while writers come and go.
        descriptor = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw Failure(.cannotOpenInput, "cannot open \(path): \(String(cString: strerror(errno)))")
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFIFO else {
            throw Failure(.cannotOpenInput, "\(path) is not a FIFO")
        }
    }

    /// The highest number so far; nil before the first.
    /// - Parameter written: how many barriers were written.
    func last(written: Int64) throws(Failure) -> Int64? {
        var bytes = [UInt8](repeating: 0, count: 4096)
        while case let count = read(descriptor, &bytes, bytes.count), count > 0 {
            for byte in bytes[..<count] {
                if byte == 0x0A { try take() } else { line.append(byte) }
            }
        }
        if lastNumber >= written {
            throw Failure(.malformedData, "\(path): epoch \(lastNumber) was not written yet")
        }
        return lastNumber >= 0 ? lastNumber : nil
    }

    private func take() throws(Failure) {
        defer { line = [] }
        let fields = line.split(separator: 0x09, omittingEmptySubsequences: false)
        let hasSession = fields.count == 2
        if hasSession, fields[0] != session[...] { return }
        let text = String(decoding: hasSession ? fields[1] : line[...], as: UTF8.self)
        guard let number = Int64(text), number >= 0 else {
            throw Failure(.malformedData, "\(path): not the number of an epoch: \"\(text.prefix(40))\"")
        }
        lastNumber = max(lastNumber, number)
    }
}
