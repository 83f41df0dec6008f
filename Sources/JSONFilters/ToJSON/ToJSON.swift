public import Bytes
import CBytes
import CSimdjson

/// One JSON object a line, out of lines of TAB-separated fields. The columns are declared, not guessed.
///
/// Each member is rendered with a comma in front, `,"count":53`, and the object's brace is then written over the first
/// comma: so no member need know whether one stands before it. A line's bytes lie in one piece in the output buffer until
/// the line is found good, so that a malformed one leaves nothing behind.
public struct ToJSON: ~Copyable, Filter {
    public enum Problem: LineProblem {
        case fieldCount(Int, expected: ClosedRange<Int>)
        case badValue(field: Int, column: String, type: ColumnType, quoted: String)
        case notUTF8(field: Int, column: String, quoted: String)

        public var description: String {
            switch self {
            case .fieldCount(let count, let expected):
                "\(count) field\(count == 1 ? "" : "s"), not \(expected.lowerBound)"
                    + (expected.count > 1 ? " to \(expected.upperBound)" : "")
            case .badValue(let field, let column, let type, let quoted):
                "field \(field) (\(column)) is not \(type.noun): \(quoted)"
            case .notUTF8(let field, let column, let quoted): "field \(field) (\(column)) is not UTF-8: \(quoted)"
            }
        }
    }

    /// What becomes of bytes that are not UTF-8.
    public enum InvalidText: String, CaseIterable, Sendable {
        /// Each maximal subpart of a sequence becomes U+FFFD.
        case replace
        /// The line is malformed.
        case fail
    }

    /// What is written in front of a field: `,"count":`, and for a string also its first quote.
    private struct Opening {
        let start: Int
        let count: Int
        let type: ColumnType
        let isOptional: Bool
    }

    private let columns: [Column]
    private let openings: [Opening]
    /// The openings' bytes, one behind the other, and 16 more that a rough copy may read.
    private let openingBytes: [UInt8]
    /// The constants, a brace and LF.
    private let closing: [UInt8]
    private let constants: Int
    private let fieldCounts: ClosedRange<Int>
    private let invalid: InvalidText
    private let parser = JSONParser()

    public init(
        columns: [Column], constants: [Constant] = [], invalid: InvalidText = .replace
    ) throws(DeclarationFault) {
        if columns.isEmpty { throw .noColumns }
        // By their bytes: a set of String would call NFC and NFD the same.
        var seen: Set<[UInt8]> = []
        for name in columns.map(\.name) + constants.map(\.name) where !seen.insert(Array(name.utf8)).inserted {
            throw .repeated(name)
        }
        var openings: [Opening] = []
        var bytes: [UInt8] = []
        for column in columns {
            let start = bytes.count
            bytes += [UInt8(ascii: ",")] + JSONString.literal(column.name.utf8) + [UInt8(ascii: ":")]
            if column.type == .string { bytes.append(UInt8(ascii: "\"")) }
            openings.append(
                Opening(start: start, count: bytes.count - start, type: column.type, isOptional: column.isOptional))
        }
        var closing: [UInt8] = []
        for constant in constants {
            closing +=
                [UInt8(ascii: ",")] + JSONString.literal(constant.name.utf8) + [UInt8(ascii: ":")] + constant.value
        }
        self.columns = columns
        self.openings = openings
        openingBytes = bytes + [UInt8](repeating: 0, count: JSONString.slack)
        self.constants = constants.count
        self.closing = closing + Array("}\n".utf8)
        // A line has at least one field, if an empty one.
        fieldCounts = (columns.lastIndex { !$0.isOptional }.map { $0 + 1 } ?? 1)...columns.count
        self.invalid = invalid
    }

    public mutating func consume(
        _ lines: Span<UInt8>, firstLine: Int, now: Moment, into output: inout Output
    ) throws(MalformedLine<Problem>) {
        try lines.withUnsafeBytes { (bytes) throws(MalformedLine<Problem>) in
            try render(bytes, firstLine: firstLine, into: &output)
        }
    }

    /// The bytes that every object needs besides those of its fields.
    private var fixedBytes: Int { openingBytes.count + columns.count + closing.count + 2 * JSONString.slack }

