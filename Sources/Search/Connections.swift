import CCurl
import Loading
import ToolRuntime

/// The requests under way, one a lane, on libcurl's multi interface: all of it in this thread.
final class Connections {
    /// What libcurl reads and writes for one lane. It stays where it is while the process lives.
    private final class Transfer {
        let easy: UnsafeMutableRawPointer
        /// Holds on to what is being posted.
        var body: Body?
        let gzip = Gzip()
        var reply: [UInt8] = []
        var isTooLong = false
        let error: UnsafeMutablePointer<CChar>

        init(_ easy: UnsafeMutableRawPointer) {
            self.easy = easy
            error = .allocate(capacity: Int(CURL_ERROR_SIZE))
            error.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        }
    }

    /// No bulk response is so long; what is, is not kept.
    private static let longestReply = 256 << 20

    private let multi: UnsafeMutableRawPointer
    private let transfers: [Transfer]
    private let addresses: [Address]
    private let isCompressing: Bool

    /// - Parameter timeout: how long a request may take, in milliseconds.
    init(lanes: Int, addresses: [Address], options: CurlOptions, compresses: Bool, timeout: Int64) throws(Failure) {
        self.addresses = addresses
        isCompressing = compresses
        curl_global_init(Int(CURL_GLOBAL_DEFAULT))
        guard let multi = curl_multi_init() else { throw Failure(.internalError, "out of memory") }
        self.multi = multi
        var headers: UnsafeMutablePointer<curl_slist>?
        var lines = options.headers
        // A server may take a second to answer an Expect. What signs requests would sign the header that is left out.
        if !options.has(CURLOPT_AWS_SIGV4) { lines.append("Expect:") }
        if !options.hasHeader("Content-Type") { lines.append("Content-Type: application/x-ndjson") }
        if compresses { lines.append("Content-Encoding: gzip") }
        for line in lines { headers = curl_slist_append(headers, line) }
        var transfers: [Transfer] = []
        for _ in 0..<lanes {
            guard let easy = curl_easy_init() else { throw Failure(.internalError, "out of memory") }
            let transfer = Transfer(easy)
            try Self.set(transfer, headers, compresses, timeout)
            try options.apply(to: easy)
            transfers.append(transfer)
        }
        self.transfers = transfers
    }

