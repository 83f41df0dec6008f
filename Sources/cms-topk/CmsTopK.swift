import Filters
import ToolRuntime

@main
enum TopKTool {
    static let command = Command(name: "cms-topk", summary: "…", examples: [], options: CommonOptions.all)

    static func main() { FilterTool.main(command) { _ in TopK() } }
}