    private func render(
        _ bytes: UnsafeRawBufferPointer, firstLine: Int, into output: inout Output
    ) throws(MalformedLine<Problem>) {
        guard let address = bytes.baseAddress else { return }
        let source = address.assumingMemoryBound(to: UInt8.self)
        // At the start of a line there is always room for one of this length, so that short lines need no other check.
        let easyLength = 4096
        let easyRoom = fixedBytes + easyLength * JSONString.growth
        var room = LineRoom(&output.lines, easyRoom)
        var longest = easyLength
        var scanner = FieldScanner(bytes)
        var (lineStart, fieldStart, field, number) = (0, 0, 0, firstLine)
        var fault: Fault?
        while let end = scanner.next() {
            if end - lineStart > longest {
                // The line needs more room, and starts again where there is enough.
                longest = cbytes_first(source + lineStart, 0x0A, bytes.count - lineStart)
                room.commit(to: &output.lines)
                room = LineRoom(&output.lines, fixedBytes + longest * JSONString.growth)
                scanner = FieldScanner(bytes, from: lineStart)
                (fieldStart, field, fault) = (lineStart, 0, nil)
                continue
            }
            if field < openings.count, let kind = write(bytes, fieldStart..<end, field, &room.target) {
                fault = fault ?? Fault(column: field, text: fieldStart..<end, kind: kind)
            }
            field += 1
            fieldStart = end + 1
            guard source[end] == 0x0A else { continue }
            if fault == nil, fieldCounts.contains(field) {
                close(&room)
            } else {
                room.commit(to: &output.lines)
                let line = UnsafeRawBufferPointer(rebasing: bytes[lineStart..<end])
                try output.reject(line, number: number, problem(fieldCount: field, fault, bytes))
                room = LineRoom(&output.lines, easyRoom)
                fault = nil
            }
            (lineStart, field, number) = (fieldStart, 0, number + 1)
            if room.left < easyRoom || longest > easyLength {
                room.commit(to: &output.lines)
                room = LineRoom(&output.lines, easyRoom)
                longest = easyLength
            }
        }
        room.commit(to: &output.lines)
    }

    /// Writes a field as a member, if it is good for its column, and moves the target behind it.
    @inline(__always)
    private func write(
        _ bytes: UnsafeRawBufferPointer, _ field: Range<Int>, _ column: Int, _ target: inout UnsafeMutablePointer<UInt8>
    ) -> Fault.Kind? {
        let opening = openings[column]
        if field.isEmpty, opening.isOptional { return nil }
        openingBytes.withUnsafeBufferPointer {
            cbytes_copy_roughly(target, $0.baseAddress! + opening.start, opening.count, $0.count - opening.start)
        }
        target += opening.count
        // In bounds: a field lies within the bytes, and the LF of its line behind it.
        let source = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self) + field.lowerBound
        let readable = bytes.count - field.lowerBound
        if opening.type == .string {
            let written = JSONString.write(source, count: field.count, readable: readable, to: target)
            written.end.pointee = UInt8(ascii: "\"")
            target = written.end + 1
            return written.isUTF8 || invalid == .replace ? nil : .notUTF8
        }
        let text = UnsafeRawBufferPointer(start: source, count: field.count)
        guard opening.type.takes(text, parser) else { return .badValue }
        cbytes_copy_roughly(target, source, field.count, readable)
        target += field.count
        return nil
    }

    private func close(_ room: inout LineRoom) {
        if room.target == room.lineStart, constants == 0 { room.target += 1 }
        closing.withUnsafeBufferPointer {
            cbytes_copy_roughly(room.target, $0.baseAddress!, $0.count, $0.count)
        }
        room.lineStart.pointee = UInt8(ascii: "{")
        room.target += closing.count
        room.lineStart = room.target
    }

    private func problem(fieldCount: Int, _ fault: Fault?, _ bytes: UnsafeRawBufferPointer) -> Problem {
        guard fieldCounts.contains(fieldCount), let fault else {
            return .fieldCount(fieldCount, expected: fieldCounts)
        }
        let column = columns[fault.column]
        let text = quoted(UnsafeRawBufferPointer(rebasing: bytes[fault.text]))
        return switch fault.kind {
        case .badValue: .badValue(field: fault.column + 1, column: column.name, type: column.type, quoted: text)
        case .notUTF8: .notUTF8(field: fault.column + 1, column: column.name, quoted: text)
        }
    }
}

/// A field that is not good for its column.
private struct Fault {
    enum Kind {
        case badValue
        case notUTF8
    }

    let column: Int
    let text: Range<Int>
    let kind: Kind
}
