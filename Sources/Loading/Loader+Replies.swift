public import Bytes

extension Loader {
    /// How often an error of the server's own is waited out before a document or the request is suspected.
    private static let doubtfulTries = 3
    /// After so many requests in a row refused with 429 it may be their size, if it is above `smallest` bytes.
    private static let busyTries = 5
    private static let smallest = 1 << 20
    /// How many parts of a halved request may fail, before one has passed, until it is the request.
    private static let mostFailures = 64
    private static let longestPause: Int64 = 15_000
    /// No more often is the user told of a trouble.
    private static let quietMilliseconds: Int64 = 10_000

    /// What came of the request of a lane.
    public mutating func handle(_ reply: Reply, lane: Int, now: Moment) {
        guard !hasEnded, case .posted(let body, let host) = lanes[lane].state else { return }
        let now = now.monotonicMilliseconds
        lanes[lane].state = .idle
        if case .lost = reply { hosts.noteLost(host, now: now) } else { hosts.noteReply(host) }
        switch judge.judge(reply, to: body) {
        case .done:
            finish(body, body.items.count)
            passed(body, lane, now)
        case .items: sort(body, lane, now)
        case .again(let trouble): tryAgain(body, lane, trouble, progressed: false, now)
        case .smaller(let reason, let remember): makeSmaller(body, lane, reason, remember, now)
        case .suspect(let status, let reason): suspect(body, lane, status, reason, now)
        case .end(let failure): act(.end(failure))
        }
        pump(now)
    }

    /// Counts documents of a body as done.
    private mutating func finish(_ body: Body, _ documents: Int) {
        counts.done += documents
        epochs.finish(documents, of: body.epoch)
    }

    // MARK: Items

    /// Takes what is done and what is refused out of a body.
    private mutating func sort(_ body: Body, _ lane: Int, _ now: Int64) {
        let verdicts = judge.verdicts
        let hasDone = verdicts.contains(.done)
        if let halted = verdicts.firstIndex(of: .halt), let (reason, _, status) = judge.reasons[halted] {
            return act(.end(status == 401 || status == 403 ? .notPermitted(reason: reason) : .index(reason: reason)))
        }
        // An error of the server's own, again and again, while other documents pass: so it is the document.
        let blamesDoubtful = hasDone && (lanes[lane].wait?.doubtful ?? 0) >= Self.doubtfulTries
        var kept: [Int] = []
        var refused: [Int] = []
        var targets: Set<UInt64> = []
        var done = 0
        for (position, verdict) in verdicts.enumerated() {
            let target = body.items[position].target
            switch verdict {
            case .refused: refused.append(position)
            case .doubtful where blamesDoubtful: refused.append(position)
            case .done, .superseded:
                // After an older one of the same target that is sent again, it has to be the last once more.
                if target != 0, targets.contains(target) {
                    kept.append(position)
                } else if verdict == .superseded {
                    counts.superseded += 1
                    epochs.finish(1, of: body.epoch)
                    done += 1
                } else {
                    finish(body, 1)
                    done += 1
                }
            default:
                kept.append(position)
                if target != 0 { targets.insert(target) }
            }
        }
        if isStreak(refused, of: body) { return }
        for position in refused {
            if !refuse(body.items[position], of: body, judge.reasons[position]?.reason ?? "") { return }
        }
        guard let trouble = trouble(kept) else { return passed(body, lane, now) }
        if hasDone {
            hasPassed = true
            lanes[lane].search?.hasPassed = true
        }
        body.keepOnly(kept)
        account(body)
        tryAgain(body, lane, trouble, progressed: done + refused.count > 0, now)
    }

    /// The trouble of the first of these items that has one.
    private func trouble(_ kept: [Int]) -> Trouble? {
        for position in kept {
            let kind: Trouble.Kind
            let (reason, _, status) = judge.reasons[position] ?? ("", "", 0)
            switch judge.verdicts[position] {
            case .again: kind = status == 429 ? .busy : status == 409 ? .conflict : .unavailable
            case .blocked: kind = .blocked
            case .doubtful: kind = .doubtful
            default: continue
            }
            return Trouble(kind: kind, reason: "\(reason) (\(kept.count) of \(judge.verdicts.count) documents)")
        }
        return nil
    }

    /// Whether this is one of several batches in a row of which every document is refused for one reason: then it is not the
    /// documents, whatever the server says.
    private mutating func isStreak(_ refused: [Int], of body: Body) -> Bool {
        guard let first = refused.first, refused.count == body.items.count,
            let (reason, kinds, _) = judge.reasons[first],
            refused.allSatisfy({ judge.reasons[$0]?.kinds == kinds })
        else {
            streak = ("", 0, 0)
            return false
        }
        if streak.kinds != kinds { streak = (kinds, 0, 0) }
        streak.batches += 1
        streak.documents += refused.count
        guard settings.putsAside, streak.batches >= 3, streak.documents >= 100 else { return false }
        act(.end(.allRefused(batches: streak.batches, reason: reason)))
        return true
    }

