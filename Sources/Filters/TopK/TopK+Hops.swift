import Bytes
import Sketches

/// Hopping windows: the sum of the panes of a window.
///
/// While all is exact and the memory holds it, the sum is a running one: the newest pane is added, the oldest taken away,
/// and a line for a pane that is in it already is added to both. Otherwise each window's panes are summed anew, in the
/// share of the memory that a counter has, evicting what does not fit.
struct HopSum: ~Copyable {
    /// The sum of all open panes that a window has had which was put out; if it is in use.
    var running: RunningSum
    var isInUse = true
    /// Windows until it is tried once more.
    private(set) var rest = 0
    /// Whether a count of 0 was seen: the running sum cannot tell such a key from none.
    private var hasZeros = false
    private static let longestRest = 16

    init(seed: UInt64) { running = RunningSum(seed: seed) }

    mutating func sees(_ count: Int64) {
        guard count == 0, !hasZeros else { return }
        hasZeros = true
        giveUp()
    }

    mutating func giveUp() {
        running.reset()
        (isInUse, rest) = (false, Self.longestRest)
    }

    mutating func begin() {
        running.reset()
        isInUse = !hasZeros
    }

    /// Whether the time has come to sum up all panes once more.
    mutating func wantsToBegin() -> Bool {
        guard !isInUse, !hasZeros else { return false }
        rest -= 1
        return rest <= 0
    }
}

extension TopK {
    private var limitOfSum: Int { settings.memory - panes.memory }

    /// Puts out a hopping window.
    mutating func putHop(
        _ window: WindowClock.Window, _ label: [UInt8], _ output: inout Output
    ) throws(MalformedLine<Problem>) {
        if let newest = window.newest {
            try settleForHop(newest)
            if hops.isInUse { addToRunning(newest, sign: 1) }
        }
        if hops.wantsToBegin() { try beginRunning(window) }
        if hops.isInUse {
            report.put(&hops.running, label: label, memory: heldBytes, &output.lines)
            if let finished = window.finished {
                try settleForHop(finished)
                if hops.isInUse { addToRunning(finished, sign: -1) }
            }
        } else {
            for slot in slots(of: window) { try addToSum(slot) }
            try put(nil, label: label, &output)
        }
        if let finished = window.finished { clear(finished) }
    }

    private func slots(of window: WindowClock.Window) -> [Int] {
        var slots = window.finished.map { [$0] } ?? []
        clock.slotsOfLastWindow { slots.append($0) }
        return slots
    }

    private mutating func settleForHop(_ slot: Int) throws(MalformedLine<Problem>) {
        do { try settle(slot) } catch { throw MalformedLine(number: error.line ?? lastLine, problem: .overflow) }
    }

    private mutating func addToRunning(_ slot: Int, sign: Int64) {
        guard panes[slot].isExact, hops.running.add(panes[slot], sign: sign, limit: limitOfSum) else {
            return hops.giveUp()
        }
    }

    private mutating func beginRunning(_ window: WindowClock.Window) throws(MalformedLine<Problem>) {
        hops.begin()
        for slot in slots(of: window) where hops.isInUse {
            try settleForHop(slot)
            addToRunning(slot, sign: 1)
        }
    }

    /// A line for a pane that the running sum has.
    mutating func addToHops(_ entry: TopKEntry, in slot: Int) {
        hops.sees(entry.count)
        guard hops.isInUse, clock.isPartlyOut(slot) else { return }
        switch entry.key {
        case .data(let key), .passing(let key):
            // A total takes the place of another; which is not known here.
            if settings.readsTotals || !hops.running.add(key, count: entry.count, limit: limitOfSum) { hops.giveUp() }
        case .cell: hops.giveUp()
        }
    }
}
