public import Bytes

/// Draws count lines as bars, the largest on top.
///
/// A line is KEY TAB COUNT, or WINDOW TAB KEY TAB COUNT where it has more than two fields; the count that came last is a
/// key's. With the next window a new picture begins. On a live canvas one picture is drawn over the other, at most ten
/// a second; on another each is put out once, when it is complete.
public struct Bars: ~Copyable, Filter {
    public typealias Problem = CountLine.Problem

    /// Milliseconds between two pictures on a live canvas: more often no eye can follow.
    private static let pause: Int64 = 100

    private let top: Int?
    private let canvas: () -> Canvas
    private var window: [UInt8]?
    private var counts: [[UInt8]: Int64] = [:]
    /// Whether there is more than was drawn.
    private var isNew = false
    private var lastDrawn: Int64?
    private var linesOnCanvas = 0
    private var pictures = 0

    /// - Parameters:
    ///   - top: how many bars at most; nil: as many as there are, or as fit.
    ///   - canvas: asked for each picture, since it may change its size.
    public init(top: Int?, canvas: @escaping () -> Canvas) {
        self.top = top
        self.canvas = canvas
    }

    public mutating func consume(
        _ lines: Span<UInt8>, firstLine: Int, now: Moment, into output: inout Output
    ) throws(MalformedLine<Problem>) {
        try lines.withUnsafeBytes { (bytes) throws(MalformedLine<Problem>) in
            var scanner = LineScanner(bytes)
            var number = firstLine
            while let line = scanner.next() {
                do throws(Problem) {
                    take(bytes, line, try CountLine(bytes, line), &output)
                } catch {
                    try output.reject(UnsafeRawBufferPointer(rebasing: bytes[line]), number: number, error)
                }
                number += 1
            }
        }
        drawIfDue(now, &output)
    }

    private mutating func take(
        _ bytes: UnsafeRawBufferPointer, _ line: Range<Int>, _ count: CountLine, _ output: inout Output
    ) {
        let fields = bytes[line.lowerBound..<count.keyEnd]
        var (key, itsWindow) = (fields, [UInt8]?.none)
        if let tab = fields.firstIndex(of: UInt8(ascii: "\t")) {
            (key, itsWindow) = (fields[(tab + 1)...], Array(fields[..<tab]))
        }
        if itsWindow != window {
            if isNew, !canvas().isLive { draw(into: &output) }
            window = itsWindow
            counts.removeAll(keepingCapacity: true)
        }
        counts[Array(key)] = count.count
        isNew = true
    }

    public func patience(at now: Moment) -> Int64? {
        guard isNew, canvas().isLive else { return nil }
        return lastDrawn.map { max(0, $0 + Self.pause - now.monotonicMilliseconds) } ?? 0
    }

    public mutating func wake(now: Moment, into output: inout Output) { drawIfDue(now, &output) }

    private mutating func drawIfDue(_ now: Moment, _ output: inout Output) {
        guard patience(at: now) == 0 else { return }
        draw(into: &output)
        lastDrawn = now.monotonicMilliseconds
    }

    private mutating func draw(into output: inout Output) {
        let canvas = canvas()
        var picture = Picture(canvas)
        if !canvas.isLive, pictures > 0 { output.lines.append(UInt8(ascii: "\n")) }
        picture.goBack(linesOnCanvas)
        let room = canvas.rows.map { max(1, $0 - 1 - (window == nil ? 0 : 1)) }
        picture.draw(window, largest(min(top ?? .max, room ?? .max)))
        linesOnCanvas = picture.lineCount
        pictures += 1
        isNew = false
        picture.bytes.withUnsafeBytes { output.lines.append($0) }
    }

    /// The largest counts, equal ones in the order of the keys.
    private func largest(_ limit: Int) -> [(key: [UInt8], count: Int64)] {
        func precedes(_ left: (key: [UInt8], count: Int64), _ right: (key: [UInt8], count: Int64)) -> Bool {
            left.count != right.count ? left.count > right.count : left.key.lexicographicallyPrecedes(right.key)
        }
        if limit >= counts.count { return counts.map { ($0.key, $0.value) }.sorted(by: precedes) }
        // There may be a million keys and room for twenty.
        var found: [(key: [UInt8], count: Int64)] = []
        for entry in counts.lazy.map({ (key: $0.key, count: $0.value) }) {
            if found.count == limit, let last = found.last, !precedes(entry, last) { continue }
            let at = found.firstIndex { precedes(entry, $0) } ?? found.count
            found.insert(entry, at: at)
            if found.count > limit { found.removeLast() }
        }
        return found
    }

    /// Puts out the last picture.
    public consuming func finish(now: Moment, into output: inout Output) -> Summary {
        if isNew { draw(into: &output) }
        var summary = Summary()
        summary.add("pictures", pictures)
        return summary
    }
}
