import CRDKafka
import ToolRuntime

/// What the librdkafka that was found at run time cannot do.
enum LibraryVersion {
    /// 0x020a00ff is 2.10.0.
    private static var number: CInt { rd_kafka_version() }

    /// From 2.10.0 on up to 2.16.1 at least, `rd_kafka_send_offsets_to_transaction` may wait for ever for a coordinator that has
    /// gone (librdkafka issues 5511 and 5456).
    static var mayHangInTransactions: Bool { number >= 0x020a_0000 }

    /// From 2.2.0 on it can be said how long a partition rests whose queue was full (`fetch.queue.backoff.ms`); a second is much.
    static var hasQueueBackoff: Bool { number >= 0x0202_0000 }

    /// Says in one line what was asked for and cannot be done.
    static func warn(_ tool: String, of settings: Settings) {
        let mechanism = settings.value(of: "sasl.mechanisms") ?? settings.value(of: "sasl.mechanism")
        guard mechanism?.uppercased().hasPrefix("SCRAM") == true, number < 0x0206_0100 else { return }
        let version = String(cString: rd_kafka_version_str())
        Descriptor.standardError.writeIgnoringErrors(
            "\(tool): librdkafka \(version) cannot log in by SCRAM at Apache Kafka 3.8.1 or newer: 2.6.1 can\n")
    }
}
