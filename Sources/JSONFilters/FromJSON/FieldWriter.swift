import Bytes
import CBytes
import CSimdjson

/// Writes values as fields of a line.
///
/// A string without quotes, its escapes undone; numbers byte for byte, true, false; objects and arrays without the white
/// space between their tokens.
struct FieldWriter: ~Copyable {
    /// Write TAB, LF, CR and backslash of strings as `\t`, `\n`, `\r` and `\\`.
    let escapes: Bool
    /// Whether the line was checked as a whole, so that what it holds is JSON.
    let isChecked: Bool
    let judge = JSONJudge()
    private var times = Timestamp.Reader()

    init(escapes: Bool, isChecked: Bool) {
        self.escapes = escapes
        self.isChecked = isChecked
    }

    /// The target must have room for so many bytes more than the value has.
    static let slack = 16

    /// Writes the value, if it is of the type, and moves the target behind it.
    ///
    /// It never gets longer: what becomes two bytes was an escape of at least two.
    /// - Parameters:
    ///   - value: neither null nor missing.
    ///   - readable: the end of the bytes that may be read.
    @inline(__always)
    mutating func write(
        _ value: jsonlines_value, as type: ValueType, readable end: UnsafePointer<UInt8>,
        to target: inout UnsafeMutablePointer<UInt8>
    ) -> ValueFault? {
        guard let source = value.start else { return .missing }
        if value.kind == jsonlines_string {
            guard type == .any || type == .string || type == .time else { return misfit(value, type) }
            let start = target
            let plain = cbytes_copy_plain(target, source, value.count, end - source)
            if plain == value.count {
                target += plain
            } else if let fault = writeCarefully(value, to: &target) {
                return fault
            }
            guard type == .time else { return nil }
            let text = UnsafeRawBufferPointer(start: start, count: target - start)
            return times.milliseconds(text) == nil ? misfit(value, type) : nil
        }
        if value.kind == jsonlines_object || value.kind == jsonlines_array {
            guard type == .any else { return misfit(value, type) }
            if !isChecked, judge.fault(in: value.bytes, onlyObjects: false) != nil { return .notJSON }
            target += jsonlines_compact(source, value.count, target)
            return nil
        }
        guard fits(value, type) else { return misfit(value, type) }
        cbytes_copy_roughly(target, source, value.count, end - source)
        target += value.count
        return nil
    }

    /// Whether a number or word is of the type.
    private func fits(_ value: jsonlines_value, _ type: ValueType) -> Bool {
        switch type {
        case .any: true
        case .string, .time: false
        case .bool: value.kind != jsonlines_number
        case .number: value.kind == jsonlines_number
        case .int: value.kind == jsonlines_number && ColumnType.isInt(value.bytes)
        }
    }

    @inline(never)
    private func misfit(_ value: jsonlines_value, _ type: ValueType) -> ValueFault {
        .misfit(type, quoted: quoted(value.bytes))
    }

    /// A string with bytes that do not stand for themselves, or that are not ASCII.
    @inline(never)
    private func writeCarefully(
        _ value: jsonlines_value, to target: inout UnsafeMutablePointer<UInt8>
    ) -> ValueFault? {
        guard let source = value.start else { return .missing }
        var count = 0
        switch jsonlines_unescape(source, value.count, target, &count) {
        case jsonlines_text_good: break
        case jsonlines_text_lone_surrogate: return .loneSurrogate
        default: return .notJSON
        }
        var special = 0
        for at in 0..<count {
            switch target[at] {
            case 0x09: if !escapes { return .holdsTab }
            case 0x0A: if !escapes { return .holdsLineFeed }
            case 0x0D, UInt8(ascii: "\\"): break
            default: continue
            }
            special += 1
        }
        if escapes, special > 0 {
            // From the end, so that what is moved has not been written over.
            var (from, to) = (count, count + special)
            count = to
            while from < to {
                from -= 1
                let letter: UInt8
                switch target[from] {
                case 0x09: letter = UInt8(ascii: "t")
                case 0x0A: letter = UInt8(ascii: "n")
                case 0x0D: letter = UInt8(ascii: "r")
                case UInt8(ascii: "\\"): letter = UInt8(ascii: "\\")
                case let byte:
                    to -= 1
                    target[to] = byte
                    continue
                }
                to -= 2
                (target[to], target[to + 1]) = (UInt8(ascii: "\\"), letter)
            }
        }
        target += count
        return nil
    }
}

/// Why a value cannot be a field. `description` follows on the field's path.
public enum ValueFault: Error, Equatable, Sendable, CustomStringConvertible {
    case missing
    case misfit(ValueType, quoted: String)
    case loneSurrogate
    case holdsTab
    case holdsLineFeed
    case notAnArray
    /// The value is not JSON, so that the line is not.
    case notJSON

    public var description: String {
        switch self {
        case .missing: "is missing"
        case .misfit(let type, let quoted): "is not \(type.noun): \(quoted)"
        case .loneSurrogate: "has half of a surrogate pair, which no text can have"
        case .holdsTab: "holds a TAB, which no field can (--escape)"
        case .holdsLineFeed: "holds an LF, which no field can (--escape)"
        case .notAnArray: "is not an array (--each)"
        case .notJSON: "is not JSON"
        }
    }
}
