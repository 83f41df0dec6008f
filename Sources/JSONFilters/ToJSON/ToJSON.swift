public import Bytes
import CBytes
import CSimdjson

/// One JSON object a line, out of lines of TAB-separated fields. The columns are declared, not guessed.
///
/// All text between the values is rendered once, by `Members`. A line's bytes lie in one piece in the output buffer until
/// the line is found good, so that a malformed one leaves nothing behind.
public struct ToJSON: ~Copyable, Filter {
    public enum Problem: LineProblem {
        case fieldCount(Int, expected: ClosedRange<Int>)
        case badValue(field: Int, column: String, type: ColumnType, quoted: String)
        case notUTF8(field: Int, column: String, quoted: String)
        /// With `unescapes`.
        case badEscape(field: Int, column: String, quoted: String)

        public var description: String {
            switch self {
            case .fieldCount(let count, let expected):
                "\(count) field\(count == 1 ? "" : "s"), not \(expected.lowerBound)"
                    + (expected.count > 1 ? " to \(expected.upperBound)" : "")
            case .badValue(let field, let column, let type, let quoted):
                "field \(field) (\(column)) is not \(type.noun): \(quoted)"
            case .notUTF8(let field, let column, let quoted): "field \(field) (\(column)) is not UTF-8: \(quoted)"
            case .badEscape(let field, let column, let quoted):
                "field \(field) (\(column)) has a backslash that is none of \\t, \\n, \\r and \\\\: \(quoted)"
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

    /// A piece of the fixed bytes.
    private struct Piece {
        let start: Int
        let count: Int
    }

    /// What is written in front of a field: `,"count":`, and for a string also its first quote.
    private struct Opening {
        let text: Piece
        let type: ColumnType
        let isOptional: Bool
    }

    private let columns: [Column]
    private let openings: [Opening]
    /// What is written behind the field of each column if it is the last.
    private let closings: [Piece]
    /// The bytes of the openings and closings, one behind the other, and 16 more that a rough copy may read.
    private let fixed: [UInt8]
    private let fieldCounts: ClosedRange<Int>
    private let invalid: InvalidText
    private let unescapes: Bool
    private let parser = JSONParser()

    /// - Parameter unescapes: in the fields of string columns `\t`, `\n`, `\r` and `\\` are TAB, LF, CR and backslash.
    public init(
        columns: [Column], constants: [Constant] = [], invalid: InvalidText = .replace, unescapes: Bool = false
    ) throws(DeclarationFault) {
        if columns.isEmpty { throw .noColumns }
        let members = try Members(columns, constants)
        var bytes: [UInt8] = []
        func piece(_ text: [UInt8]) -> Piece {
            bytes += text
            return Piece(start: bytes.count - text.count, count: text.count)
        }
        var openings: [Opening] = []
        for (column, opening) in zip(columns, members.openings) {
            let text = piece(column.type == .string ? opening + [UInt8(ascii: "\"")] : opening)
            openings.append(Opening(text: text, type: column.type, isOptional: column.isOptional))
        }
        self.columns = columns
        self.openings = openings
        closings = members.closings.map(piece)
        fixed = bytes + [UInt8](repeating: 0, count: JSONString.slack)
        // A line has at least one field, if an empty one.
        fieldCounts = (columns.lastIndex { !$0.isOptional }.map { $0 + 1 } ?? 1)...columns.count
        self.invalid = invalid
        self.unescapes = unescapes
    }

    public mutating func consume(
        _ lines: Span<UInt8>, firstLine: Int, now: Moment, into output: inout Output
    ) throws(MalformedLine<Problem>) {
        try lines.withUnsafeBytes { (bytes) throws(MalformedLine<Problem>) in
            try render(bytes, firstLine: firstLine, into: &output)
        }
    }

    /// The bytes that every object needs besides those of its fields.
    private var fixedBytes: Int { fixed.count + columns.count * "null".utf8.count + 2 * JSONString.slack }

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
                put(closings[field - 1], to: &room.target)
                room.lineStart = room.target
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
        put(opening.text, to: &target)
        if field.isEmpty, opening.isOptional {
            if opening.type == .string { target -= 1 }
            for byte: UInt8 in [0x6E, 0x75, 0x6C, 0x6C] {
                target.pointee = byte
                target += 1
            }
            return nil
        }
        // In bounds: a field lies within the bytes, and the LF of its line behind it.
        let source = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self) + field.lowerBound
        let readable = bytes.count - field.lowerBound
        if opening.type == .string {
            var fault: Fault.Kind?
            if unescapes, cbytes_first(source, UInt8(ascii: "\\"), field.count) < field.count {
                fault = writeUnescaped(source, count: field.count, readable: readable, &target)
            } else {
                let written = JSONString.write(source, count: field.count, readable: readable, to: target)
                target = written.end
                fault = written.isUTF8 || invalid == .replace ? nil : .notUTF8
            }
            target.pointee = UInt8(ascii: "\"")
            target += 1
            return fault
        }
        let text = UnsafeRawBufferPointer(start: source, count: field.count)
        guard opening.type.takes(text, parser) else { return .badValue }
        cbytes_copy_roughly(target, source, field.count, readable)
        target += field.count
        return nil
    }

    /// A string with escapes, which JSON writes in the same way: they pass as they are.
    @inline(never)
    private func writeUnescaped(
        _ source: UnsafePointer<UInt8>, count: Int, readable: Int, _ target: inout UnsafeMutablePointer<UInt8>
    ) -> Fault.Kind? {
        var at = 0
        var isUTF8 = true
        while true {
            let plain = cbytes_first(source + at, UInt8(ascii: "\\"), count - at)
            let written = JSONString.write(source + at, count: plain, readable: readable - at, to: target)
            target = written.end
            isUTF8 = isUTF8 && written.isUTF8
            at += plain
            if at == count { return isUTF8 || invalid == .replace ? nil : .notUTF8 }
            guard at + 1 < count else { return .badEscape }
            switch source[at + 1] {
            case UInt8(ascii: "t"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "\\"): break
            default: return .badEscape
            }
            (target[0], target[1]) = (source[at], source[at + 1])
            target += 2
            at += 2
        }
    }

    @inline(__always)
    private func put(_ piece: Piece, to target: inout UnsafeMutablePointer<UInt8>) {
        fixed.withUnsafeBufferPointer {
            // In bounds: a piece lies within the fixed bytes, and they are not empty.
            cbytes_copy_roughly(target, $0.baseAddress! + piece.start, piece.count, $0.count - piece.start)
        }
        target += piece.count
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
        case .badEscape: .badEscape(field: fault.column + 1, column: column.name, quoted: text)
        }
    }
}

/// A field that is not good for its column.
private struct Fault {
    enum Kind {
        case badValue
        case notUTF8
        case badEscape
    }

    let column: Int
    let text: Range<Int>
    let kind: Kind
}
