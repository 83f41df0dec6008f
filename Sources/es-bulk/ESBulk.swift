import Filters
import ToolRuntime

@main
enum BulkTool {
    static let command = Command(name: "es-bulk", summary: "…", examples: [], options: CommonOptions.all)

    static func main() { FilterTool.main(command) { _ in Bulk() } }
}
