import Bytes
import JSONFilters

/// One action line and its document in a body.
public struct LoadItem: Equatable, Sendable {
    /// Where its lines lie in the body.
    var start: Int
    /// Bytes of both lines, each with its LF.
    var count: Int
    /// Bytes of the action line, with its LF.
    var actionCount: Int
    /// The number of the action line in the input.
    var line: Int
    /// Which document it is about; 0: a new one.
    var target: UInt64
    var kind: BulkAction
    var isExternal: Bool
}

/// A bulk body: the bytes of one request, and what lies where in them.
///
/// Whole items, and after them perhaps the beginning of the next. A body belongs to one lane; while it is posted nobody
/// changes it, so that its bytes may be read where they lie.
public final class Body {
    private var storage: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    /// Bytes of the whole items.
    public private(set) var count = 0
    /// The same with what is there of the next.
    private var filled = 0
    public private(set) var items: [LoadItem] = []
    /// Which epoch its documents are of.
    private(set) var epoch: Int
    /// How much of the memory has been put down to it.
    var accounted = 0

    init(epoch: Int, capacity: Int = 1024, documents: Int = 0) {
        self.epoch = epoch
        self.capacity = capacity
        items.reserveCapacity(documents)
        storage = .allocate(capacity: capacity)
    }

    deinit { storage.deallocate() }

    /// Begins anew, with the memory that it has.
    func reuse(epoch: Int) {
        items.removeAll(keepingCapacity: true)
        (self.epoch, count, filled) = (epoch, 0, 0)
    }

    /// The bytes to be posted. Good until the body is changed.
    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: storage, count: count) }

    /// Memory in use, in bytes.
    var size: Int { capacity + items.capacity * MemoryLayout<LoadItem>.stride }

    /// Adds bytes to the item that is being written.
    func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        if capacity - filled < bytes.count { grow(to: filled + bytes.count) }
        UnsafeMutableRawPointer(storage + filled).copyMemory(from: source, byteCount: bytes.count)
        filled += bytes.count
    }

    private func grow(to least: Int) {
        capacity = max(least, capacity * 2)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        larger.update(from: storage, count: filled)
        storage.deallocate()
        storage = larger
    }

    /// The item that is being written is whole.
    func keep(_ action: BulkActionReader.Action, actionCount: Int, line: Int) {
        items.append(
            LoadItem(
                start: count, count: filled - count, actionCount: actionCount, line: line, target: action.target,
                kind: action.kind, isExternal: action.isExternal))
        count = filled
    }

    /// Forgets the item that is being written.
    func dropOpen() { filled = count }

    /// Adds an item of another body.
    func add(_ item: LoadItem, of other: Body) {
        append(UnsafeRawBufferPointer(rebasing: other.bytes[item.start..<item.start + item.count]))
        var item = item
        item.start = count
        items.append(item)
        count = filled
    }

    /// Keeps only the items at these positions, which rise.
    func keepOnly(_ positions: [Int]) {
        var kept: [LoadItem] = []
        kept.reserveCapacity(positions.count)
        var end = 0
        for position in positions {
            var item = items[position]
            // To the front, over what is no longer needed: never past where it lies.
            if end < item.start { (storage + end).update(from: storage + item.start, count: item.count) }
            item.start = end
            end += item.count
            kept.append(item)
        }
        items = kept
        (count, filled) = (end, end)
    }

    /// Takes the second half of the items off.
    func split() -> Body {
        let half = (items.count + 1) / 2
        let rest = Body(epoch: epoch)
        for item in items[half...] { rest.add(item, of: self) }
        keepOnly(Array(0..<half))
        return rest
    }

    /// The action line of an item, without its LF.
    func action(of item: LoadItem) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[item.start..<item.start + item.actionCount - 1])
    }

    /// The document without its LF; of an item that has none the action line.
    func document(of item: LoadItem) -> UnsafeRawBufferPointer {
        if item.actionCount == item.count { return action(of: item) }
        return UnsafeRawBufferPointer(
            rebasing: bytes[item.start + item.actionCount..<item.start + item.count - 1])
    }
}
