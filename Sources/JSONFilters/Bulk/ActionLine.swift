import Bytes
import CSimdjson

/// The line in front of a document that says what to do with it: `{"index":{"_index":"words","_id":"the"}}`.
///
/// What every document has in common is rendered once; between these pieces stand the values out of the document.
struct ActionLine: Sendable {
    private enum Piece: Sendable {
        case bytes([UInt8])
        /// A value, escaped.
        case value(Int)
        case date(Int, DateFormat)
        /// A value that is a whole number, as its digits.
        case version(Int)
        /// The `_id`.
        case id
    }

    private var pieces: [Piece] = []
    /// The wanted fields, in the order in which they are fetched.
    private(set) var paths: [FieldPath] = []
    /// Those of them that make the `_id`.
    private(set) var idFields: [Int] = []
    private var scratch: [UInt8] = []
    private var dates = Timestamp.Reader()

    init(
        _ action: BulkAction, index: IndexName?, id: [FieldPath], routing: FieldPath?, pipeline: String?,
        version: BulkVersion?
    ) {
        var members = 0
        add("{\"\(action.rawValue)\":{")
        func comma() -> String {
            defer { members += 1 }
            return members > 0 ? "," : ""
        }
        if let index {
            add("\(comma())\"_index\":\"")
            for part in index.parts {
                switch part {
                case .literal(let bytes): add(JSONString.literal(bytes).dropFirst().dropLast())
                case .value(let path): pieces.append(.value(field(path)))
                case .date(let path, let format): pieces.append(.date(field(path), format))
                }
            }
            add("\"")
        }
        if !id.isEmpty {
            add("\(comma())\"_id\":\"")
            idFields = id.map { field($0) }
            pieces.append(.id)
            add("\"")
        }
        if let routing {
            add("\(comma())\"routing\":\"")
            pieces.append(.value(field(routing)))
            add("\"")
        }
        if let pipeline { add(Array("\(comma())\"pipeline\":".utf8) + JSONString.literal(pipeline.utf8)) }
        if let version {
            add("\(comma())\"version\":")
            pieces.append(.version(field(version.field)))
            add(",\"version_type\":\"\(version.kind.rawValue)\"")
        }
        add("}}\n")
    }

    private mutating func add(_ text: String) { add(text.utf8) }

    private mutating func add(_ bytes: some Sequence<UInt8>) {
        if case .bytes(let before) = pieces.last {
            pieces[pieces.count - 1] = .bytes(before + bytes)
        } else {
            pieces.append(.bytes(Array(bytes)))
        }
    }

    private mutating func field(_ path: FieldPath) -> Int {
        if let index = paths.firstIndex(where: { $0.names == path.names }) { return index }
        paths.append(path)
        return paths.count - 1
    }

    /// Writes the line for a document with these values of the wanted fields.
    mutating func write(_ fields: UnsafePointer<csimdjson_field>, to batch: inout Batch) throws(BadField) {
        for piece in pieces {
            switch piece {
            case .bytes(let bytes): bytes.withUnsafeBytes { batch.append($0) }
            case .value(let field): batch.append(escaped: try text(fields, field, mayBeEmpty: false))
            case .date(let field, let format):
                scratch.removeAll(keepingCapacity: true)
                format.write(try time(fields, field), to: &scratch)
                scratch.withUnsafeBytes { batch.append(escaped: $0) }
            case .version(let field): try writeVersion(fields, field, to: &batch)
            case .id: try writeID(fields, to: &batch)
            }
        }
    }

    private func writeVersion(
        _ fields: UnsafePointer<csimdjson_field>, _ field: Int, to batch: inout Batch
    ) throws(BadField) {
        let text = try text(fields, field, mayBeEmpty: false)
        guard let version = try? Decimal.parse(text), version >= 0, text[0] != UInt8(ascii: "0") || text.count == 1
        else {
            throw BadField(path: paths[field], fault: .notAVersion(quoted: quoted(text)))
        }
        batch.append(text)
    }

    private mutating func writeID(
        _ fields: UnsafePointer<csimdjson_field>, to batch: inout Batch
    ) throws(BadField) {
        if idFields.count == 1 {
            Self.write(id: try text(fields, idFields[0], mayBeEmpty: false), to: &batch)
            return
        }
        scratch.removeAll(keepingCapacity: true)
        for (at, field) in idFields.enumerated() {
            if at > 0 { scratch.append(UInt8(ascii: ",")) }
            DocumentID.join(try text(fields, field, mayBeEmpty: true), to: &scratch)
        }
        scratch.withUnsafeBytes { Self.write(id: $0, to: &batch) }
    }

    private static func write(id: UnsafeRawBufferPointer, to batch: inout Batch) {
        if DocumentID.needsHash(id) {
            DocumentID.hashed(id).withUnsafeBytes { batch.append(escaped: $0) }
        } else {
            batch.append(escaped: id)
        }
    }

    private func text(
        _ fields: UnsafePointer<csimdjson_field>, _ field: Int, mayBeEmpty: Bool
    ) throws(BadField) -> UnsafeRawBufferPointer {
        do throws(FieldFault) {
            let text = try fields[field].scalar
            if text.isEmpty, !mayBeEmpty { throw .empty }
            return text
        } catch {
            throw BadField(path: paths[field], fault: error)
        }
    }

    /// The date in a field: milliseconds since 1970 as a number, an RFC 3339 date-time, or a date alone.
    private mutating func time(
        _ fields: UnsafePointer<csimdjson_field>, _ field: Int
    ) throws(BadField) -> Int64 {
        let text = try text(fields, field, mayBeEmpty: false)
        var time: Int64?
        if fields[field].kind == csimdjson_number {
            time = try? Decimal.parse(text)
        } else if fields[field].kind == csimdjson_string {
            time =
                text.count == 10
                ? (Array(text) + "T00:00:00Z".utf8).withUnsafeBytes { dates.milliseconds($0) }
                : dates.milliseconds(text)
        }
        guard let time, Timestamp.range.contains(time) else {
            throw BadField(path: paths[field], fault: .notADate(quoted: quoted(text)))
        }
        return time
    }
}

/// A field that is not there, or not what it should be.
struct BadField: Error {
    let path: FieldPath
    let fault: FieldFault
}
