import TestSupport
import Testing

/// from-json and to-json against another program that knows JSON.
@Suite struct JSONTests {
    /// The whole, of 300,000 lines, is `Tests/JSON/check`.
    @Test func fieldsAndRefusalsAreThoseOfPython() throws {
        let ended = try run(["\(Repository.root)/Tests/JSON/check", "15000", "5"], deadline: 600)
        #expect(ended.ending == .status(0), "\(ended.outputText)\(ended.errorText)")
        #expect(ended.outputText.contains("5,000 objects came back"))
    }

    @Test func fieldsAreThoseOfJQ() throws {
        let lines = (1...2000).map { number in
            "{\"id\":\(number),\"s\":\"a\\t\\\"\(number)\\\\é\\n\",\"o\":{\"x\":[\(number % 7),null,true],\"y\":null},\"l\":[\"\(number % 3)\",{}]}\n"
        }.joined()
        for (query, paths) in [
            ("[.id,.s,.o.x[0],.o.y,.l[0],.none]|@tsv", "--escape id s o.x.0 o.y l.0 none"),
            (".o|tojson", "o"), (".l[]|tostring", "--each l l"), (". as $e|.o.x[]|[$e.id,.]|@tsv", "--each o.x id o.x"),
        ] {
            let theirs = try bash("jq -r '\(query)'", input: .text(lines))
            for strict in ["", "--strict"] {
                let ours = try bash("from-json \(strict) \(paths)", input: .text(lines))
                #expect(
                    ours.ending == .status(0) && theirs.ending == .status(0), "\(ours.errorText)\(theirs.errorText)")
                #expect(ours.output == theirs.output && !ours.output.isEmpty, "\(query)")
            }
        }
    }
}
