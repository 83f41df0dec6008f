import Bytes
import CSimdjson

/// What an item's answer means for who has sent it.
///
/// | status | what it says | verdict |
/// |---|---|---|
/// | 200 to 299 | | done |
/// | 404 | of a delete, without an error: it is gone already | done |
/// | 409 | of a create: it is there already | done |
/// | 409 | under an external version: there is a newer one | superseded |
/// | 409 | of an update: another one came between | again |
/// | 408, 429, 502, 503, 504, 520 to 524 | no room, or nobody there just now | again |
/// | 403 | `cluster_block_exception`: read-only, or the disk is full | blocked |
/// | 401, 403 | not permitted | halt |
/// | 4xx | the index is closed, missing, wrongly named, has no write index or pipeline, takes only `create`; no more shards | halt |
/// | other 5xx | it may be the server or the document | doubtful |
/// | others | the document is wrong | refused |
package enum BulkVerdict: Equatable, Sendable {
    case done
    /// Done: what is there is newer.
    case superseded
    /// Sent again it may pass.
    case again
    /// Sent again it may pass when somebody has lifted a block.
    case blocked
    /// Sent again it may pass; if it never does while others do, it is the document.
    case doubtful
    /// The index or the cluster has to be mended first: no document of this index would pass.
    case halt
    case refused
}

/// The answer for one item of a bulk request, or for the request as a whole. Good until the response that it is of goes.
package struct BulkAnswer {
    let item: csimdjson_item

    package var status: Int { Int(item.status) }
    /// What a circuit breaker says that the request would have taken, and may take; 0: it says nothing.
    package var bytesWanted: Int { Int(item.bytes_wanted) }
    package var bytesLimit: Int { Int(item.bytes_limit) }
    private var errors: [csimdjson_error] {
        Array([item.errors.0, item.errors.1, item.errors.2, item.errors.3].prefix(item.error_count))
    }

    /// - Parameter isExternal: whether the item has a version of its own, by `version_type`.
    package func verdict(isExternal: Bool) -> BulkVerdict {
        switch status {
        case 200...299: return .done
        case 404 where isAction("delete") && item.error_count == 0: return .done
        case 409 where isAction("create"): return .done
        case 409 where isExternal: return .superseded
        case 409 where isAction("update"): return .again
        case _ where Self.passes(status): return .again
        case 500...599: return .doubtful
        default: break
        }
        if hasError("cluster_block_exception") { return .blocked }
        if status == 401 || status == 403 || isAboutTheIndex { return .halt }
        return .refused
    }

    /// Whether a status says that the same request may pass later.
    package static func passes(_ status: Int) -> Bool {
        switch status {
        case 408, 429, 502, 503, 504, 520...524: true
        default: false
        }
    }

    private var isAboutTheIndex: Bool {
        for type in Self.ofTheIndex where hasError(type) { return true }
        // These have no type of their own.
        for (type, text) in Self.ofTheIndexByText where hasError(type, text) { return true }
        return false
    }

    private static let ofTheIndex: [StaticString] = [
        "index_closed_exception", "index_not_found_exception", "invalid_index_name_exception",
        "invalid_alias_name_exception", "security_exception",
    ]
    private static let ofTheIndexByText: [(StaticString, String)] = [
        ("illegal_argument_exception", "no write index is defined for alias"),
        ("illegal_argument_exception", "pipeline with id ["),
        ("illegal_argument_exception", "only write ops with an op_type of create are allowed in data streams"),
        ("validation_exception", "shards open"),
    ]

    private func isAction(_ name: StaticString) -> Bool { item.action.equals(name) }

    /// Whether the error or one of its causes is of this type, and its reason has the text in it.
    package func hasError(_ type: StaticString, _ text: String? = nil) -> Bool {
        errors.contains { error in
            error.type.equals(type)
                && (text.map { String(decoding: error.reason.bytes, as: UTF8.self).contains($0) } ?? true)
        }
    }

    /// The types of the error and its causes: the same for documents that are refused for one reason.
    package var kinds: String {
        "\(status) " + errors.map { String(decoding: $0.type.bytes, as: UTF8.self) }.joined(separator: " ")
    }

    /// Adds the server's error with its causes, on one line and without TABs.
    package func writeReason(to text: inout [UInt8]) {
        for (index, error) in errors.enumerated() {
            if index > 0 { text += "; ".utf8 }
            error.type.writeOnOneLine(to: &text)
            if error.type.count > 0, error.reason.count > 0 { text += ": ".utf8 }
            error.reason.writeOnOneLine(to: &text)
        }
    }
}

extension csimdjson_slice {
    func equals(_ text: StaticString) -> Bool {
        bytes.elementsEqual(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}
