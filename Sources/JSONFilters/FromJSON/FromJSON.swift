public import Bytes
import CBytes
import CSimdjson

/// Lines of TAB-separated fields out of JSON lines: for each object the values in some places of it.
///
/// What a line gives is written into the output buffer in one piece, and stays there only if all of it is good. With
/// `each` that may be many lines: they are written twice, the first time to see whether all are good, so that only one of
/// them is held.
public struct FromJSON: ~Copyable, Filter {
    public enum Problem: LineProblem {
        case json(JSONFault)
        case field(String, ValueFault)

        public var description: String {
            switch self {
            case .json(.notAnObject): "JSON, but not an object"
            case .json(let fault): "not JSON: \(fault)"
            case .field(let path, let fault): "field \"\(path)\" \(fault)"
            }
        }
    }

    /// What becomes of a field whose value is null or not there.
    public enum Missing: Equatable, Sendable {
        /// The field is this word.
        case word([UInt8])
        /// The line is left out.
        case skip
        /// The line is malformed.
        case reject

        public static let empty = Missing.word([])

        public init(parsing text: String) throws(PathFault) {
            switch text {
            case "skip": self = .skip
            case "reject": self = .reject
            default:
                if text.utf8.contains(where: { $0 == 0x09 || $0 == 0x0A }) { throw .badWord }
                self = .word(Array(text.utf8))
            }
        }
    }

    private struct Field {
        /// Its number among the values of the line, or of the element.
        let value: Int
        let isOfElement: Bool
        let type: ValueType
    }

    private let paths: [ValuePath]
    private let fields: [Field]
    private let each: (path: ValuePath, value: Int)?
    private let missing: Missing
    private let isStrict: Bool
    private let lines: JSONLines
    private let elements: JSONLines
    private var writer: FieldWriter
    private var (blankLines, skippedLines, missingFields) = (0, 0, 0)

    /// - Parameters:
    ///   - each: the path of an array, each element of which gives a line; paths that begin with it lead into the element.
    ///   - strict: check all of a line, not only its structure and the values that are wanted.
    public init(
        paths: [ValuePath], each: ValuePath? = nil, missing: Missing = .empty, escapes: Bool = false,
        strict: Bool = false
    ) throws(PathFault) {
        if paths.isEmpty { throw .noPaths }
        if let each, each.type != .any { throw .typeOfEach(each.description) }
        lines = JSONLines(strict: strict)
        elements = JSONLines(strict: strict)
        var fields: [Field] = []
        for path in paths {
            if let each, path.names.starts(with: each.names) {
                let value = elements.want(path.names.dropFirst(each.names.count))
                fields.append(Field(value: value, isOfElement: true, type: path.type))
            } else {
                fields.append(Field(value: lines.want(path.names), isOfElement: false, type: path.type))
            }
        }
        if let each { self.each = (each, lines.want(each.names)) } else { self.each = nil }
        self.paths = paths
        self.fields = fields
        self.missing = missing
        isStrict = strict
        writer = FieldWriter(escapes: escapes, isChecked: strict)
    }

    /// To find what matters in a line with registers of another width than the processor's widest, for tests.
    public func use(registers width: Int) -> Bool {
        jsonlines_use_registers(lines.handle, CInt(width)) && jsonlines_use_registers(elements.handle, CInt(width))
    }

    public mutating func consume(
        _ chunk: Span<UInt8>, firstLine: Int, now: Moment, into output: inout Output
    ) throws(MalformedLine<Problem>) {
        try chunk.withUnsafeBytes { (bytes) throws(MalformedLine<Problem>) in
            guard let address = bytes.baseAddress else { return }
            var text = UnsafeBufferPointer(start: address.assumingMemoryBound(to: UInt8.self), count: bytes.count)
            // The first line of all may begin with a byte order mark.
            if firstLine == 1, text.starts(with: [0xEF, 0xBB, 0xBF]) {
                text = UnsafeBufferPointer(rebasing: text.dropFirst(3))
            }
            try write(text, firstLine: firstLine, into: &output)
        }
    }

