import Bytes

/// What a stage does with its lines.
enum FilterKind: String, CaseIterable {
    /// Each line as it is.
    case same
    /// The words of each line.
    case split
    /// Each word with its count in this epoch.
    case count
    /// Each word that has changed with its total; the state comes back between `restore` and `restored`.
    case total
}

/// A filter between two pipes. It knows barriers, and nothing else of what is going on.
final class FilterProgram: Program {
    private let kind: FilterKind
    var input: Pipe?
    var output: Pipe?
    private var lines: PipeOutput
    private var counts: [Int32]
    /// Words with a count in this epoch, in the order of their coming.
    private var changed: [Int32] = []
    private var isRestoring = false
    private var isFinished = false
    /// It is broken, and loses the next part of its input in which there is a barrier.
    var losesNext = false

    init(_ world: World, _ name: String, _ kind: FilterKind) {
        self.kind = kind
        lines = PipeOutput(weight: world.scenario.weight)
        counts = Array(repeating: 0, count: world.scenario.words)
        super.init(world, name)
    }

    override func step() {
        guard let input, let output else { return }
        if lines.count < world.scenario.outputLimit, !input.isEmpty, mayGoOn() {
            let pieces = input.take()
            if losesNext, pieces.contains(where: { if case .barrier = $0 { true } else { false } }) {
                losesNext = false
                world.note("\(name) loses \(pieces.count) lines")
            } else {
                for piece in pieces { take(piece) }
            }
        }
        if input.hasEnded, !isFinished {
            isFinished = true
            flush()
        }
        if output.isReaderGone {
            if !lines.isEmpty || isFinished { return end(lines.isEmpty ? .status(0) : .brokenPipe) }
            return
        }
        if !lines.isEmpty, mayGoOn() { _ = lines.write(to: output) }
        if isFinished, lines.isEmpty, isAlive { end(.status(0)) }
    }

    private func take(_ piece: Piece) {
        switch piece {
        case .line(let line): take(line)
        case .barrier(let bytes):
            let barrier = bytes.dropLast().withUnsafeBytes { Barrier($0) }
            switch barrier?.kind {
            case .restore:
                isRestoring = true
                counts = counts.map { _ in 0 }
                changed = []
            case .restored: isRestoring = false
            default: flush()
            }
            lines.append(piece)
        }
    }

    private func take(_ line: Line) {
        switch kind {
        case .same: lines.append(.line(line))
        case .split: for word in world.scenario.text[Int(line.key)] { lines.append(.line(Line(key: word))) }
        case .count, .total:
            if isRestoring { return counts[Int(line.key)] = line.count }
            counts[Int(line.key)] += line.count
            if !changed.contains(line.key) { changed.append(line.key) }
        }
    }

    private func flush() {
        for word in changed {
            lines.append(.line(Line(key: word, count: counts[Int(word)])))
            if kind == .count { counts[Int(word)] = 0 }
        }
        changed = []
    }

    override func hasEnded() {
        input?.closeReader()
        output?.closeWriter()
        world.hasEnded(self)
    }
}

/// Takes what a reader prints: a file, or a sink that says which epochs it is done with.
final class Collector: Program {
    var input: Pipe?
    private(set) var lines: [Line] = []
    /// Takes its time, now and then.
    private var isBusy = false
    weak var acknowledges: ReaderProgram?

    override func step() {
        guard let input, !isBusy else { return }
        if world.kinds.contains(.slowReaders), !input.isEmpty, world.random.once(in: 4) {
            isBusy = true
            // Now and then so long that a group does not wait for it.
            let delay = world.random.delay(10_000...8_000_000)
            return after(delay > 7_000_000 ? 6 * delay : delay) { [self] in
                isBusy = false
                take()
            }
        }
        take()
    }

    private func take() {
        guard let input, mayGoOn() else { return }
        for piece in input.take() {
            switch piece {
            case .line(let line): lines.append(line)
            case .barrier(let bytes):
                if let barrier = bytes.dropLast().withUnsafeBytes({ Barrier($0) }) { acknowledge(barrier.epoch) }
            }
        }
        if input.hasEnded { end(.status(0)) }
    }

    private func acknowledge(_ epoch: Int64) {
        guard let reader = acknowledges else { return }
        reader.after(world.random.delay(100...50_000)) { reader.acknowledge(epoch) }
    }

    override func hasEnded() {
        input?.closeReader()
        world.hasEnded(self)
    }
}
