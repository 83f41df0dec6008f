/// What goes through a pipe, as a whole.
enum Piece {
    case line(Line)
    case barrier([UInt8])

    func size(weight: Int) -> Int {
        switch self {
        case .line(let line): line.size(weight: weight)
        case .barrier(let bytes): bytes.count
        }
    }
}

/// A pipe between two programs, which holds so many bytes. A line may be in it in part.
final class Pipe {
    let capacity: Int
    private var pieces: [Piece] = []
    private var held = 0
    private(set) var isWriterGone = false
    private(set) var isReaderGone = false
    unowned(unsafe) var writer: Program
    unowned(unsafe) var reader: Program

    init(capacity: Int, from writer: Program, to reader: Program) {
        (self.capacity, self.writer, self.reader) = (capacity, writer, reader)
    }

    var room: Int { capacity - held }
    var hasEnded: Bool { isWriterGone && pieces.isEmpty }
    var isEmpty: Bool { held == 0 }

    func put(bytes: Int, _ whole: [Piece]) {
        held += bytes
        pieces += whole
        if bytes > 0 { reader.wake() }
    }

    /// Takes all that is there: the part of a line that is not, the reader keeps for itself.
    func take() -> [Piece] {
        defer { pieces = [] }
        if held > 0 {
            held = 0
            writer.wake()
        }
        return pieces
    }

    func closeWriter() {
        isWriterGone = true
        reader.wake()
    }

    func closeReader() {
        isReaderGone = true
        writer.wake()
    }
}

/// What a program has to write to a pipe, and how much of it was taken: positions are bytes since it began.
struct PipeOutput {
    /// How many bytes a line has for one of its own.
    let weight: Int
    private var waiting: [(piece: Piece, end: Int)] = []
    private(set) var accepted = 0
    private(set) var position = 0

    init(weight: Int) { self.weight = weight }

    var isEmpty: Bool { accepted == position }
    var count: Int { position - accepted }

    mutating func append(_ piece: Piece) {
        position += piece.size(weight: weight)
        waiting.append((piece, position))
    }

    /// Takes back what waits after `end`. Returns false if that would leave a part of a line.
    mutating func cut(to end: Int) -> Bool {
        guard end >= accepted, end <= position else { return false }
        waiting.removeAll { $0.end > end }
        position = max(accepted, waiting.last?.end ?? accepted)
        return position == end
    }

    /// Writes what the pipe takes. Returns whether it took anything.
    mutating func write(to pipe: Pipe) -> Bool {
        let bytes = min(pipe.room, count)
        guard bytes > 0 else { return false }
        accepted += bytes
        var whole = 0
        while whole < waiting.count, waiting[whole].end <= accepted { whole += 1 }
        pipe.put(bytes: bytes, waiting[..<whole].map(\.piece))
        waiting.removeFirst(whole)
        return true
    }
}
