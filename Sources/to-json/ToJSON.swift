import Filters
import ToolRuntime

@main
enum ToJSONTool {
    static let command = Command(name: "to-json", summary: "…", examples: [], options: CommonOptions.all)

    static func main() { FilterTool.main(command) { _ in ToJSON() } }
}
