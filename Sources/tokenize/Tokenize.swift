import Filters
import ToolRuntime

@main
enum TokenizeTool {
    static let command = Command(
        name: "tokenize",
        summary: "Prints the tokens of its input, one a line.",
        examples: [.init("tokenize < text", "The words of a text, split at white space.")],
        options: CommonOptions.all)

    static func main() {
        FilterTool.main(command) { _ in Tokenize() }
    }
}
