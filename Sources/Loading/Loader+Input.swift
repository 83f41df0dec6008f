public import Bytes

extension Loader {
    /// The most bytes of a batch that is read, or of a request, where the input does not say: 10 MiB, or less if so much does
    /// not go well into the memory.
    private var largest: Int { min(10 << 20, settings.memory / 4) }

    /// Takes the next lines of the input.
    public mutating func take(_ lines: Span<UInt8>, firstLine: Int, now: Moment) {
        guard inputFailure == nil, !hasEnded else { return }
        isPaused = false
        lines.withUnsafeBytes { bytes in
            var scanner = LineScanner(bytes)
            var number = firstLine
            while inputFailure == nil, let line = scanner.next() {
                take(UnsafeRawBufferPointer(rebasing: bytes[line.lowerBound...line.upperBound]), number)
                number += 1
            }
        }
        if inputFailure != nil {
            // What came before it is still good.
            distribute()
            closeAll()
        }
        pump(now.monotonicMilliseconds)
    }

    /// Takes a line, with its LF.
    private mutating func take(_ line: UnsafeRawBufferPointer, _ number: Int) {
        let isBlank = line.count == 1 || line.count == 2 && line[0] == UInt8(ascii: "\r")
        if let (action, count, actionLine) = openAction {
            if isBlank {
                inputFailure = .malformed(line: actionLine, .noDocument)
                return
            }
            staged.append(line)
            openAction = nil
            staged.keep(action, actionCount: count, line: actionLine)
        } else if isBlank {
            return endBatch()
        } else {
            guard let action = reader.read(UnsafeRawBufferPointer(rebasing: line.dropLast())) else {
                inputFailure = .malformed(line: number, .noAction)
                return
            }
            staged.append(line)
            if action.kind == .delete {
                staged.keep(action, actionCount: line.count, line: number)
            } else {
                openAction = (action, line.count, number)
                return
            }
        }
        if staged.count >= largest { distribute() }
    }

    private mutating func endBatch() {
        let (documents, bytes) = (staged.items.count, staged.count)
        guard documents > 0 else { return }
        limits.documents = hasLimits ? max(limits.documents, documents) : documents
        hasLimits = true
        largestBatch = max(largestBatch, bytes)
        distribute()
    }

    /// Gives the batch to the lanes.
    mutating func distribute() {
        let batch = staged
        guard !batch.items.isEmpty else { return }
        counts.read += batch.items.count
        counts.bytesRead += batch.count
        epochs.begin(batch.items.count)
        staged = Body(epoch: epochs.current, capacity: max(1024, min(batch.count + batch.count / 4, largest)))
        let target = nextLane
        nextLane = (nextLane + 1) % lanes.count
        if lanes.count == 1, lanes[0].filling == nil { return fill(0, with: batch) }
        for item in batch.items {
            let lane = item.target == 0 ? target : Int(truncatingIfNeeded: item.target >> 33) % lanes.count
            add(item, of: batch, to: lane)
        }
    }

    /// A whole batch for a lane that holds nothing: it need not be copied.
    private mutating func fill(_ lane: Int, with batch: Body) {
        lanes[lane].filling = batch
        batch.dropOpen()
        if batch.items.count >= limits.documents || batch.count >= requestBytes { close(lane) }
    }

    private mutating func add(_ item: LoadItem, of batch: Body, to lane: Int) {
        if let body = lanes[lane].filling, body.count + item.count > requestBytes { close(lane) }
        // Most grow to what a request holds; a very large one may do so in steps.
        let body = lanes[lane].filling ?? makeBody(capacity: min(max(requestBytes, item.count), 256 << 10))
        lanes[lane].filling = body
        body.add(item, of: batch)
        if body.items.count >= limits.documents { close(lane) }
    }

    /// What a request holds at most, in bytes: as much as the largest batch, and less than what was too large.
    private var requestBytes: Int { min(limits.bytes, hasLimits ? largestBatch : largest) }

    private mutating func close(_ lane: Int) {
        guard let body = lanes[lane].filling else { return }
        lanes[lane].filling = nil
        account(body)
        lanes[lane].close(body)
    }

    private mutating func closeAll() { for lane in lanes.indices { close(lane) } }

    /// A barrier of the input.
    public mutating func barrier(_ barrier: Barrier, line: Int, now: Moment) {
        guard inputFailure == nil, !hasEnded else { return }
        if let openAction { inputFailure = .malformed(line: openAction.line, .noDocument) }
        distribute()
        closeAll()
        switch barrier.kind {
        case .open: isOpen = true
        case .restore, .restored: break
        case .commit, .close:
            if inputFailure == nil {
                epochs.end(.init(session: barrier.session, epoch: barrier.epoch, isLast: barrier.kind == .close))
                staged = Body(epoch: epochs.current)
            }
            if barrier.kind == .close { isOpen = false }
        }
        pump(now.monotonicMilliseconds)
    }

    /// There is no more input just now.
    public mutating func pause(now: Moment) {
        isPaused = true
        pump(now.monotonicMilliseconds)
    }

    /// The input has ended.
    public mutating func endInput(now: Moment) {
        guard !inputEnded else { return }
        inputEnded = true
        if isOpen {
            // Somebody has died in the middle of what is not a whole batch.
            staged = Body(epoch: epochs.current)
        } else {
            if let openAction, inputFailure == nil { inputFailure = .malformed(line: openAction.line, .noDocument) }
            distribute()
        }
        closeAll()
        pump(now.monotonicMilliseconds)
    }
}
