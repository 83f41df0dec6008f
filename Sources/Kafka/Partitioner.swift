import CRDKafka

/// How librdkafka finds the partition of a key: its property `partitioner`.
struct Partitioner {
    private typealias Function =
        @convention(c) (
            OpaquePointer?, UnsafeRawPointer?, Int, Int32, UnsafeMutableRawPointer?, UnsafeMutableRawPointer?
        ) -> Int32
    /// nil: chosen by chance.
    private let function: Function?
    /// Whether a key of no bytes is as good as none.
    private let skipsEmpty: Bool

    init(_ name: String) {
        skipsEmpty = name == "consistent_random"
        function =
            switch name {
            case "murmur2", "murmur2_random": rd_kafka_msg_partitioner_murmur2
            case "consistent", "consistent_random": rd_kafka_msg_partitioner_consistent
            case "fnv1a", "fnv1a_random": rd_kafka_msg_partitioner_fnv1a
            default: nil
            }
    }

    /// - Parameter count: how many partitions the topic has.
    /// - Returns: nil: any.
    func partition(of key: UnsafeRawBufferPointer, _ topic: OpaquePointer, _ count: Int32) -> Int32? {
        if skipsEmpty, key.isEmpty { return nil }
        return function?(topic, key.baseAddress, key.count, count, nil, nil)
    }
}
