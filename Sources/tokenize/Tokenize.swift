import Filters
import ToolRuntime

@main
enum TokenizeTool {
    static let words = Option.flag("words", "w", help: "Print Unicode words (UAX #29), without punctuation.")
    static let delimiters = Option<DelimiterSet?>(
        "delimiters", "d", "SET", default: nil,
        expected: "ASCII characters (\\t is TAB, \\n a line end, \\\\ a backslash)",
        help: "Split at each of these ASCII characters, and at line ends; \\t is TAB, \\\\ a backslash."
    ) { text in DelimiterSet(text).map { .some($0) } }
    static let lowercase = Option.flag("lowercase", "l", help: "Print tokens in lower case (Unicode).")
    static let minLength = Option.integer(
        "min-length", in: 1...Int.max, default: 1, help: "Leave out tokens of fewer characters.")
    static let maxLength = Option.integer(
        "max-length", in: 1...Int.max, default: .max, help: "Leave out tokens of more characters.")
    static let stopWords = Option.file(
        "stop-words", help: "Leave out the tokens that FILE has, one a line, written as they would come out.")
    static let carry = Option.integer(
        "carry", default: 0,
        help: "Put the first N fields of the line in front of each of its tokens; split only the rest.")

    static let command = Command(
        name: "tokenize",
        summary: "Prints the tokens of its input, one a line.",
        details: [
            """
            Without -w or -d, tokens are what stands between white space: that of ASCII and Unicode's White_Space. There \
            are no empty tokens. Bytes that are not UTF-8 are ordinary bytes of a token.
            """,
            """
            With -w, a word is a segment of UAX #29 (Unicode 15.0) with a letter, a digit, an ideograph or kana; other \
            segments, such as punctuation, emoji and bytes that are not UTF-8, do not come out. Each ideograph and each \
            Hiragana character is a word of its own. A run of Thai, Lao, Khmer, Myanmar or another script without spaces \
            stays together.
            """,
            """
            Lower case is that of each character for itself, so a capital sigma at the end of a word becomes an ordinary \
            small one. A character is a code point; of bytes that are not UTF-8, those that could have become one.
            """,
        ],
        examples: [
            .init("tokenize -w -l < text | cms-topk -k 20", "The 20 most frequent words of a text."),
            .init("tokenize --carry 1 -d ' ,' < log", "The words of each line, behind its first field."),
        ],
        options: [words, delimiters, lowercase, minLength, maxLength, stopWords, carry] + CommonOptions.all)

    static func main() {
        FilterTool.main(command) { (arguments) throws(Failure) in
            var options = Tokenize.Options()
            if let set = arguments[delimiters] { options.split = .delimiters(set) }
            if arguments[words] {
                guard !arguments.has(delimiters) else {
                    throw Failure(.usage, "--words and --delimiters exclude each other")
                }
                options.split = .words
            }
            options.lowercase = arguments[lowercase]
            let (shortest, longest) = (arguments[minLength], arguments[maxLength])
            guard shortest <= longest else {
                throw Failure(.usage, "--min-length \(shortest) is more than --max-length \(longest)")
            }
            options.lengths = shortest...longest
            options.carry = arguments[carry]
            if let file = arguments[stopWords] { options.stopWords = StopWords(try InputFile.read(file)) }
            return Tokenize(options)
        }
    }
}
