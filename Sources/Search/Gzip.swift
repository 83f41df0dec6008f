import CCurl
import ToolRuntime

/// Compresses one body after the other, fast rather than small.
final class Gzip {
    private var stream = z_stream()
    private var isOpen = false
    private var storage = UnsafeMutableRawBufferPointer(start: nil, count: 0)

    deinit {
        storage.deallocate()
        if isOpen { deflateEnd(&stream) }
    }

    /// The bytes in the form of gzip (RFC 1952). Good until the next call.
    func compress(_ bytes: UnsafeRawBufferPointer) throws(Failure) -> UnsafeRawBufferPointer {
        if !isOpen {
            // 15 bits of window, and 16 for gzip's header.
            let code = deflateInit2_(
                &stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size))
            guard code == Z_OK else { throw Failure(.internalError, "out of memory") }
            isOpen = true
        }
        deflateReset(&stream)
        let most = Int(deflateBound(&stream, UInt(bytes.count)))
        if storage.count < most {
            storage.deallocate()
            storage = .allocate(byteCount: most, alignment: 16)
        }
        // zlib reads what next_in points to and does not write there. A body has fewer than 4 GiB: --memory says so.
        stream.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.avail_in = UInt32(bytes.count)
        stream.next_out = storage.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.avail_out = UInt32(most)
        guard deflate(&stream, Z_FINISH) == Z_STREAM_END else { throw Failure(.internalError, "zlib fails") }
        return UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(storage)[..<Int(stream.total_out)])
    }
}
