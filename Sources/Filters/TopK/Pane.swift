import Bytes
import Sketches

/// What is counted in one pane. A class, since arrays hold no counters, which cannot be copied.
final class Pane {
    var counter: HeavyHitters

    init(_ plan: MemoryPlan, seed: UInt64) { counter = HeavyHitters(plan, seed: seed) }
}

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

        public var description: String {
            switch self {
            case .count(let problem): problem.description
            case .negative(let count): "count is negative: \(count)"
            case .time(let problem): problem.description
            case .partials(let problem): problem.description
            case .overflow: "the sum of counts passes 64 bits"
            }
        }
    }

    /// Takes a line, without its LF, to pieces.
    mutating func read(_ line: UnsafeRawBufferPointer) throws(Problem) -> TopKEntry {
        var entry = TopKEntry(key: .data(line), count: 1)
        var key = line
        if settings.readsCounts {
            do throws(CountLine.Problem) {
                let parts = try CountLine(line, 0..<line.count)
                entry.count = parts.count
                key = UnsafeRawBufferPointer(rebasing: line[..<parts.keyEnd])
            } catch { throw .count(error) }
            guard entry.count >= 0 else { throw .negative(entry.count) }
        }
        entry.key = .data(key)
        if timeField != nil {
            do throws(TimeField.Problem) {
                let whole = key
                (entry.time, key) = try timeField!.take(from: whole)
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

    /// Counts what was read from a line.
    func add(_ entry: TopKEntry, line: Int, to pane: Pane) throws(MalformedLine<Problem>) {
        do throws(CountOverflow) {
            switch entry.key {
            case .data(let key): try pane.counter.stage(key, count: entry.count, line: line)
            case .passing(let key):
                try pane.counter.stage(key, count: entry.count, line: line)
                try pane.counter.settle()
            case .cell(let row, let column): try pane.counter.add(entry.count, row: row, column: column)
            }
        } catch { throw MalformedLine(number: error.line ?? line, problem: .overflow) }
    }

    /// Counts what is still on its way in: the lines are about to go, or an error is to come in its turn.
    func settle() throws(MalformedLine<Problem>) {
        for pane in panes {
            do { try pane.counter.settle() } catch {
                throw MalformedLine(number: error.line ?? lastLine, problem: .overflow)
            }
        }
    }

    func refuse(
        _ line: UnsafeRawBufferPointer, _ number: Int, _ problem: Problem, _ output: inout Output
    ) throws(MalformedLine<Problem>) {
        try settle()
        try output.reject(line, number: number, problem)
    }
}
