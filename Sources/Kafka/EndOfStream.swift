/// The record with which a `kcat-out --eof` ends its part of each partition: an empty value under this header, whose value
/// is `ok`, or `failed` where its input did not end well. `kcat-in --until-eof` counts them.
enum EndOfStream {
    static let header = "end-of-stream"
    static let ok = "ok"
    static let failed = "failed"
}
