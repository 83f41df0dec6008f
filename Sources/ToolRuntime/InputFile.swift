import Glibc

/// A file named on the command line, read whole.
public enum InputFile {
    /// - Throws: `cannotOpenInput` if it cannot be opened, `inputOutput` if it cannot be read.
    public static func read(_ path: String) throws(Failure) -> [UInt8] {
        let number = open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else {
            throw Failure(.cannotOpenInput, Failure.system("cannot open \(path)", errno: errno).message)
        }
        defer { close(number) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(number, &piece, piece.count)
            if count == 0 { return bytes }
            if count > 0 {
                bytes += piece[..<count]
            } else if errno != EINTR {
                throw .system("cannot read \(path)", errno: errno)
            }
        }
    }
}
