/// The files of the tz database (Debian: tzdata).
public enum TimeZoneFile {
    private static let folder = "/usr/share/zoneinfo"

    /// Reads the file of a time zone.
    /// - Parameter name: as the database has it, such as `Europe/Berlin`.
    public static func read(_ name: String) throws(Failure) -> [UInt8] {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard !parts.contains(where: { $0.isEmpty || $0.hasPrefix(".") }) else {
            throw Failure(.usage, "--zone: expected a time zone such as Europe/Berlin, not \"\(name)\"")
        }
        return try InputFile.read("\(folder)/\(name)")
    }
}
