import Bytes
import Loading
import TestSupport

/// A reply of any kind to a batch of a few documents: es-load counts none of them as done or refused of which the reply does
/// not say so, loses none, and comes to an end once the server answers as it should.
@Sendable func fuzzLoad(_ input: [UInt8]) {
    var choices = Choices(input)
    let documents = choices.number(upTo: 4)
    let statuses = [200, 200, 200, 200, 201, 400, 401, 403, 404, 413, 429, 500, 503, 302]
    let status = statuses[choices.number(upTo: statuses.count) - 1]
    let hasVersions = choices.number(upTo: 2) == 2
    let reply = choices.rest

    var settings = Loader.Settings()
    (settings.lanes, settings.putsAside) = (1, true)
    var loader = Loader(settings)
    var time: Int64 = 0
    func now() -> Moment { Moment(unixMilliseconds: time, monotonicMilliseconds: time) }
    let version = hasVersions ? #","version":1,"version_type":"external_gte""# : ""
    let items = (0..<documents).map { #"{"index":{"_id":"\#($0 % 2)"\#(version)}}"# + "\n{\"n\":\($0)}\n" }
    let batch = items.joined() + "\n"
    loader.take(Array(batch.utf8).span, firstLine: 1, now: now())
    loader.endInput(now: now())

    var (isFirst, putAside, ended) = (true, 0, false)
    for _ in 0..<200 where !ended {
        for action in loader.takeActions() {
            switch action {
            case .post(let lane, _, let body):
                let items = body.bytes.filter { $0 == 0x0A }.count / 2
                let answers = Array(repeating: #"{"index":{"status":201}}"#, count: items)
                let good = #"{"items":[\#(answers.joined(separator: ","))]}"#
                let bytes = isFirst ? reply : Array(good.utf8)
                time += 1
                let answer = Reply.answered(status: isFirst ? status : 200, retryAfter: 0, body: bytes)
                loader.handle(answer, lane: lane, now: now())
                if isFirst {
                    let counts = loader.summary
                    let decided = counts.done + counts.superseded + counts.rejected
                    precondition(decided <= documents)
                    let isWhole = status < 300 && ReferenceJSON.isObject(reply)
                    precondition(isWhole || decided == (status == 413 && documents == 1 ? 1 : 0))
                }
                isFirst = false
            case .putAside(let line):
                precondition(line.last == 0x0A && line.filter { $0 == 0x0A }.count == 1)
                putAside += 1
            case .end(let failure):
                ended = true
                let counts = loader.summary
                switch failure {
                case nil: precondition(counts.done + counts.superseded == documents && putAside == 0)
                case .putAside: precondition(counts.done + counts.superseded + putAside == documents && putAside > 0)
                default:
                    let settled = counts.done + counts.superseded + putAside
                    precondition(settled < documents || counts.rejected > putAside)
                }
            case .keepPutAside, .acknowledge, .say: break
            }
        }
        time += 20_000
        loader.wake(now: now())
    }
    precondition(ended, "it comes to no end")
}
