import Sketches

/// Counters by number. Arrays hold no counters, which cannot be copied; references to them would cost a check at each line.
struct CounterList: ~Copyable {
    private var counters: UnsafeMutablePointer<HeavyHitters>
    private var capacity = 1
    private(set) var count = 0
    /// What each of them held when it was noted, and all of them together, in bytes.
    private var sizes: [Int] = []
    private(set) var memory = 0

    init() { counters = .allocate(capacity: 1) }

    deinit {
        counters.deinitialize(count: count)
        counters.deallocate()
    }

    mutating func append(_ counter: consuming HeavyHitters) {
        if count == capacity {
            let larger = UnsafeMutablePointer<HeavyHitters>.allocate(capacity: 2 * capacity)
            larger.moveInitialize(from: counters, count: count)
            counters.deallocate()
            (counters, capacity) = (larger, 2 * capacity)
        }
        (counters + count).initialize(to: counter)
        count += 1
        sizes.append(0)
        noteMemory(of: count - 1)
    }

    subscript(index: Int) -> HeavyHitters {
        @inline(__always) _read {
            precondition(index >= 0 && index < count)
            yield counters[index]
        }
        @inline(__always) _modify {
            precondition(index >= 0 && index < count)
            yield &counters[index]
        }
    }

    /// Takes note of how much a counter holds, which has changed.
    mutating func noteMemory(of index: Int) {
        let size = self[index].memory
        memory += size - sizes[index]
        sizes[index] = size
    }
}
