import Filters
import ToolRuntime

@main
enum MergeCountsTool {
    static let command = Command(name: "merge-counts", summary: "…", examples: [], options: CommonOptions.all)

    static func main() { FilterTool.main(command) { _ in MergeCounts() } }
}
