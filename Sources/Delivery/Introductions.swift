/// Which partitions know a producer.
///
/// A broker that has nothing of a producer takes any of its batches for the first: also one that comes after a first that
/// was refused, which would so be overtaken. From the second on it takes them only in a row. So the first message to each
/// partition is waited for before a second follows.
package struct Introductions: Equatable {
    private enum State { case stranger, underWay, known }

    private var states: [State]
    private var unknown: Int

    package init(partitions: Int) { (states, unknown) = (Array(repeating: .stranger, count: partitions), partitions) }

    package var areDone: Bool { unknown == 0 }
    package var areUnderWay: Bool { !areDone && states.contains(.underWay) }
    /// A partition that has been sent nothing.
    package var stranger: Int32? { areDone ? nil : states.firstIndex(of: .stranger).map { Int32($0) } }

    package func isStranger(_ partition: Int32) -> Bool {
        states.indices.contains(Int(partition)) && states[Int(partition)] == .stranger
    }

    /// The first message to a stranger leaves.
    package mutating func begin(_ partition: Int32) { if isStranger(partition) { states[Int(partition)] = .underWay } }

    /// All that was under way has been taken.
    package mutating func complete() {
        for place in states.indices where states[place] == .underWay {
            (states[place], unknown) = (.known, unknown - 1)
        }
    }
}
