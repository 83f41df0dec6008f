public import Bytes

/// What a filter wrote, in memory.
public struct Written: Equatable, Sendable {
    public var lines: [UInt8] = []
    public var rejects: [UInt8] = []
    public var late: [UInt8] = []
    public var remarks: [String] = []
    public var summary = Summary()

    public var text: String { String(decoding: lines, as: UTF8.self) }
}

private final class Collector {
    var bytes: [UInt8] = []
    func take(_ more: UnsafeRawBufferPointer) { bytes += more }
}

/// Runs a filter over `input` in memory, through the same line buffer as the tools.
/// - Parameters:
///   - reads: how many bytes each read brings, in turn and again from the start; it must not show in what is written.
///   - capacity: of the line buffer, in bytes; no read brings more.
///   - clock: what time it is at each chunk.
public func run<F: Filter & ~Copyable>(
    _ filter: consuming F, _ input: [UInt8], reads: [Int] = [1 << 16], capacity: Int = 1024, rejecting: Bool = false,
    clock: () -> Moment = { Moment(unixMilliseconds: 0, monotonicMilliseconds: 0) }
) throws -> Written {
    let (lines, rejects, late) = (Collector(), Collector(), Collector())
    var output = Output(
        lines: OutputBuffer(capacity: 512, drain: lines.take),
        rejects: rejecting ? OutputBuffer(capacity: 512, drain: rejects.take) : nil,
        late: OutputBuffer(capacity: 512, drain: late.take))
    var buffer = LineBuffer(capacity: capacity)
    var (at, turn) = (0, 0)
    func handOut(_ buffer: inout LineBuffer, _ filter: inout F, _ output: inout Output) throws {
        while let piece = try buffer.next() {
            switch piece {
            case .lines(let bytes, let firstLine):
                try filter.consume(bytes.span, firstLine: firstLine, now: clock(), into: &output)
            case .barrier(let barrier, let line):
                try filter.barrier(barrier.kind, watermark: barrier.watermark, now: clock(), into: &output)
                output.lines.append(line)
            }
        }
    }
    while at < input.count {
        let space = try buffer.space()
        let count = min(reads[turn % reads.count], space.count, input.count - at)
        input.withUnsafeBytes { space.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[at..<(at + count)])) }
        buffer.fill(count)
        (at, turn) = (at + count, turn + 1)
        try handOut(&buffer, &filter, &output)
    }
    try buffer.end()
    try handOut(&buffer, &filter, &output)
    let summary = try filter.finish(now: clock(), into: &output)
    output.flush()
    return Written(
        lines: lines.bytes, rejects: rejects.bytes, late: late.bytes, remarks: output.takeRemarks(), summary: summary)
}
