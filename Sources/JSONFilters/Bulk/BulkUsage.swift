/// What is wrong with how bulk bodies were asked for.
public enum BulkUsage: Error, Equatable, Sendable, CustomStringConvertible {
    case badField(String)
    case badIndex(String, String)
    case needsID(BulkAction)
    case noPipeline(BulkAction)
    case noUpsert(BulkAction)
    case noVersion(BulkAction)
    case versionNeedsID
    case idOutNeedsID
    case emptyPipeline
    case tooManyFields

    public var description: String {
        switch self {
        case .badField(let text): "not a field: \"\(text)\" (expected NAME or NAME.NAME)"
        case .badIndex(let text, let reason): "--index \(text): \(reason)"
        case .needsID(let action): "--action \(action.rawValue) needs --id"
        case .noPipeline(let action): "--pipeline does not go with --action \(action.rawValue)"
        case .noUpsert(let action): "--upsert does not go with --action \(action.rawValue)"
        case .noVersion(let action): "--version-field does not go with --action \(action.rawValue)"
        case .versionNeedsID: "--version-field needs --id"
        case .idOutNeedsID: "--id-out needs --id"
        case .emptyPipeline: "--pipeline: expected a name"
        case .tooManyFields: "more than 64 different fields are named"
        }
    }
}
