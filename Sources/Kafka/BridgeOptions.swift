import Bytes
import Glibc
public import ToolRuntime

/// The options that both bridges have.
public enum BridgeOptions {
    public static let brokers = Option.text(
        "brokers", "b", "LIST", help: "The brokers to begin with, HOST:PORT,…; default: the variable KAFKA_BROKERS.")
    public static let topic = Option.text("topic", "t", "NAME", help: "The topic.")
    public static let properties = Option.list(
        "property", "X", "NAME=VALUE", help: "Set a property of librdkafka; may be given several times.")
    public static let propertyFile = Option.file(
        "properties", "F", help: "Read properties of librdkafka from FILE, one NAME=VALUE a line: for secrets.")
    public static let progress = Option.flag(
        "progress", help: "Show rate and progress on standard error when it is a terminal.")
    public static let patience = Option.duration(
        "patience", default: 300_000,
        help: "How long to wait while brokers cannot be reached, move or restart (5m).")
    public static let all: [any OptionRow] = [
        brokers, topic, properties, propertyFile, patience, CommonOptions.summary, progress, Statistics.option,
    ]

    public static let exitStatus = """
        0 all read, written and acknowledged; 64 usage; 65 malformed data; 66 cannot open an input file; 69 broker or topic \
        unavailable, or not delivered in time; 70 internal error; 74 read or write failed; 75 try again; 77 not permitted; \
        78 properties refused. A signal kills the tool by that signal.
        """

    /// The fields that `--with` takes.
    public static func with(help: String) -> Option<[MessageField]> {
        Option(
            "with", nil, "FIELD,...", default: [],
            expected: "fields of key, partition, offset, timestamp, headers, each once",
            help: help, parse: MessageField.list)
    }

    /// Of the command line: the properties.
    public static func settings(_ arguments: Arguments) throws(Failure) -> Settings {
        var settings = Settings()
        if let path = arguments[propertyFile] {
            try settings.add(contentsOf: path, InputFile.read(path))
        }
        for property in arguments[properties] { try settings.add(property) }
        if let brokers = arguments[brokers] {
            try settings.add("bootstrap.servers=\(brokers)")
        } else if settings.value(of: "bootstrap.servers") == nil, let brokers = getenv("KAFKA_BROKERS"), brokers[0] != 0
        {
            try settings.add("bootstrap.servers=\(String(cString: brokers))")
        }
        guard settings.value(of: "bootstrap.servers")?.isEmpty == false else {
            throw Failure(.usage, "no brokers: give -b HOST:PORT or set KAFKA_BROKERS")
        }
        return settings
    }

    public static func topicName(_ arguments: Arguments) throws(Failure) -> String {
        guard let name = arguments[topic], !name.isEmpty else { throw Failure(.usage, "no topic: give -t NAME") }
        return name
    }
}
