import CSimdjson

/// Finds values in JSON lines, chunk by chunk.
struct JSONLines: ~Copyable {
    let handle: OpaquePointer

    init(strict: Bool) {
        guard let handle = jsonlines_create(strict) else { fatalError("out of memory") }
        self.handle = handle
    }

    deinit { jsonlines_destroy(handle) }

    /// Wants the value to which the names lead. Returns its number among the values.
    func want(_ names: some Sequence<[UInt8]>) -> Int {
        var place: CInt = 0
        for name in names {
            place = name.withUnsafeBufferPointer { jsonlines_place(handle, place, $0.baseAddress, $0.count) }
            if place < 0 { fatalError("out of memory") }
        }
        let value = jsonlines_want(handle, place)
        if value < 0 { fatalError("out of memory") }
        return Int(value)
    }

    /// Of the line or element walked last.
    @inline(__always)
    var values: UnsafePointer<jsonlines_value> { jsonlines_values(handle) }

    /// The line walked last, without its LF.
    var line: UnsafeRawBufferPointer { jsonlines_line(handle).bytes }
}

extension jsonlines_value {
    /// As it is written; of a string what is between its quotes.
    @inline(__always)
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }
}
