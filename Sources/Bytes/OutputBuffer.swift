/// Bytes on their way out: filters append, the drain takes them in large pieces.
///
/// Only `capacity` bytes are held, unless one `reserve` asks for more; the drain gets the bytes in the order in which
/// they were appended. A drain that fails keeps the failure to itself (its owner asks for it) and swallows the rest.
public struct OutputBuffer: ~Copyable {
    public typealias Drain = (UnsafeRawBufferPointer) -> Void

    private let drain: Drain
    @usableFromInline var storage: UnsafeMutablePointer<UInt8>
    @usableFromInline var capacity: Int
    /// Bytes held and not yet drained.
    public private(set) var count = 0

    /// - Parameter capacity: in bytes; how much is collected before the drain is called.
    public init(capacity: Int = 256 << 10, drain: @escaping Drain) {
        self.drain = drain
        self.capacity = capacity
        storage = .allocate(capacity: capacity)
    }

    deinit { storage.deallocate() }

    public var isEmpty: Bool { count == 0 }

    /// Hands all that is held to the drain.
    public mutating func flush() {
        guard count > 0 else { return }
        drain(UnsafeRawBufferPointer(start: storage, count: count))
        count = 0
    }

    /// Room for `free` more bytes behind what is held. Write there, then `commit` what was written.
    ///
    /// The pointer is good until the next call of a method of this buffer.
    @inline(never)
    public mutating func reserve(_ free: Int) -> UnsafeMutablePointer<UInt8> {
        if capacity - count < free {
            flush()
            if capacity < free {
                storage.deallocate()
                capacity = free
                storage = .allocate(capacity: capacity)
            }
        }
        return storage + count
    }

    /// Declares that `written` bytes of the last `reserve` hold output.
    public mutating func commit(_ written: Int) {
        precondition(written >= 0 && written <= capacity - count)
        count += written
    }

    public mutating func append(_ byte: UInt8) {
        reserve(1).pointee = byte
        count += 1
    }

    public mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        if bytes.count > capacity - count {
            flush()
            // A piece that would fill the buffer goes straight through: it need not be copied.
            if bytes.count >= capacity { return drain(bytes) }
        }
        UnsafeMutableRawPointer(storage + count).copyMemory(from: source, byteCount: bytes.count)
        count += bytes.count
    }

    public mutating func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    public mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    /// Appends `number` in decimal.
    public mutating func append(decimal number: Int64) {
        let written = Decimal.write(number, to: reserve(Decimal.longest))
        count += written
    }
}
