public import Bytes
import CSimdjson

/// Bulk bodies for Elasticsearch and OpenSearch out of JSON lines.
///
/// For each document an action line and, unless it is to be deleted, the document byte for byte as it came. Bodies are
/// put out whole, each with an empty line behind it: a loader cuts there and posts what it has. Only one body is held.
/// Blank lines are skipped.
public struct Bulk: ~Copyable, Filter {
    public enum Problem: LineProblem {
        case json(JSONFault)
        case field(String, FieldFault)

        public var description: String {
            switch self {
            case .json(.empty): "an empty line, not a JSON object"
            case .json(.notAnObject): "JSON, but not an object"
            case .json(let fault): "not JSON: \(fault)"
            case .field(let name, let fault): "field \"\(name)\" \(fault)"
            }
        }
    }

    /// How much a body holds at most.
    public struct Limits: Sendable {
        public var documents: Int
        /// Of the body; a single document that is larger is a body of its own.
        public var bytes: Int
        /// How long the first document of a body may wait for the last.
        public var milliseconds: Int64

        public init(documents: Int = 1000, bytes: Int = 10 << 20, milliseconds: Int64 = 1000) {
            self.documents = documents
            self.bytes = bytes
            self.milliseconds = milliseconds
        }
    }

    private let action: BulkAction
    private let upserts: Bool
    private let limits: Limits
    private var line: ActionLine
    private let parser: JSONParser
    private var batch = Batch()
    /// When the first document of the body came, by the monotonic clock.
    private var begun: Int64 = 0
    private var documents = 0
    private var batches = 0
    private var blankLines = 0
    /// What is left out of each document: fields, by their number among those that are fetched.
    private let leftOut: [Int]

    public init(_ request: BulkRequest, limits: Limits = Limits()) {
        action = request.action
        upserts = request.upserts
        line = request.line
        leftOut = request.leavesIDOut ? Array(Set(request.line.idFields)) : []
        parser = JSONParser(wanting: line.paths.map(\.names))
        self.limits = limits
    }

    public mutating func consume(
        _ lines: Span<UInt8>, firstLine: Int, now: Moment, into output: inout Output
    ) throws(MalformedLine<Problem>) {
        if isDue(now) { put(into: &output) }
        try lines.withUnsafeBytes { (bytes) throws(MalformedLine<Problem>) in
            var scanner = LineScanner(bytes)
            var number = firstLine
            while let line = scanner.next() {
                try add(UnsafeRawBufferPointer(rebasing: bytes[line]), number: number, now, &output)
                number += 1
            }
        }
    }

    /// Adds one document.
    private mutating func add(
        _ document: UnsafeRawBufferPointer, number: Int, _ now: Moment, _ output: inout Output
    ) throws(MalformedLine<Problem>) {
        if document.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) {
            blankLines += 1
            return
        }
        if let problem = write(document) {
            batch.dropItem()
            do throws(MalformedLine<Problem>) {
                try output.reject(document, number: number, problem)
            } catch {
                // It ends here: what came before it is still good.
                put(into: &output)
                throw error
            }
            return
        }
        if batch.items > 0, batch.count + batch.itemBytes > limits.bytes { put(into: &output) }
        if batch.items == 0 { begun = now.monotonicMilliseconds }
        batch.keepItem()
        if batch.items == limits.documents { put(into: &output) }
    }

    /// Writes the item for a document behind the batch; returns what is wrong with the document.
    private mutating func write(_ document: UnsafeRawBufferPointer) -> Problem? {
        if let fault = parser.fault(in: document, onlyObjects: true) { return .json(fault) }
        let fields = parser.fetch()
        do throws(BadField) {
            try line.write(fields, to: &batch)
        } catch {
            return .field(error.path.description, error.fault)
        }
        switch action {
        case .delete: return nil
        case .update:
            batch.append("{\"doc\":")
            append(document, fields)
            batch.append(upserts ? ",\"doc_as_upsert\":true}\n" : "}\n")
        case .index, .create:
            append(document, fields)
            batch.append("\n")
        }
        return nil
    }

    /// Appends a document, without what is left out of it.
    private mutating func append(_ document: UnsafeRawBufferPointer, _ fields: UnsafePointer<csimdjson_field>) {
        var start = 0
        for field in leftOut.map({ fields[$0] }).sorted(by: { $0.start < $1.start }) {
            batch.append(UnsafeRawBufferPointer(rebasing: document[start..<field.start]))
            start = field.end
            while document[start] <= 0x20 { start += 1 }  // ends: an object's end comes after its last field
            if document[start] == UInt8(ascii: ",") { start += 1 } else { batch.dropComma() }
        }
        batch.append(UnsafeRawBufferPointer(rebasing: document[start...]))
    }

    private mutating func put(into output: inout Output) {
        guard batch.items > 0 else { return }
        documents += batch.items
        batches += 1
        batch.put(into: &output.lines)
    }

    private func isDue(_ now: Moment) -> Bool { patience(at: now).map { $0 <= 0 } ?? false }

    public func patience(at now: Moment) -> Int64? {
        batch.items == 0 ? nil : limits.milliseconds - (now.monotonicMilliseconds - begun)
    }

    public var heldBytes: Int { batch.capacity }

    public mutating func wake(now: Moment, into output: inout Output) { put(into: &output) }

    public mutating func barrier(
        _ kind: Barrier.Kind, watermark: Watermark?, now: Moment, into output: inout Output
    ) { put(into: &output) }

    public consuming func finish(now: Moment, into output: inout Output) -> Summary {
        put(into: &output)
        var summary = Summary()
        summary.add("documents", documents)
        summary.add("batches", batches)
        summary.add("blank", blankLines)
        return summary
    }
}
