/// The text between the values of an object, for columns and constants in their order: commas, names, and the braces of
/// the objects that names with dots make.
///
/// The members of one object stand together, so that each text depends on its neighbours alone, and a line that ends
/// before its optional columns ends well.
struct Members {
    /// In front of each column's value: `{"window":` or `},"user":{"name":`.
    private(set) var openings: [[UInt8]] = []
    /// Behind the value of each column if it is the line's last: the constants, the braces and LF.
    private(set) var closings: [[UInt8]] = []

    private typealias Path = [[UInt8]]

    init(_ columns: [Column], _ constants: [Constant]) throws(DeclarationFault) {
        var paths: [Path] = []
        for name in columns.map(\.name) + constants.map(\.name) {
            do throws(JSONPathFault) { paths.append(try JSONPath.names(name)) } catch { throw .badPath(error) }
            if paths.last == [] { throw .noName }
        }
        try Self.check(paths, columns.map(\.name) + constants.map(\.name))
        var open: Path = []
        for (index, path) in paths.prefix(columns.count).enumerated() {
            openings.append(Self.text(from: open, to: path, isFirst: index == 0))
            open = path.dropLast()
            var (closing, last) = ([UInt8](), open)
            for (constant, path) in zip(constants, paths.dropFirst(columns.count)) {
                closing += Self.text(from: last, to: path, isFirst: false) + constant.value
                last = path.dropLast()
            }
            closings.append(closing + [UInt8](repeating: UInt8(ascii: "}"), count: last.count + 1) + [0x0A])
        }
    }

    /// What stands between a member of the object `open` and the value at `path`.
    private static func text(from open: Path, to path: Path, isFirst: Bool) -> [UInt8] {
        let parent = path.dropLast()
        let common = zip(open, parent).prefix { $0 == $1 }.count
        var text = [UInt8](repeating: UInt8(ascii: "}"), count: open.count - common)
        text.append(UInt8(ascii: isFirst ? "{" : ","))
        for name in parent[common...] { text += JSONString.literal(name) + Array(":{".utf8) }
        return text + JSONString.literal(path[path.count - 1]) + [UInt8(ascii: ":")]
    }

    /// Whether no name is given twice, and the members of each object stand together.
    private static func check(_ paths: [Path], _ names: [String]) throws(DeclarationFault) {
        // By their bytes: a set of String would call NFC and NFD the same.
        var (values, objects) = (Set<Path>(), Set<Path>())
        var open: Path = []
        for (path, name) in zip(paths, names) {
            let parent = Path(path.dropLast())
            let common = zip(open, parent).prefix { $0 == $1 }.count
            for count in 1..<max(1, path.count) {
                let object = Path(path.prefix(count))
                if values.contains(object) { throw .repeated(name) }
                if count > common, !objects.insert(object).inserted { throw .apart(name) }
            }
            if objects.contains(path) || !values.insert(path).inserted { throw .repeated(name) }
            open = parent
        }
    }
}
