public import Bytes

/// Takes bulk bodies, an empty line behind each, and puts a line in front of each instead:
///
///     documents TAB bytes LF body
///
/// so that a loader takes a body off a pipe without looking into it. A body that is larger than it should be is put out
/// as several. What is behind the last empty line is a body too, but not in a stream with barriers that has no `close`:
/// there somebody died in the middle of it.
public struct BulkFrames: ~Copyable, Filter {
    public enum Problem: LineProblem {
        case noDocument

        public var description: String { "an action line without a document behind it" }
    }

    private let limits: Bulk.Limits
    private var batch = Batch()
    /// The last line was an action that wants a document.
    private var wantsDocument = false
    /// A stream with barriers that has not been closed.
    private var isOpen = false
    private var lastLine = 0
    private var documents = 0
    private var batches = 0

    /// - Parameter limits: what a body holds at most; time does not count.
    public init(limits: Bulk.Limits) { self.limits = limits }

    public mutating func consume(
        _ lines: Span<UInt8>, firstLine: Int, now: Moment, into output: inout Output
    ) throws(MalformedLine<Problem>) {
        try lines.withUnsafeBytes { (bytes) throws(MalformedLine<Problem>) in
            var scanner = LineScanner(bytes)
            lastLine = firstLine - 1
            while let line = scanner.next() {
                if line.isEmpty { try endBody(&output) }
                lastLine += 1
                if !line.isEmpty {
                    add(UnsafeRawBufferPointer(rebasing: bytes[line.lowerBound...line.upperBound]), &output)
                }
            }
        }
    }

    /// Adds a line, with its LF.
    private mutating func add(_ line: UnsafeRawBufferPointer, _ output: inout Output) {
        batch.append(line)
        wantsDocument = !wantsDocument && !BulkItem.isWhole(action: line)
        if wantsDocument { return }
        if batch.items > 0, batch.count + batch.itemBytes > limits.bytes { put(into: &output) }
        batch.keepItem()
        if batch.items == limits.documents { put(into: &output) }
    }

    private mutating func endBody(_ output: inout Output) throws(MalformedLine<Problem>) {
        if wantsDocument {
            let action = UnsafeRawBufferPointer(rebasing: batch.item.dropLast())
            do throws(MalformedLine<Problem>) {
                try output.reject(action, number: lastLine, Problem.noDocument)
            } catch {
                // It ends here: what came before it is still good.
                put(into: &output)
                throw error
            }
            batch.dropItem()
            wantsDocument = false
        }
        put(into: &output)
    }

    private mutating func put(into output: inout Output) {
        guard batch.items > 0 else { return }
        documents += batch.items
        batches += 1
        batch.put(into: &output.lines, framed: true)
    }

    public var heldBytes: Int { batch.capacity }

    public mutating func barrier(
        _ kind: Barrier.Kind, watermark: Watermark?, now: Moment, into output: inout Output
    ) throws(MalformedLine<Problem>) {
        try endBody(&output)
        isOpen = kind != .close
    }

    public consuming func finish(now: Moment, into output: inout Output) throws(MalformedLine<Problem>) -> Summary {
        if !isOpen { try endBody(&output) }
        var summary = Summary()
        summary.add("documents", documents)
        summary.add("batches", batches)
        return summary
    }
}
