/// The numbers of lines that rise and need not be in a row, in about a byte each.
package struct LineNumbers: Equatable, Sendable {
    private let first: Int
    private var last: Int
    /// How much higher each is than the one before it; 0: by as much as the next eight bytes say, the lowest first.
    private var steps: [UInt8] = []

    /// - Parameter capacity: how many it may hold without an allocation more.
    package init(first: Int, capacity: Int = 0) {
        (self.first, last) = (first, first)
        steps.reserveCapacity(capacity)
    }

    /// - Precondition: it is higher than the last.
    @inline(__always)
    package mutating func append(_ number: Int) {
        let step = number - last
        precondition(step > 0)
        last = number
        if step < 256 { steps.append(UInt8(step)) } else { append(step: step) }
    }

    private mutating func append(step: Int) {
        steps.append(0)
        for shift in stride(from: 0, to: 64, by: 8) { steps.append(UInt8(truncatingIfNeeded: step >> shift)) }
    }

    /// What it holds in memory, about.
    package var byteCount: Int { 64 + steps.count }

    package var all: [Int] {
        var (numbers, at) = ([first], 0)
        var number = first
        while at < steps.count {
            if steps[at] > 0 {
                number += Int(steps[at])
                at += 1
            } else {
                number += steps[(at + 1)...(at + 8)].reversed().reduce(0) { $0 << 8 | Int($1) }
                at += 9
            }
            numbers.append(number)
        }
        return numbers
    }
}
