import Bytes
import Filters

/// One line of a stream, told as what it is.
enum Piece {
    case line(String)
    case barrier(Barrier.Kind)

    private static let session = String(repeating: "0f", count: 16)

    var text: String {
        switch self {
        case .line(let line): line + "\n"
        case .barrier(let kind): "\u{1E}barrier\t\(Self.session)\t0\t\(kind.rawValue)\t\t\n"
        }
    }
}

/// What merge-counts has to put out, worked out the slow way: dictionaries, and a sort at each output.
struct MergeCountsModel {
    let mode: MergeCounts.Mode
    var output = ""
    /// By line number.
    var rejected: [Int: String] = [:]
    private var totals: [String: Int64] = [:]
    private var changed: Set<String> = []
    private var openKey: String?
    private var linesSinceOutput = 0
    private var isRestoring = false

    init(_ mode: MergeCounts.Mode, _ pieces: [Piece]) {
        self.mode = mode
        for (index, piece) in pieces.enumerated() {
            switch piece {
            case .line(let line): take(line, number: index + 1)
            case .barrier(let kind):
                barrier(kind)
                output += piece.text
            }
        }
        putOut()
    }

    private mutating func take(_ line: String, number: Int) {
        linesSinceOutput += 1
        let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
        if fields.count > 1, let count = Int64(fields.last!), !fields.last!.hasPrefix("+") {
            let key = fields.dropLast().joined(separator: "\t")
            if isRestoring { totals[key] = count } else { add(key, count, number) }
        } else {
            rejected[number] = line
        }
        if case .updates(.lines(let every)) = mode, !isRestoring, linesSinceOutput == every { putOut() }
    }

    private mutating func add(_ key: String, _ count: Int64, _ number: Int) {
        if mode == .sorted, let openKey, openKey != key {
            guard openKey.utf8.lexicographicallyPrecedes(key.utf8) else {
                rejected[number] = "\(key)\t\(count)"
                return
            }
            putOut()
        }
        let (sum, overflow) = totals[key, default: 0].addingReportingOverflow(count)
        if overflow {
            rejected[number] = "\(key)\t\(count)"
        } else {
            totals[key] = sum
            changed.insert(key)
            openKey = key
        }
    }

    private mutating func barrier(_ kind: Barrier.Kind) {
        switch kind {
        case .open: break
        case .restore: (isRestoring, totals, changed) = (true, [:], [])
        case .restored: (isRestoring, linesSinceOutput) = (false, 0)
        case .commit, .close: putOut()
        }
    }

    private mutating func putOut() {
        linesSinceOutput = 0
        func byKey(_ left: String, _ right: String) -> Bool { left.utf8.lexicographicallyPrecedes(right.utf8) }
        let keys: [String]
        switch mode {
        case .updates: keys = changed.sorted(by: byKey)
        case .totals(top: nil), .sorted: keys = totals.keys.sorted(by: byKey)
        case .totals(let top?):
            let ranked = totals.keys.sorted {
                totals[$0]! != totals[$1]! ? totals[$0]! > totals[$1]! : byKey($0, $1)
            }
            keys = Array(ranked.prefix(top == 0 ? .max : top))
        }
        for key in keys { output += "\(key)\t\(totals[key]!)\n" }
        (changed, openKey) = ([], nil)
        if case .updates = mode { return }
        totals = [:]
    }
}
