import CBytes
import Search
import ToolRuntime

@main
enum LoadTool {
    static let url = Option.list(
        "url", nil, "URL",
        help: """
            Where the server is; default: the variable ELASTICSEARCH_URL. Batches go to URL/_bulk. Given several times: several \
            nodes of one cluster, in turn.
            """)
    static let inFlight = Option.integer(
        "in-flight", in: 1...64, default: 4,
        help: "The most requests at a time; documents of one _id always keep their order. Default 4.")
    static let memory = Option.size(
        "memory", in: (1 << 20)...(1 << 32), default: 64 << 20,
        help: "How much may be read ahead of what the server takes; default 64M.")
    static let config = Option.file(
        "config",
        help: "Logins, certificates and the way to the server, in the form of curl's own configuration file.")
    static let header = Option.list(
        "header", nil, "NAME: VALUE|@FILE", help: "Send this header, or those in FILE; may be given several times.")
    static let apiKey = Option.file("api-key", help: "Log in with the API key in FILE.")
    static let login = Option.file("login", help: "Log in as USER:PASSWORD, which stands in FILE.")
    static let authority = Option.file("ca-cert", help: "The certificate of the authority that signed the server's.")
    static let certificate = Option.file("cert", help: "The certificate to log in with.")
    static let key = Option.file("key", help: "Its private key.")
    static let signature = Option.text(
        "aws-sigv4", nil, "aws:amz:REGION:es",
        help: "Sign requests for AWS; keys come from --login or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.")
    static let query = Option.list(
        "query", nil, "NAME=VALUE",
        help: "Add this to each request, for example pipeline=NAME or refresh=true; may be given several times.")
    static let gzip = Option.flag("gzip", help: "Compress what is sent, and ask for the same.")
    static let reject = Option.file(
        "reject",
        help: "Add refused documents, with the reason, to FILE and go on; without it the first one ends the tool.")
    static let retryFor = Option.duration(
        "retry-for", default: 300_000, help: "How long to try without getting anything done; default 5m.")
    static let timeout = Option.duration(
        "timeout", default: 120_000, help: "How long one request may take; default 2m.")
    static let ack = Option.file(
        "ack", help: "Write the number of each epoch to FILE, a FIFO, when all of it is done.")
    static let progress = Option.flag(
        "progress", help: "Show rate and progress on standard error when it is a terminal.")

    static let command = Command(
        name: "es-load",
        summary: "Posts what es-bulk writes to Elasticsearch or OpenSearch.",
        details: [
            """
            Several requests are under way at a time; documents of one index and _id go one after the other, in the order of the \
            input. A request has as many documents as the largest batch of the input, and fewer when the input pauses.
            """,
            """
            Every document's answer is looked at. What the server had no room for (429), or could not do just now (502, 503, 504 \
            and their like, a read-only index, no connection, no whole answer), is sent again after growing waits. A request that \
            is too large (413) is halved, and its size remembered. A 409 of a create is done: the document is there already; so \
            is a 409 under an external version: a newer one is there. What is wrong with the index or the login, and not with \
            the document, ends es-load: nothing is put aside for it.
            """,
            """
            In a stream with barriers, the number of an epoch goes to --ack when all before its barrier is done or put aside. A \
            stream that ends without its last barrier ends in status 75.
            """,
        ],
        examples: [
            .init(
                "to-json token count:int < counts | es-bulk --index words --id token | es-load --url http://localhost:9200",
                "Store each count under its word."),
            .init(
                "es-bulk --index words --id token < documents | es-load --api-key key --reject refused",
                "Log in with the key in the file key, and put aside what the server refuses."),
        ],
        options: [
            url, inFlight, memory, config, header, apiKey, login, authority, certificate, key, signature, query, gzip,
            reject,
            retryFor, timeout, ack, CommonOptions.maxLine, CommonOptions.summary, progress, Statistics.option,
        ],
        exitStatus: """
            0 every document is done; 64 usage; 65 documents were refused, or malformed batches; 66 cannot open a file to be \
            read; 69 the server is unavailable, or the index has to be mended; 70 internal error; 74 read or write failed; 75 try \
            again: the input broke off, or nobody reads --ack; 77 not permitted; 78 libcurl refuses its options. A signal kills \
            the tool by that signal.
            """)

    static func main() {
        Descriptor.fillStandardGaps()
        cbytes_return_freed_memory()
        let arguments = command.parse()
        Signals.install()
        do throws(Failure) {
            var plan = Load.Plan()
            plan.settings.lanes = arguments[inFlight]
            plan.settings.memory = arguments[memory]
            plan.settings.patience = arguments[retryFor] ?? 0
            plan.timeout = arguments[timeout] ?? 0
            guard plan.timeout > 0 else { throw Failure(.usage, "--timeout: expected more than 0") }
            plan.compresses = arguments[gzip]
            plan.maxLine = arguments[CommonOptions.maxLine]
            plan.reject = arguments[reject]
            plan.ack = arguments[ack]
            plan.wantsSummary = arguments[CommonOptions.summary]
            plan.wantsProgress = arguments[progress]
            plan.statistics = Statistics(command.name, arguments)
            let urls = arguments.has(url) ? arguments[url] : [Load.Plan.environment].compactMap(\.self)
            try plan.setAddresses(urls, query: arguments[query])
            command.refuseTerminal()
            if let path = arguments[config] { try plan.readConfig(path) }
            for text in arguments[header] { try plan.add(header: text) }
            if let path = arguments[apiKey] { try plan.readAPIKey(path) }
            if let path = arguments[login] { try plan.readLogin(path) }
            try plan.setCertificates(authority: arguments[authority], own: arguments[certificate], key: arguments[key])
            if let how = arguments[signature] { try plan.sign(how) }
            try Load.run(plan)
        } catch {
            command.end(with: error)
        }
    }
}
