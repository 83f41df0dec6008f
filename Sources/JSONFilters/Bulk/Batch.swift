import Bytes

/// A bulk body that is being put together: whole items, and behind them the one that is being written.
///
/// It is put out only whole, with an empty line behind it, which no body has inside. Its buffer grows to the bytes of the
/// largest body and one item more.
struct Batch: ~Copyable {
    private var storage: UnsafeMutablePointer<UInt8>
    /// Memory in use, in bytes.
    private(set) var capacity: Int
    /// Bytes of the whole items.
    private(set) var count = 0
    /// The same with what is there of the next.
    private var filled = 0
    private(set) var items = 0

    init(capacity: Int = 64 << 10) {
        self.capacity = capacity
        storage = .allocate(capacity: capacity)
    }

    deinit { storage.deallocate() }

    /// What there is of the item that is being written. Good until the next call.
    var item: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: storage + count, count: filled - count) }
    var itemBytes: Int { filled - count }

    private mutating func reserve(_ free: Int) -> UnsafeMutablePointer<UInt8> {
        if capacity - filled < free {
            while capacity - filled < free { capacity *= 2 }
            let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
            larger.update(from: storage, count: filled)
            storage.deallocate()
            storage = larger
        }
        return storage + filled
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        UnsafeMutableRawPointer(reserve(bytes.count)).copyMemory(from: source, byteCount: bytes.count)
        filled += bytes.count
    }

    mutating func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Takes a comma off the end of the item, with the white space after it.
    mutating func dropComma() {
        var end = filled
        while end > count, storage[end - 1] <= 0x20 { end -= 1 }
        if end > count, storage[end - 1] == UInt8(ascii: ",") { filled = end - 1 }
    }

    /// Appends text as the inside of a JSON string.
    mutating func append(escaped text: UnsafeRawBufferPointer) {
        guard let address = text.baseAddress else { return }
        let target = reserve(text.count * JSONString.growth + JSONString.slack)
        let source = address.assumingMemoryBound(to: UInt8.self)
        filled += JSONString.write(source, count: text.count, readable: text.count, to: target).end - target
    }

    /// The item is whole.
    mutating func keepItem() {
        count = filled
        items += 1
    }

    /// Forgets the item that is being written.
    mutating func dropItem() { filled = count }

    /// Puts the whole items out, and begins a new body with the item that is being written.
    mutating func put(into output: inout OutputBuffer) {
        output.append(UnsafeRawBufferPointer(start: storage, count: count))
        output.append(UInt8(ascii: "\n"))
        storage.update(from: storage + count, count: itemBytes)
        (filled, count, items) = (itemBytes, 0, 0)
    }
}
