import CRDKafka
import Glibc

/// A list of partitions with offsets, in librdkafka's shape; freed with the object.
final class PartitionList {
    let pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

    init(_ topic: String, _ entries: [(partition: Int32, offset: Int64)]) {
        pointer = rd_kafka_topic_partition_list_new(CInt(entries.count))
        for (partition, offset) in entries {
            rd_kafka_topic_partition_list_add(pointer, topic, partition).pointee.offset = offset
        }
    }

    init(copying list: UnsafePointer<rd_kafka_topic_partition_list_t>) {
        pointer = rd_kafka_topic_partition_list_copy(list)
    }

    deinit { rd_kafka_topic_partition_list_destroy(pointer) }

    /// Good as long as the list.
    var entries: UnsafeMutableBufferPointer<rd_kafka_topic_partition_t> {
        UnsafeMutableBufferPointer(start: pointer.pointee.elems, count: Int(pointer.pointee.cnt))
    }

    /// Attaches `metadata` to an entry; librdkafka frees it with the list.
    /// - Parameter isTerminated: with the NUL of C counted in. librdkafka 2.0.2 makes a copy of so many bytes for a
    ///   transaction, and then sends them up to the first NUL.
    func set(metadata: String, at place: Int, isTerminated: Bool = false) {
        guard !metadata.isEmpty, let copy = strdup(metadata) else { return }
        entries[place].metadata = UnsafeMutableRawPointer(copy)
        entries[place].metadata_size = metadata.utf8.count + (isTerminated ? 1 : 0)
    }
}
