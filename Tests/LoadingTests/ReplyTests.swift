import Bytes
import Loading
import TestSupport
import Testing

/// What a real OpenSearch has answered (Tests/SearchReplies, which `take` in it took), and what becomes of it.
@Suite struct ReplyTests {
    /// A reply that was taken, with the batch that it is the answer to.
    struct Taken {
        let status: Int
        let batch: [UInt8]
        let reply: [UInt8]

        init(_ name: String) throws {
            let bytes = try contents(of: "\(Repository.root)/Tests/SearchReplies/opensearch-2.19/\(name)")
            let end = try #require(bytes.firstIndex(of: 0x0A))
            status = try #require(Int(String(decoding: bytes[..<end], as: UTF8.self)))
            let rest = Array(bytes[(end + 1)...])
            let blank = try #require(rest.indices.first { rest[$0] == 0x0A && (rest + [0])[$0 + 1] == 0x0A })
            batch = Array(rest[...blank])
            reply = Array(rest[(blank + 2)...])
        }
    }

    /// What one lane makes of the reply: a line for each action after the post.
    func fate(_ name: String) throws -> [String] {
        let taken = try Taken(name)
        var settings = Loader.Settings()
        (settings.lanes, settings.putsAside) = (1, true)
        var loader = Loader(settings)
        let now = Moment(unixMilliseconds: 0, monotonicMilliseconds: 0)
        loader.take((taken.batch + [0x0A]).span, firstLine: 1, now: now)
        loader.pause(now: now)
        guard case .post(0, 0, let body) = loader.takeActions().first else { return ["nothing was posted"] }
        #expect(Array(body.bytes) == taken.batch)
        loader.handle(.answered(status: taken.status, retryAfter: 0, body: taken.reply), lane: 0, now: now)
        var fate: [String] = []
        let counts = loader.summary
        if counts.done > 0 { fate.append("done \(counts.done)") }
        if counts.superseded > 0 { fate.append("superseded \(counts.superseded)") }
        for action in loader.takeActions() {
            switch action {
            case .post(_, _, let body): fate.append("posts \(body.bytes.filter { $0 == 0x0A }.count / 2)")
            case .putAside(let line): fate.append("puts aside \(String(decoding: line.prefix(60), as: UTF8.self))")
            case .say(let text): fate.append(String(text.prefix(90)))
            case .end(let failure): fate.append("ends: \(failure.map { String($0.description.prefix(110)) } ?? "done")")
            case .keepPutAside, .acknowledge: break
            }
        }
        return fate
    }

    @Test(arguments: [
        ("done", ["done 3"]),
        ("mapping", ["done 2", "puts aside _id b: 400 mapper_parsing_exception: failed to parse field ["]),
        ("lone-surrogate", ["done 2", "puts aside _id b: 400 mapper_parsing_exception: failed to parse field ["]),
        ("depth", ["done 1", "puts aside _id b: 400 mapper_parsing_exception: failed to parse; parse"]),
        ("field-limit", ["done 1", "puts aside _id b: 400 illegal_argument_exception: Limit of total fields"]),
        ("strict-mapping", ["puts aside _id a: 400 strict_dynamic_mapping_exception: mapping set to"]),
        ("not-json", ["done 1", "puts aside _id b: 400 mapper_parsing_exception: failed to parse; json_"]),
        ("created-twice", ["done 2"]),
        ("deleted-twice", ["done 1"]),
        ("update-of-nothing", ["puts aside _id never: 404 document_missing_exception: [never]: document"]),
        ("version-once", ["done 1"]),
        ("version-again-and-older", ["done 1", "superseded 1"]),
        ("413", ["posts 1"]),
        ("429-never-fits", ["posts 1"]),
        ("unknown-parameter", ["posts 1"]),
        ("id-too-long", ["posts 1"]),
    ]) func documentsAreJudgedOneByOne(_ name: String, _ expected: [String]) throws {
        let fate = try fate(name)
        #expect(fate.count == expected.count && zip(fate, expected).allSatisfy { $0.hasPrefix($1) }, "\(fate)")
    }

    @Test(arguments: [
        ("read-only", "403 cluster_block_exception: index [frozen] blocked by"),
        ("cluster-read-only", "403 cluster_block_exception: blocked by: [FORBIDDEN/6"),
        ("flood-stage", "429 cluster_block_exception: index [full] blocked by:"),
        ("version-too-large", "500 input_coercion_exception: Numeric value (922337203"),
        ("429-items", "429 rejected_execution_exception: rejected execution"),
        ("429-all-items", "429 rejected_execution_exception: rejected execution"),
        ("cut", "not the answer of a search server: not JSON: "),
    ]) func whatMayPassLaterIsWaitedForAndTheReasonTold(_ name: String, _ reason: String) throws {
        let said = try #require(try fate(name).last)
        #expect(said.hasPrefix("trying again for up to 5m: \(reason)"), "\(said)")
    }

    @Test(arguments: [
        ("closed", "400 index_closed_exception: closed"),
        ("missing", "404 index_not_found_exception: no such index [nowhere]"),
        ("missing-delete", "404 index_not_found_exception: no such index [nowhere]"),
        ("alias-without-write-index", "400 illegal_argument_exception: no write index is defined"),
        ("data-stream", "400 illegal_argument_exception: only write ops with an op_type of"),
        ("invalid-index-name", "400 invalid_index_name_exception: Invalid index name"),
        ("missing-pipeline", "400 illegal_argument_exception: pipeline with id [missing]"),
        ("shard-limit", "400 validation_exception: Validation Failed: 1: this action"),
    ]) func whatIsAboutTheIndexEndsTheLoad(_ name: String, _ reason: String) throws {
        let fate = try #require(try fate(name).last)
        #expect(fate.hasPrefix("ends: not one document more, until this is mended: \(reason)"), "\(fate)")
    }

    @Test func whatIsAboutTheRequestEndsTheLoad() throws {
        #expect(
            try fate("wrong-type") == ["ends: the server answers 406 Content-Type header [text/html] is not supported"])
    }

    @Test func everyReplyThatWasTakenIsLookedAt() {
        #expect(entries(of: "\(Repository.root)/Tests/SearchReplies/opensearch-2.19").count >= 30)
    }
}