    /// Puts a document aside: the reason, TAB, the document. False: the load has ended instead.
    private mutating func refuse(_ item: LoadItem, of body: Body, _ reason: String) -> Bool {
        var text: [UInt8] = []
        if let id = reader.id(body.action(of: item)), !id.isEmpty { text += "_id ".utf8 + id + ": ".utf8 }
        text += reason.utf8
        counts.rejected += 1
        guard settings.putsAside else {
            act(.end(.refused(line: item.line, reason: String(decoding: text, as: UTF8.self))))
            return false
        }
        text.append(UInt8(ascii: "\t"))
        text += body.document(of: item)
        if text.last == UInt8(ascii: "\r") { text.removeLast() }
        text.append(0x0A)
        act(.putAside(text))
        hasUnkept = true
        epochs.finish(1, of: body.epoch)
        return true
    }

    /// Nothing of the body is left.
    private mutating func passed(_ body: Body, _ lane: Int, _ now: Int64) {
        release(body)
        hasPassed = true
        lanes[lane].wait = nil
        lanes[lane].search?.hasPassed = true
        endSearch(lane)
        guard let (at, isOpen) = announced, isOpen, lanes.allSatisfy({ $0.wait == nil }) else { return }
        announced = (at, false)
        act(.say("it goes on, after \((now - at + 500) / 1000)s"))
    }

    // MARK: Whole requests

    /// Sends the body again after a while, or gives up.
    private mutating func tryAgain(_ body: Body, _ lane: Int, _ trouble: Trouble, progressed: Bool, _ now: Int64) {
        counts.troubles[trouble.kind, default: 0] += 1
        var wait = lanes[lane].wait ?? Lane.Wait(since: now, deadline: now + settings.patience)
        if progressed { (wait.deadline, wait.pause) = (now + settings.patience, 100) }
        wait.doubtful = trouble.kind == .doubtful ? wait.doubtful + 1 : 0
        wait.busy = trouble.kind == .busy && !progressed ? wait.busy + 1 : 0
        if wait.busy >= Self.busyTries, body.count > Self.smallest, body.items.count > 1 {
            wait.busy = 0
            counts.halved += 1
            halve(body, lane)
        }
        // Not all loaders, and not all lanes, at the same moment.
        var pause = wait.pause / 2 + random.next(below: wait.pause / 2 + 1)
        pause = max(pause, Int64(min(trouble.retryAfter, 86_400)) * 1000)
        guard now + pause <= wait.deadline else {
            return act(.end(.gaveUp(milliseconds: settings.patience, reason: trouble.reason)))
        }
        wait.pause = min(wait.pause * 2, Self.longestPause)
        lanes[lane].wait = wait
        lanes[lane].state = .waiting(body, until: now + pause)
        counts.retried += body.items.count
        if announced.map({ !$0.isOpen && now - $0.at >= Self.quietMilliseconds }) ?? true {
            announced = (now, true)
            act(.say("trying again for up to \(duration(settings.patience)): \(trouble.reason)"))
        }
    }

    private mutating func makeSmaller(_ body: Body, _ lane: Int, _ reason: String, _ remember: Bool, _ now: Int64) {
        if body.items.count > 1 {
            counts.halved += 1
            halve(body, lane)
            if remember { limits.bytes = min(limits.bytes, max(1, body.count)) }
            post(body, lane, now)
        } else if refuse(body.items[0], of: body, reason) {
            passed(body, lane, now)
        }
    }

    /// A request was refused as a whole: one of its documents, or the request itself. Which is found out by halving.
    private mutating func suspect(_ body: Body, _ lane: Int, _ status: Int, _ reason: String, _ now: Int64) {
        if status == 500, lanes[lane].search == nil, (lanes[lane].wait?.doubtful ?? 0) < Self.doubtfulTries {
            return tryAgain(body, lane, Trouble(kind: .doubtful, reason: reason), progressed: false, now)
        }
        var search = lanes[lane].search ?? Lane.Search(status: status, reason: reason)
        (search.status, search.reason) = (status, reason)
        search.failures += 1
        lanes[lane].wait = nil
        if search.failures > Self.mostFailures, !search.hasPassed {
            return act(.end(.request(status: status, reason: reason)))
        }
        guard body.items.count > 1 else {
            search.suspects.append((body, reason))
            lanes[lane].search = search
            return endSearch(lane)
        }
        lanes[lane].search = search
        counts.halved += 1
        halve(body, lane)
        post(body, lane, now)
    }

    /// When every part of a request that was refused has been tried: refuses those that did not pass, or ends if none did.
    private mutating func endSearch(_ lane: Int) {
        guard let search = lanes[lane].search, lanes[lane].pieces.isEmpty else { return }
        lanes[lane].search = nil
        // A document that was a request of its own is judged by the requests before it.
        let isRequest = search.failures == 1 ? !hasPassed : !search.hasPassed
        if isRequest, !search.suspects.isEmpty {
            return act(.end(.request(status: search.status, reason: search.reason)))
        }
        for (body, reason) in search.suspects {
            guard refuse(body.items[0], of: body, reason) else { return }
            release(body)
        }
    }
}
