/// What is read, and what standard output has taken of it.
extension ReaderSession {
    /// Whether the message at this place is to be read: it is of ours, not read yet, and not past what was asked for.
    @inline(__always)
    package mutating func admits(_ number: Int32, offset: Int64) -> Bool {
        let place = Int(number)
        guard partitions.indices.contains(place),
            let (next, end, isDone) = partitions[place].map({ ($0.next, $0.end, $0.isDone) }),
            !isDone, offset >= next, revocation == nil
        else { return false }
        if offset < end { return true }
        pass(number, to: end)
        return false
    }

    /// Whether nothing is left to read of a partition of ours.
    package func isFinished(_ number: Int32) -> Bool {
        partitions.indices.contains(Int(number)) && partitions[Int(number)]?.isDone == true
    }

    /// A message was read, and its lines are at the end of the output.
    /// - Parameters:
    ///   - earlier: lines of the same message that were read before.
    ///   - end: where they end in it.
    ///   - isWhole: false where more of it is to come, or the limit cut it short: its offset is not passed then.
    @inline(__always)
    package mutating func took(
        _ number: Int32, offset: Int64, lines: Int, after earlier: Int = 0, end: Int, isWhole: Bool = true
    ) {
        position = end
        readLines += lines
        guard isWhole else { return }
        partitions[Int(number)]?.advance(to: offset + 1)
        marks.add(number, next: offset + 1, lines: earlier + lines, end: end)
        // librdkafka may take a second to say that this was the end.
        if let state = partitions[Int(number)], offset + 1 >= state.end { finish(number) }
    }

    /// Nothing is left to read up to `next`.
    private mutating func pass(_ number: Int32, to next: Int64, isDone: Bool = true) {
        partitions[Int(number)]?.advance(to: next)
        marks.add(number, next: next, lines: 0, end: position)
        if isDone || next >= partitions[Int(number)]?.end ?? .max { finish(number) }
    }

    /// The end is told by this, not by counting: offsets are also taken up by the marks of transactions.
    mutating func takeEnd(of number: Int32, _ offset: Int64, at now: Int64) {
        times?.noteEnd(number, at: now)
        guard plan.untilEnd, revocation == nil, isOurs(number), let state = partitions[Int(number)], !state.isDone,
            offset >= state.next
        else { return }
        // What an open transaction hides is waited for: it was there when this reader began.
        guard offset >= state.end || plan.sabotage.contains(.endsAtFirstStop) else {
            let words = "an open transaction hides what comes after offset \(offset) of partition \(number)"
            return note(words, of: .partition, at: now)
        }
        pass(number, to: offset)
    }

    mutating func takeEndOfStream(_ number: Int32, _ offset: Int64, isOK: Bool, _ writer: [UInt8]?) {
        guard admits(number, offset: offset), var ends = partitions[Int(number)]?.endsRead else { return }
        ends.add(isOK: isOK, writer: writer)
        partitions[Int(number)]?.endsRead = ends
        pass(number, to: offset + 1, isDone: false)
        endMarks.append((position, number, ends))
        if let writers = plan.untilEndOfStream, ends.count >= writers {
            times?.finish(number)
            finish(number)
        }
    }

    mutating func takeWatermark(_ number: Int32, _ offset: Int64, _ record: WatermarkRecord) {
        guard admits(number, offset: offset) else { return }
        times?.take(number, record)
        pass(number, to: offset + 1, isDone: false)
    }

    /// A message was read whose highest time is this.
    @inline(__always)
    package mutating func see(_ number: Int32, _ time: Int64) { times?.see(number, time) }

    /// Lines that are no message's, state, were put at the end of the output.
    package mutating func appended(to position: Int) { self.position = position }

    mutating func accept(_ bytes: Int) {
        acceptedBytes = bytes
        while let mark = marks.next(accepted: bytes) {
            // With barriers it takes more than standard output to be done with a line.
            if ledger != nil { continue }
            partitions[Int(mark.partition)]?.accepted = mark.next
            partitions[Int(mark.partition)]?.acceptedLines += Int(mark.lines)
        }
        while let first = endMarks.first, first.end <= bytes {
            endMarks.removeFirst()
            guard isOurs(first.partition) else { continue }
            partitions[Int(first.partition)]?.ends = first.ends
            if let writers = plan.untilEndOfStream, first.ends.count <= writers {
                hasFailedWriter = hasFailedWriter || first.ends.hasFailed
            }
        }
    }
}
