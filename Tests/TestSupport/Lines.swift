public import Bytes

/// One thing that a line buffer hands out, line by line.
public enum LinePiece: Equatable, Sendable {
    case line(number: Int, [UInt8])
    case barrier(number: Int, Barrier, line: [UInt8])
    case tooLong(number: Int)
}

/// What `LineBuffer` must make of `input`: the slow, obvious way.
public func referenceLines(_ input: [UInt8], maxLine: Int = .max) -> [LinePiece] {
    var pieces: [LinePiece] = []
    var lines = input.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
    if lines.last?.isEmpty == true { lines.removeLast() }
    var session: [UInt8]?
    for (index, line) in lines.enumerated() {
        let number = index + 1
        if line.count > maxLine { return pieces + [.tooLong(number: number)] }
        if let barrier = referenceBarrier(line),
            index == 0 ? barrier.kind == .open : barrier.session == session
        {
            session = barrier.session
            pieces.append(.barrier(number: number, barrier, line: line))
        } else {
            pieces.append(.line(number: number, line))
        }
    }
    return pieces
}

private func referenceBarrier(_ line: [UInt8]) -> Barrier? {
    let fields = line.split(separator: 0x09, maxSplits: 5, omittingEmptySubsequences: false).map(Array.init)
    guard fields.count == 6, fields[0] == [0x1E] + Array("barrier".utf8) else { return nil }
    let texts = fields.map { String(decoding: $0, as: UTF8.self) }
    guard texts[1].count == 32, fields[1].allSatisfy(Array("0123456789abcdef".utf8).contains) else { return nil }
    guard !texts[2].hasPrefix("+"), let epoch = Int64(texts[2]), epoch >= 0 else { return nil }
    let kinds: [String: Barrier.Kind] = [
        "open": .open, "restore": .restore, "restored": .restored, "commit": .commit, "close": .close,
    ]
    guard let kind = kinds[texts[3]] else { return nil }
    var watermark: Watermark?
    if texts[4] == "-" {
        watermark = .unknown
    } else if texts[4] != "" {
        guard !texts[4].hasPrefix("+"), let time = Int64(texts[4]) else { return nil }
        watermark = .time(time)
    }
    return Barrier(session: fields[1], epoch: epoch, kind: kind, watermark: watermark, payload: fields[5])
}

/// What `LineBuffer` does make of it.
/// - Parameter reads: how many bytes each read brings, in turn and again from the start.
public func bufferedLines(
    _ input: [UInt8], maxLine: Int = 64 << 20, capacity: Int = 256 << 10, reads: [Int]
) -> [LinePiece] {
    var pieces: [LinePiece] = []
    var buffer = LineBuffer(capacity: capacity, maxLine: maxLine)
    func handOut(_ buffer: inout LineBuffer) throws {
        while let piece = try buffer.next() {
            switch piece {
            case .lines(let bytes, let firstLine):
                precondition(bytes.last == 0x0A, "lines are handed out whole")
                let lines = bytes.dropLast().split(separator: 0x0A, omittingEmptySubsequences: false)
                for (index, line) in lines.enumerated() {
                    pieces.append(.line(number: firstLine + index, Array(line)))
                }
            case .barrier(let barrier, let line):
                precondition(line.last == 0x0A, "barriers are handed out whole")
                pieces.append(.barrier(number: buffer.lineCount, barrier, line: Array(line.dropLast())))
            }
        }
    }
    do {
        var (at, turn) = (0, 0)
        while at < input.count {
            let space = try buffer.space()
            let count = min(reads[turn % reads.count], space.count, input.count - at)
            input.withUnsafeBytes { space.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[at..<(at + count)])) }
            buffer.fill(count)
            (at, turn) = (at + count, turn + 1)
            try handOut(&buffer)
        }
        try buffer.end()
        try handOut(&buffer)
        precondition(pieces.count == buffer.lineCount)
    } catch let error as LineBuffer.LineTooLong {
        pieces.append(.tooLong(number: error.number))
    } catch {
        preconditionFailure("\(error)")
    }
    return pieces
}
