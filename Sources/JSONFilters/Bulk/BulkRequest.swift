/// What is to be done with each document, in the words of the bulk interface.
public enum BulkAction: String, CaseIterable, Equatable, Sendable {
    /// Store it, over one with the same `_id`.
    case index
    /// Store it, unless there is one with the same `_id`.
    case create
    /// Change the fields of the one with the same `_id`.
    case update
    /// Delete the one with the same `_id`; only the action line is written.
    case delete
}

/// A version of the document's own: the server keeps the highest, whatever comes late or twice.
public struct BulkVersion: Sendable {
    public enum Kind: String, CaseIterable, Sendable {
        /// Only a higher version is taken.
        case external
        /// The same version is taken again as well.
        case externalOrSame = "external_gte"
    }

    let field: FieldPath
    let kind: Kind

    public init(_ field: FieldPath, _ kind: Kind) { (self.field, self.kind) = (field, kind) }
}

/// What is asked of the server for each document.
public struct BulkRequest: Sendable {
    let action: BulkAction
    let upserts: Bool
    let line: ActionLine
    /// Whether the fields that make the `_id` are left out of the document.
    let leavesIDOut: Bool

    /// - Parameters:
    ///   - index: where nil, no `_index` is written: the address that the body is posted to then names it.
    ///   - id: the fields that make the `_id`; where there are none the server invents one.
    ///   - upserts: an update stores a document that is not there yet.
    public init(
        _ action: BulkAction = .index, index: IndexName? = nil, id: [FieldPath] = [], routing: FieldPath? = nil,
        pipeline: String? = nil, version: BulkVersion? = nil, upserts: Bool = false, leavesIDOut: Bool = false
    ) throws(BulkUsage) {
        if id.isEmpty, action == .update || action == .delete { throw .needsID(action) }
        if let pipeline {
            if pipeline.isEmpty { throw .emptyPipeline }
            if action == .update || action == .delete { throw .noPipeline(action) }
        }
        if upserts, action != .update { throw .noUpsert(action) }
        if version != nil {
            if action == .create || action == .update { throw .noVersion(action) }
            if id.isEmpty { throw .versionNeedsID }
        }
        if leavesIDOut, id.isEmpty { throw .idOutNeedsID }
        self.leavesIDOut = leavesIDOut
        self.action = action
        self.upserts = upserts
        line = ActionLine(
            action, index: index, id: id, routing: routing, pipeline: pipeline, version: version)
        if line.paths.count > JSONParser.mostFields { throw .tooManyFields }
    }
}
