/// The panes that have lines and a window that is open, by number, each with a slot: a small number that no other open pane
/// has. Slots are handed out again.
///
/// - Cost: panes come and go at the two ends at no cost that grows. In the middle one is found by binary search, and put in
///   by moving the later ones.
struct OpenPanes: Sendable {
    private struct Pane {
        let number: Int64
        let slot: Int
    }

    /// By number, from `head` on.
    private var panes: [Pane] = []
    private var head = 0
    /// By slot: the pane's number.
    private var numbers: [Int64] = []
    private var freeSlots: [Int] = []

    var count: Int { panes.count - head }
    var first: Int64? { head < panes.count ? panes[head].number : nil }
    var last: Int64? { head < panes.count ? panes[panes.count - 1].number : nil }

    /// The place of the first pane that is not below `number`.
    private func place(of number: Int64) -> Int {
        if head == panes.count || panes[panes.count - 1].number < number { return panes.count }
        var (low, high) = (head, panes.count)
        while low < high {
            let middle = (low + high) / 2
            if panes[middle].number < number { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The slot of a pane that is open.
    func slot(of number: Int64) -> Int? {
        let place = place(of: number)
        return place < panes.count && panes[place].number == number ? panes[place].slot : nil
    }

    func pane(of slot: Int) -> Int64? { slot < numbers.count ? numbers[slot] : nil }

    /// The slot of a pane, which is open from now on.
    mutating func slot(opening number: Int64) -> Int {
        let place = place(of: number)
        if place < panes.count, panes[place].number == number { return panes[place].slot }
        if freeSlots.isEmpty {
            freeSlots.append(numbers.count)
            numbers.append(number)
        }
        let slot = freeSlots.removeLast()
        numbers[slot] = number
        panes.insert(Pane(number: number, slot: slot), at: place)
        return slot
    }

    /// Closes the first pane, which there is, and returns its slot.
    mutating func removeFirst() -> Int {
        let slot = panes[head].slot
        freeSlots.append(slot)
        head += 1
        if head > 32, 2 * head > panes.count {
            panes.removeFirst(head)
            head = 0
        }
        return slot
    }

    func forEach(below number: Int64, _ body: (Int) -> Void) {
        for pane in panes[head...] {
            if pane.number >= number { return }
            body(pane.slot)
        }
    }
}