    private mutating func write(
        _ text: UnsafeBufferPointer<UInt8>, firstLine: Int, into output: inout Output
    ) throws(MalformedLine<Problem>) {
        guard let start = text.baseAddress else { return }
        let end = start + text.count
        jsonlines_open(lines.handle, start, text.count)
        var room = LineRoom(&output.lines, 0)
        var number = firstLine
        while true {
            let step = jsonlines_next(lines.handle)
            if step == jsonlines_found {
                if let problem = row(readable: end, &room, &output) {
                    try reject(number, problem, &room, &output)
                }
            } else if step == jsonlines_blank {
                blankLines += 1
            } else if step == jsonlines_end {
                break
            } else if let fault = fault(step) {
                try reject(number, .json(fault), &room, &output)
            } else if let problem = row(readable: end, &room, &output) {
                try reject(number, problem, &room, &output)
            }
            number += 1
        }
        room.commit(to: &output.lines)
    }

    /// What is wrong with a line of which the walk says that the judge must say it.
    @inline(never)
    private func fault(_ step: jsonlines_step) -> JSONFault? {
        if let fault = writer.judge.fault(in: lines.line, onlyObjects: true) { return fault }
        return step == jsonlines_doubtful ? nil : .badStructure
    }

    @inline(never)
    private func reject(
        _ number: Int, _ problem: Problem, _ room: inout LineRoom, _ output: inout Output
    ) throws(MalformedLine<Problem>) {
        room.commit(to: &output.lines)
        var problem = problem
        if case .field(_, .notJSON) = problem { problem = .json(fault(jsonlines_refused) ?? .badStructure) }
        try output.reject(lines.line, number: number, problem)
        room = LineRoom(&output.lines, 0)
    }

    /// Writes what the line gives.
    @inline(__always)
    private mutating func row(
        readable end: UnsafePointer<UInt8>, _ room: inout LineRoom, _ output: inout Output
    ) -> Problem? {
        if each != nil { return rows(readable: end, &room, &output) }
        return row(lines.values, lines.values, readable: end, keep: true, &room, &output)
    }

    /// Writes the lines of the elements.
    private mutating func rows(
        readable end: UnsafePointer<UInt8>, _ room: inout LineRoom, _ output: inout Output
    ) -> Problem? {
        guard let each else { return nil }
        let array = lines.values[each.value]
        if array.kind == jsonlines_missing || array.kind == jsonlines_null { return nil }
        guard array.kind == jsonlines_array else { return .field(each.path.description, .notAnArray) }
        for keep in [false, true] {
            jsonlines_open_array(elements.handle, array)
            while true {
                let step = jsonlines_next_element(elements.handle)
                if step == jsonlines_end { break }
                if step == jsonlines_refused { return .field(each.path.description, .notJSON) }
                if let problem = row(lines.values, elements.values, readable: end, keep: keep, &room, &output) {
                    return problem
                }
            }
        }
        return nil
    }

    /// Writes one line, and keeps it if it is good and wanted.
    @inline(__always)
    private mutating func row(
        _ values: UnsafePointer<jsonlines_value>, _ ofElement: UnsafePointer<jsonlines_value>,
        readable end: UnsafePointer<UInt8>, keep: Bool, _ room: inout LineRoom, _ output: inout Output
    ) -> Problem? {
        var needed = FieldWriter.slack
        for field in fields {
            needed += (field.isOfElement ? ofElement : values)[field.value].count + 1
            if case .word(let word) = missing { needed += word.count }
        }
        if room.left < needed {
            room.commit(to: &output.lines)
            room = LineRoom(&output.lines, needed)
        }
        var target = room.target
        for (index, field) in fields.enumerated() {
            let value = (field.isOfElement ? ofElement : values)[field.value]
            if value.kind == jsonlines_missing || value.kind == jsonlines_null {
                if keep { missingFields += 1 }
                switch missing {
                case .skip:
                    if keep { skippedLines += 1 }
                    return nil
                case .reject: return .field(paths[index].description, .missing)
                case .word(let word):
                    for byte in word {
                        target.pointee = byte
                        target += 1
                    }
                }
            } else if let fault = writer.write(value, as: field.type, readable: end, to: &target) {
                return .field(paths[index].description, fault)
            }
            target.pointee = UInt8(ascii: "\t")
            target += 1
        }
        guard keep else { return nil }
        // In bounds: there is at least one field, and a TAB behind each.
        target[-1] = UInt8(ascii: "\n")
        room.target = target
        room.lineStart = target
        return nil
    }

    public consuming func finish(now: Moment, into output: inout Output) -> Summary {
        var summary = Summary()
        summary.add("blank", blankLines)
        summary.add("skipped", skippedLines)
        summary.add("missing", missingFields)
        return summary
    }
}
