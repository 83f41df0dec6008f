import CRDKafka

extension Client {
    /// Puts a copy of one message into the queue, which may be full.
    /// - Parameters:
    ///   - timestamp: milliseconds since the Unix epoch, not 0, which librdkafka takes for now; nil: now.
    ///   - number: what its report tells.
    func produce(
        _ topic: OpaquePointer, _ value: UnsafeRawBufferPointer, _ key: UnsafeRawBufferPointer?, _ partition: Int32,
        _ timestamp: Int64?, _ headers: [Header], _ number: Int
    ) -> rd_kafka_resp_err_t {
        var parts: [rd_kafka_vu_t] = []
        func add(_ type: rd_kafka_vtype_t, _ fill: (inout rd_kafka_vu_t) -> Void) {
            var part = rd_kafka_vu_t()
            part.vtype = type
            fill(&part)
            parts.append(part)
        }
        func memory(_ bytes: UnsafeRawBufferPointer, in part: inout rd_kafka_vu_t) {
            // An empty value is not a missing one: it needs an address.
            part.u.mem.ptr = UnsafeMutableRawPointer(mutating: bytes.baseAddress) ?? UnsafeMutableRawPointer(topic)
            part.u.mem.size = bytes.count
        }
        let list = headers.isEmpty ? nil : Header.list(headers)
        add(RD_KAFKA_VTYPE_RKT) { $0.u.rkt = topic }
        add(RD_KAFKA_VTYPE_PARTITION) { $0.u.i32 = partition }
        add(RD_KAFKA_VTYPE_MSGFLAGS) { $0.u.i = RD_KAFKA_MSG_F_COPY }
        add(RD_KAFKA_VTYPE_VALUE) { memory(value, in: &$0) }
        if let key { add(RD_KAFKA_VTYPE_KEY) { memory(key, in: &$0) } }
        if let timestamp { add(RD_KAFKA_VTYPE_TIMESTAMP) { $0.u.i64 = timestamp } }
        if let list { add(RD_KAFKA_VTYPE_HEADERS) { $0.u.headers = list } }
        add(RD_KAFKA_VTYPE_OPAQUE) { $0.u.ptr = UnsafeMutableRawPointer(bitPattern: number) }
        guard let error = rd_kafka_produceva(handle, parts, parts.count) else {
            return RD_KAFKA_RESP_ERR_NO_ERROR
        }
        defer { rd_kafka_error_destroy(error) }
        if let list { rd_kafka_headers_destroy(list) }  // only success hands them over
        return rd_kafka_error_code(error)
    }
}