    private static func set(
        _ transfer: Transfer, _ headers: UnsafeMutablePointer<curl_slist>?, _ compresses: Bool, _ timeout: Int64
    ) throws(Failure) {
        let easy = transfer.easy
        let object = UnsafeRawPointer(Unmanaged.passUnretained(transfer).toOpaque())
        let codes = [
            ccurl_set_long(easy, CURLOPT_NOSIGNAL, 1),
            ccurl_set_long(easy, CURLOPT_POST, 1),
            ccurl_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, 10_000),
            ccurl_set_long(easy, CURLOPT_TIMEOUT_MS, Int(timeout)),
            ccurl_set_long(easy, CURLOPT_EXPECT_100_TIMEOUT_MS, 1),
            ccurl_set_long(easy, CURLOPT_TCP_KEEPALIVE, 1),
            ccurl_set_long(easy, CURLOPT_UPLOAD_BUFFERSIZE, 256 << 10),
            ccurl_set_long(easy, CURLOPT_BUFFERSIZE, 64 << 10),
            ccurl_set_text(easy, CURLOPT_PROTOCOLS_STR, "http,https"),
            ccurl_set_text(easy, CURLOPT_USERAGENT, "es-load/\(Command.version)"),
            ccurl_set_text(easy, CURLOPT_ACCEPT_ENCODING, compresses ? "gzip" : nil),
            ccurl_set_pointer(easy, CURLOPT_HTTPHEADER, headers),
            ccurl_set_pointer(easy, CURLOPT_ERRORBUFFER, transfer.error),
            ccurl_set_pointer(easy, CURLOPT_WRITEDATA, object),
            ccurl_set_callback(easy, CURLOPT_WRITEFUNCTION) { bytes, size, count, object in
                let transfer = Unmanaged<Transfer>.fromOpaque(object).takeUnretainedValue()
                let count = size * count
                guard transfer.reply.count + count <= Connections.longestReply else {
                    transfer.isTooLong = true
                    return 0
                }
                transfer.reply.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: count))
                return count
            },
        ]
        for code in codes where code != CURLE_OK { throw Failure(.internalError, describe(code)) }
    }

    private static func describe(_ code: CURLcode) -> String { String(cString: curl_easy_strerror(code)) }

    /// Begins to post a body.
    func post(_ body: Body, lane: Int, host: Int) throws(Failure) {
        let transfer = transfers[lane]
        transfer.body = body
        transfer.reply.removeAll(keepingCapacity: true)
        transfer.isTooLong = false
        transfer.error[0] = 0
        // Read where they lie: the body, held here, is not changed before its reply.
        let bytes = isCompressing ? try transfer.gzip.compress(body.bytes) : body.bytes
        _ = ccurl_set_offset(transfer.easy, CURLOPT_POSTFIELDSIZE_LARGE, bytes.count)
        _ = ccurl_set_pointer(transfer.easy, CURLOPT_POSTFIELDS, bytes.baseAddress)
        _ = ccurl_set_text(transfer.easy, CURLOPT_URL, addresses[host].text)
        guard curl_multi_add_handle(multi, transfer.easy) == CURLM_OK else {
            throw Failure(.internalError, "libcurl takes no request")
        }
    }

    /// Goes on with all requests as far as it can without waiting; returns those that are over.
    func perform() throws(Failure) -> [(lane: Int, Reply)] {
        var running: CInt = 0
        guard curl_multi_perform(multi, &running) == CURLM_OK else { throw Failure(.internalError, "libcurl fails") }
        var done: [(lane: Int, Reply)] = []
        var code = CURLE_OK
        while let easy = ccurl_next_done(multi, &code) {
            guard let lane = transfers.firstIndex(where: { $0.easy == easy }) else { continue }
            done.append((lane, try reply(transfers[lane], code)))
            curl_multi_remove_handle(multi, easy)
            transfers[lane].body = nil
        }
        return done
    }

    /// Waits until a request can go on, there is input, or the time is up.
    func wait(milliseconds: Int64, input: Bool) {
        var entry = curl_waitfd(fd: 0, events: Int16(CURL_WAIT_POLLIN), revents: 0)
        _ = curl_multi_poll(multi, &entry, input ? 1 : 0, CInt(clamping: milliseconds), nil)
    }

    private func reply(_ transfer: Transfer, _ code: CURLcode) throws(Failure) -> Reply {
        if code == CURLE_OK {
            var status = 0
            var retryAfter: curl_off_t = 0
            _ = ccurl_get_long(transfer.easy, CURLINFO_RESPONSE_CODE, &status)
            _ = ccurl_get_offset(transfer.easy, CURLINFO_RETRY_AFTER, &retryAfter)
            return .answered(status: status, retryAfter: Int(max(0, retryAfter)), body: transfer.reply)
        }
        if transfer.isTooLong { return .lost("a reply of more than \(Self.longestReply >> 20) MiB") }
        let text = transfer.error[0] == 0 ? Self.describe(code) : String(cString: transfer.error)
        let reason = "curl: (\(code.rawValue)) \(text)"
        switch code {
        // No name, no connection, none any more, no answer, or only a part of one in time.
        case CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT, CURLE_WEIRD_SERVER_REPLY,
            CURLE_HTTP2, CURLE_PARTIAL_FILE, CURLE_OPERATION_TIMEDOUT, CURLE_SSL_CONNECT_ERROR, CURLE_GOT_NOTHING,
            CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_HTTP2_STREAM, CURLE_HTTP3, CURLE_BAD_CONTENT_ENCODING:
            return .lost(reason)
        case CURLE_OUT_OF_MEMORY: throw Failure(.internalError, "out of memory")
        default: throw Failure(.configuration, reason)
        }
    }
}
