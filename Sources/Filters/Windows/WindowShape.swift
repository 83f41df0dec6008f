import Bytes

/// How time is cut into windows: windows of `size` milliseconds, one of them beginning at each multiple of `hop` since the
/// Unix epoch. A window contains its start and not its end. Where `hop` is `size` (tumbling windows) each time is in one
/// window; where it is a fraction of it (hopping windows) in `size / hop` of them.
///
/// The stretch from one multiple of `hop` to the next is a *pane*: each line is counted once, in its pane, and a window is
/// the sum of its panes (J. Li et al., "No pane, no gain", SIGMOD Record 34(1), 2005, doi:10.1145/1058150.1058158). The
/// size has to be a multiple of the hop, so that a pane is never shorter than a hop.
public struct WindowShape: Equatable, Sendable {
    /// The largest size and the longest grace, in milliseconds: a leap year, so that all sums of times fit.
    public static let longest: Int64 = 366 * 86_400_000

    public enum Problem: Error, Equatable, Sendable, CustomStringConvertible {
        case sizeOutOfRange
        case hopDoesNotDivideSize
        case graceOutOfRange

        public var description: String {
            switch self {
            case .sizeOutOfRange: "a window is from 1ms to 366d long"
            case .hopDoesNotDivideSize: "the window has to be a whole number of hops"
            case .graceOutOfRange: "the grace is at most 366d"
            }
        }
    }

    /// In milliseconds, as are hop and grace.
    public let size: Int64
    public let hop: Int64
    /// How far behind the highest time a line may come.
    public let grace: Int64

    /// - Parameter hop: nil for tumbling windows.
    public init(size: Int64, hop: Int64? = nil, grace: Int64 = 0) throws(Problem) {
        guard (1...Self.longest).contains(size) else { throw .sizeOutOfRange }
        let hop = hop ?? size
        guard hop >= 1, size % hop == 0 else { throw .hopDoesNotDivideSize }
        guard (0...Self.longest).contains(grace) else { throw .graceOutOfRange }
        (self.size, self.hop, self.grace) = (size, hop, grace)
    }

    /// The most panes that can be open at once.
    public var paneLimit: Int64 { size / hop + (grace + hop - 1) / hop }

    /// Writes the label of the window that begins at `start` to `target`, which has room for `Timestamp.longest` bytes,
    /// and returns how many bytes it wrote. Milliseconds are shown only where windows may begin between two seconds.
    public func writeLabel(_ start: Int64, to target: UnsafeMutablePointer<UInt8>) -> Int {
        Timestamp.write(start, withMilliseconds: hop % 1000 != 0, to: target)
    }
}
