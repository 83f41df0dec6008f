import JSONFilters
import TestSupport

/// JSON lines: strict takes what the reference takes; neither the width of the registers nor where the input is cut shows;
/// and without strict nothing else comes of a line that is JSON. One of these at a time, as the input says: that is faster.
@Sendable func fuzzFromJSON(_ input: [UInt8]) {
    var choices = Choices(input)
    let comparison = choices.number(upTo: 5)
    let reads = [choices.number(upTo: 255), choices.number(upTo: 255)]
    let each = choices.number(upTo: 2) == 1 ? "a" : nil
    // Behind a line of its own, so that a byte order mark does not begin the input.
    let text = [0x0A] + choices.rest
    let lines = text.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)

    func written(_ paths: [String], strict: Bool, width: Int, reads: [Int], _ input: [UInt8]) -> Written {
        guard
            let filter = try? FromJSON(
                paths: paths.map(ValuePath.init(parsing:)),
                each: paths == ["."] ? nil : each.map(ValuePath.init(parsing:)),
                escapes: true, strict: strict)
        else { preconditionFailure("the paths are good") }
        _ = filter.use(registers: width)
        guard let written = try? run(filter, input, reads: reads, rejecting: true) else {
            preconditionFailure("a malformed line is to be rejected")
        }
        return written
    }

    let paths = ["a", "b.c", "a.0", "/é", "x:int"]
    switch comparison {
    case 1:
        // Whole objects: as compact as they get, and objects again.
        let bad = lines.filter { !ReferenceJSON.isObject($0) }
        let blank = bad.count { $0.allSatisfy { [0x20, 0x09, 0x0D].contains($0) } }
        let whole = written(["."], strict: true, width: 0, reads: reads, text)
        let objects = whole.lines.split(separator: 0x0A).map(Array.init)
        precondition(objects.count == lines.count - bad.count && objects.allSatisfy { ReferenceJSON.isObject($0) })
        precondition(whole.rejects.count { $0 == 0x0A } == bad.count - blank)
        precondition(written(["."], strict: true, width: 2, reads: [4096], whole.lines).lines == whole.lines)
    case 2:
        precondition(
            written(["."], strict: false, width: 1, reads: [4096], text)
                == written(["."], strict: true, width: 0, reads: reads, text))
    case 3:
        precondition(
            written(paths, strict: true, width: 2, reads: [4096], text)
                == written(paths, strict: true, width: 0, reads: reads, text))
    case 4:
        precondition(
            written(paths, strict: false, width: 2, reads: [4096], text)
                == written(paths, strict: false, width: 0, reads: [7], text))
    default:
        let good = Array(lines.filter { ReferenceJSON.isObject($0) }.joined(separator: [0x0A]))
        let strict = written(paths, strict: true, width: 1, reads: [4096], good)
        precondition(strict.lines == written(paths, strict: true, width: 0, reads: reads, text).lines)
        precondition(strict == written(paths, strict: false, width: 2, reads: reads, good))
    }
}

/// Fields with escapes: what to-json makes of them, from-json makes them of.
@Sendable func fuzzEscapes(_ input: [UInt8]) {
    let fields = input.filter { $0 != 0x0A && $0 != 0x0D && $0 != 0x09 }
    guard
        let objects = try? run(
            ToJSON(columns: [Column(parsing: "a.b")], invalid: .fail, unescapes: true), fields + [0x0A],
            reads: [7, 64],
            rejecting: true),
        let back = try? run(
            FromJSON(paths: [ValuePath(parsing: "a.b")], escapes: true, strict: true), objects.lines, reads: [9, 64])
    else { preconditionFailure("an object that to-json writes is malformed") }
    precondition(back.lines == (objects.lines.isEmpty ? [] : fields + [0x0A]))
}
