import CRDKafka
import Glibc
import ToolRuntime

/// Where reading a partition begins, as `-o` says it.
public enum StartOffset: Equatable, Sendable {
    case beginning
    case end
    /// What the group has committed; where it has not, the beginning.
    case stored
    case offset(Int64)
    /// So many offsets before the end.
    case fromEnd(Int64)
    /// The first message with this timestamp or a later one; milliseconds since the Unix epoch.
    case time(Int64)

    /// `beginning`, `end`, `stored`, `N`, `-N` or `@TIME`; nil for anything else.
    public init?(_ text: String) {
        switch text {
        case "beginning": self = .beginning
        case "end": self = .end
        case "stored": self = .stored
        default:
            if text.hasPrefix("@") {
                guard let time = Int64(text.dropFirst()), time >= 0 else { return nil }
                self = .time(time)
            } else {
                guard !text.hasPrefix("+"), let number = Int64(text) else { return nil }
                self = text.hasPrefix("-") ? .fromEnd(-number) : .offset(number)
            }
        }
    }
}

extension Client {
    /// What `start` means for partitions of `topic`: offsets, or librdkafka's logical ones.
    func offsets(
        _ start: StartOffset, topic: String, partitions: [Int32], milliseconds: CInt = 10_000
    ) throws(Failure) -> [Int64] {
        switch start {
        case .beginning, .stored: return partitions.map { _ in Int64(RD_KAFKA_OFFSET_BEGINNING) }
        case .offset(let offset): return partitions.map { _ in offset }
        case .end:
            var ends: [Int64] = []
            for partition in partitions { ends.append(try watermarks(topic, partition, milliseconds).high) }
            return ends
        case .fromEnd(let count):
            var starts: [Int64] = []
            for partition in partitions {
                let (low, high) = try watermarks(topic, partition, milliseconds)
                starts.append(max(low, high - count))
            }
            return starts
        case .time(let time):
            let list = PartitionList(topic, partitions.map { ($0, time) })
            let code = rd_kafka_offsets_for_times(handle, list.pointer, milliseconds)
            if code != RD_KAFKA_RESP_ERR_NO_ERROR { throw .kafka("cannot look up offsets by time", code) }
            // A time behind the last message gives the end.
            return list.entries.map { $0.offset }
        }
    }

    /// The first offset that is there, and the one behind the last that a reader of committed messages may see.
    func watermarks(
        _ topic: String, _ partition: Int32, _ milliseconds: CInt = 10_000
    ) throws(Failure) -> (low: Int64, high: Int64) {
        var (low, high): (Int64, Int64) = (0, 0)
        let code = rd_kafka_query_watermark_offsets(handle, topic, partition, &low, &high, milliseconds)
        if code != RD_KAFKA_RESP_ERR_NO_ERROR { throw .kafka("cannot look up the end of partition \(partition)", code) }
        return (low, high)
    }
}

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

    var entries: UnsafeMutableBufferPointer<rd_kafka_topic_partition_t> {
        UnsafeMutableBufferPointer(start: pointer.pointee.elems, count: Int(pointer.pointee.cnt))
    }

    /// Attaches `metadata` to an entry; librdkafka frees it with the list.
    func set(metadata: String, at place: Int) {
        guard !metadata.isEmpty, let copy = strdup(metadata) else { return }
        entries[place].metadata = UnsafeMutableRawPointer(copy)
        entries[place].metadata_size = metadata.utf8.count
    }
}
