import CCurl
import Glibc
public import Loading
public import ToolRuntime

extension Load {
    /// What the command line asks for.
    public struct Plan {
        public var settings = Loader.Settings()
        public var compresses = false
        /// How long one request may take, in milliseconds.
        public var timeout: Int64 = 120_000
        public var maxLine = 64 << 20
        public var reject: String?
        public var ack: String?
        public var wantsSummary = false
        public var wantsProgress = false
        public var statistics: Statistics?
        private(set) var addresses: [Address] = []
        private(set) var options = CurlOptions()

        public init() {}

        /// The address that stands in the variable ELASTICSEARCH_URL; nil: none.
        public static var environment: String? {
            getenv("ELASTICSEARCH_URL").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
        }

        /// Where batches go, in turn.
        public mutating func setAddresses(_ urls: [String], query: [String]) throws(Failure) {
            addresses = []
            for url in urls { addresses.append(try Address(url, query: query, timeout: timeout)) }
            guard !addresses.isEmpty else {
                throw Failure(.usage, "no server: give --url URL or set ELASTICSEARCH_URL")
            }
        }

        /// Options for libcurl out of a file in the form of curl's own.
        public mutating func readConfig(_ path: String) throws(Failure) { try CurlConfig.read(path, into: &options) }

        /// A header, or with @FILE those in the file, one a line.
        public mutating func add(header: String) throws(Failure) {
            guard header.hasPrefix("@") else { return try options.add(header: header, from: "--header") }
            let path = String(header.dropFirst())
            for line in try Self.text(path).split(whereSeparator: \.isNewline) {
                try options.add(header: String(line), from: path)
            }
        }

        /// An API key, as the server gives it out encoded, alone in a file.
        public mutating func readAPIKey(_ path: String) throws(Failure) {
            try options.add(header: "Authorization: ApiKey \(try Self.line(path))", from: path)
        }

        /// USER:PASSWORD, alone in a file.
        public mutating func readLogin(_ path: String) throws(Failure) {
            options.set(CURLOPT_USERPWD, .text(try Self.line(path)), from: path)
        }

        public mutating func setCertificates(authority: String?, own: String?, key: String?) throws(Failure) {
            for (path, option) in [(authority, CURLOPT_CAINFO), (own, CURLOPT_SSLCERT), (key, CURLOPT_SSLKEY)] {
                guard let path else { continue }
                guard access(path, R_OK) == 0 else { throw Failure(.cannotOpenInput, "cannot open \(path)") }
                options.set(option, .text(path), from: path)
            }
        }

        /// Signs requests as AWS wants it; the keys are those of a login, or else in the variables that AWS's own tools read.
        public mutating func sign(_ how: String) throws(Failure) {
            options.set(CURLOPT_AWS_SIGV4, .text(how), from: "--aws-sigv4")
            guard !options.has(CURLOPT_USERPWD) else { return }
            guard let id = getenv("AWS_ACCESS_KEY_ID"), let secret = getenv("AWS_SECRET_ACCESS_KEY") else {
                throw Failure(.usage, "--aws-sigv4 needs --login, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
            }
            let login = "\(String(cString: id)):\(String(cString: secret))"
            options.set(CURLOPT_USERPWD, .text(login), from: "AWS_ACCESS_KEY_ID")
            if let token = getenv("AWS_SESSION_TOKEN") {
                try options.add(header: "X-Amz-Security-Token: \(String(cString: token))", from: "AWS_SESSION_TOKEN")
            }
        }

        private static func text(_ path: String) throws(Failure) -> String {
            guard let text = String(validating: try InputFile.read(path), as: UTF8.self) else {
                throw Failure(.configuration, "\(path): not text in UTF-8")
            }
            return text
        }

        /// The only line of a file.
        private static func line(_ path: String) throws(Failure) -> String {
            let lines = try text(path).split(whereSeparator: \.isNewline)
            guard lines.count == 1 else { throw Failure(.configuration, "\(path): expected one line") }
            return String(lines[0])
        }
    }
}
