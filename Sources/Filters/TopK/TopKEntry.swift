import Bytes
import Sketches

/// A line, read: what is to be counted, and when it was.
struct TopKEntry {
    enum Key {
        case data(UnsafeRawBufferPointer)
        /// A key that is good only until the next line is read.
        case passing(UnsafeRawBufferPointer)
        case cell(row: Int, column: Int)
    }

    var key: Key
    var count: Int64
    /// Milliseconds since the Unix epoch; 0 where there is no time field.
    var time: Int64 = 0
}

extension TopK {
    public enum Problem: LineProblem {
        case count(CountLine.Problem)
        case negative(Int64)
        case time(TimeField.Problem)
        case partials(CellKey.Problem)
        case overflow
        /// More open windows than the memory holds.
        case windows(open: Int)
        /// Windows that are kept over barriers would be lost in a restart.
        case noState

        public var description: String {
            switch self {
            case .count(let problem): problem.description
            case .negative(let count): "count is negative: \(count)"
            case .time(let problem): problem.description
            case .partials(let problem): problem.description
            case .overflow: "the sum of counts passes 64 bits"
            case .windows(let open): "the \(open) open windows do not fit into --memory: give more"
            case .noState: "--window-field keeps windows over barriers: kcat-in needs --restore"
            }
        }
    }

    /// Takes the line that `line`, without its LF, names in `lines` to pieces.
    mutating func read(_ lines: UnsafeRawBufferPointer, _ line: Range<Int>) throws(Problem) -> TopKEntry {
        var count: Int64 = 1
        var keyEnd = line.upperBound
        if settings.readsCounts {
            do throws(CountLine.Problem) {
                let parts = try CountLine(lines, line)
                (keyEnd, count) = (parts.keyEnd, parts.count)
            } catch { throw .count(error) }
            guard count >= 0 else { throw .negative(count) }
        }
        var key = UnsafeRawBufferPointer(rebasing: lines[line.lowerBound..<keyEnd])
        var entry = TopKEntry(key: .data(key), count: count)
        if readsTimes {
            do throws(TimeField.Problem) {
                let whole = key
                (entry.time, key) = try times.take(from: whole)
                entry.key = Self.lies(key, in: whole) ? .data(key) : .passing(key)
            } catch { throw .time(error) }
        }
        if settings.readsCounts, CellKey.isReserved(key) {
            do throws(CellKey.Problem) {
                switch try cells.meaning(of: key) {
                case .cell(let row, let column): entry.key = .cell(row: row, column: column)
                case .data(let start): entry.key = .passing(UnsafeRawBufferPointer(rebasing: key[start...]))
                }
            } catch { throw .partials(error) }
        }
        return entry
    }

    private static func lies(_ part: UnsafeRawBufferPointer, in whole: UnsafeRawBufferPointer) -> Bool {
        guard let start = part.baseAddress, let base = whole.baseAddress else { return true }  // without bytes anywhere
        return start >= base && start <= base + whole.count
    }

    /// Counts what was read from the last line.
    /// - Parameter end: of the chunk in which the line lies.
    @inline(__always)
    mutating func add(_ entry: TopKEntry, to slot: Int, end: UnsafeRawPointer) throws(MalformedLine<Problem>) {
        if sumsPanes { addToHops(entry, in: slot) }
        if settings.readsTotals { return try replace(entry, in: slot) }
        do throws(CountOverflow) {
            switch entry.key {
            case .data(let key):
                if panes[slot].isSettled { unsettled.append(slot) }
                let readable = key.baseAddress.map { end - $0 } ?? 0
                try panes[slot].stage(key, count: entry.count, line: lastLine, readable: readable)
            case .passing(let key):
                try panes[slot].stage(key, count: entry.count, line: lastLine, readable: key.count)
                try panes[slot].settle()
            case .cell(let row, let column): try panes[slot].add(entry.count, row: row, column: column)
            }
        } catch { throw MalformedLine(number: error.line ?? lastLine, problem: .overflow) }
    }

    /// Takes the total that was read from the last line in the place of an earlier one.
    private mutating func replace(_ entry: TopKEntry, in slot: Int) throws(MalformedLine<Problem>) {
        let fits =
            switch entry.key {
            case .data(let key), .passing(let key): panes[slot].replace(key, count: entry.count)
            case .cell(let row, let column): panes[slot].replace(row: row, column: column, count: entry.count)
            }
        panes.noteMemory(of: slot)
        if !fits { throw MalformedLine(number: lastLine, problem: .windows(open: clock.paneCount)) }
    }

    /// Counts what is still on its way in: the lines are about to go, or an error is to come in its turn.
    mutating func settle() throws(MalformedLine<Problem>) {
        for slot in unsettled {
            do { try settle(slot) } catch { throw MalformedLine(number: error.line ?? lastLine, problem: .overflow) }
        }
        unsettled.removeAll(keepingCapacity: true)
    }

    mutating func settle(_ slot: Int) throws(CountOverflow) {
        try panes[slot].settle()
        panes.noteMemory(of: slot)
    }
}
