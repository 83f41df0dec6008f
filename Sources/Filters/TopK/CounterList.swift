import Sketches

/// Counters by number. Arrays hold no counters, which cannot be copied; references to them would cost a check at each line.
struct CounterList: ~Copyable {
    private var counters: UnsafeMutablePointer<HeavyHitters>
    private var capacity = 1
    private(set) var count = 0

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

    /// What all of them hold, in bytes.
    var memory: Int { (0..<count).reduce(0) { $0 + counters[$1].memory } }
}
