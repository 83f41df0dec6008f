import CSimdjson

/// Why a field of a document cannot be used. `description` follows on the field's name.
public enum FieldFault: Error, Equatable, Sendable, CustomStringConvertible {
    case missing
    case null
    case array
    case object
    case repeated
    case loneSurrogate
    case empty
    case notADate(quoted: String)
    case notAVersion(quoted: String)

    public var description: String {
        switch self {
        case .missing: "is missing"
        case .null: "is null"
        case .array: "is an array, not a single value"
        case .object: "is an object, not a single value"
        case .repeated: "occurs twice"
        case .loneSurrogate: "has half of a surrogate pair, which no text can have"
        case .empty: "is empty"
        case .notAVersion(let quoted): "is not a version (a whole number from 0 that fits in 63 bits): \(quoted)"
        case .notADate(let quoted): "is not a date (RFC 3339, or milliseconds since 1970): \(quoted)"
        }
    }
}

extension csimdjson_field {
    /// The value as text: a string without quotes and escapes, a number as its bytes are, true or false.
    var scalar: UnsafeRawBufferPointer {
        get throws(FieldFault) {
            switch kind {
            case csimdjson_true: return Self.bytes("true")
            case csimdjson_false: return Self.bytes("false")
            case csimdjson_string, csimdjson_number:
                return text.bytes
            case csimdjson_null: throw .null
            case csimdjson_array: throw .array
            case csimdjson_object: throw .object
            case csimdjson_repeated: throw .repeated
            case csimdjson_not_text: throw .loneSurrogate
            default: throw .missing
            }
        }
    }

    private static func bytes(_ text: StaticString) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }
}
