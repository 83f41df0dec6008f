import ToolRuntime

/// Help, manual page and completions of bin/es-load, a script that has no option table of its own.
enum LoaderPages {
    static let command = Command(
        name: "es-load",
        summary: "Posts what es-bulk writes to Elasticsearch or OpenSearch.",
        details: [
            """
            Batches are posted one after the other, in their order. Documents that the server had no room for (429, 502, \
            503, 504), and whole batches when it is busy or the connection is lost, are sent again after growing waits. A \
            batch that is too large (413) is halved. A 409 of a create is done: the document is there already.
            """,
            """
            In a stream with barriers, the number of an epoch goes to --ack when all in front of its barrier is done or put \
            aside. A stream that ends without its last barrier ends in status 75.
            """,
        ],
        examples: [
            .init(
                "to-json token count:int < counts | es-bulk --index words --id token | es-load --url http://localhost:9200",
                "Store each count under its word."),
            .init(
                "es-bulk --index words --id token < documents | es-load --config curlrc --reject refused",
                "Log in as the file curlrc says, and put aside what the server refuses."),
        ],
        options: [
            Option.text(
                "url", nil, "URL",
                help: "Where the server is; default: the variable ELASTICSEARCH_URL. Batches go to URL/_bulk."),
            Option.file(
                "config",
                help: "Options for curl, in the form of its own configuration file: for logins and certificates."),
            Option.flag("gzip", help: "Compress what is sent, and ask for the same."),
            Option.file(
                "reject",
                help:
                    "Write refused documents, with the reason, to FILE and go on; without it the first one ends the tool."
            ),
            Option.duration("retry-for", help: "How long to try without getting anything done; default 5m."),
            Option.duration("timeout", help: "How long one request may take; default 2m."),
            Option.file("ack", help: "Write the number of each epoch to FILE, a FIFO, when all of it is done."),
            Statistics.option,
            CommonOptions.summary,
        ],
        exitStatus: """
            0 every document is done; 64 usage; 65 documents were refused, or malformed batches; 66 cannot open a file to be \
            read; 69 the server is unavailable; 70 internal error; 74 read or write failed; 75 try again: the input broke \
            off, or nobody reads --ack; 77 not permitted; 78 curl refuses its configuration. A signal kills the tool by that \
            signal.
            """)

    /// What `es-bulk --loader KIND`, which only es-load asks for, prints.
    static func page(_ words: [String]) -> String? {
        guard words.count == 3, words[1] == "--loader" else { return nil }
        return words[2] == "help" ? command.help : command.generated(words[2])
    }
}
