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

/// What is asked of the server for each document.
public struct BulkRequest: Sendable {
    let action: BulkAction
    let upserts: Bool
    let line: ActionLine

    /// - Parameters:
    ///   - index: where nil, no `_index` is written: the address that the body is posted to then names it.
    ///   - id: the fields that make the `_id`; where there are none the server invents one.
    ///   - upserts: an update stores a document that is not there yet.
    public init(
        _ action: BulkAction = .index, index: IndexName? = nil, id: [FieldPath] = [], routing: FieldPath? = nil,
        pipeline: String? = nil, upserts: Bool = false
    ) throws(BulkUsage) {
        if id.isEmpty, action == .update || action == .delete { throw .needsID(action) }
        if let pipeline {
            if pipeline.isEmpty { throw .emptyPipeline }
            if action == .update || action == .delete { throw .noPipeline(action) }
        }
        if upserts, action != .update { throw .noUpsert(action) }
        self.action = action
        self.upserts = upserts
        line = ActionLine(action, index: index, id: id, routing: routing, pipeline: pipeline)
        if line.paths.count > JSONParser.mostFields { throw .tooManyFields }
    }
}
