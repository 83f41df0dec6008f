import Bytes
import JSONFilters
import TestSupport
import Testing

@Suite struct BulkFramesTests {
    static let delete = "{\"delete\":{\"_index\":\"w\",\"_id\":\"3\"}}\n"

    func item(_ number: Int) -> String { "{\"index\":{\"_index\":\"w\",\"_id\":\"\(number)\"}}\n{\"n\":\(number)}\n" }

    func frames(_ input: String, _ limits: Bulk.Limits = .init(documents: .max, bytes: .max)) throws -> String {
        let whole = try run(BulkFrames(limits: limits), Array(input.utf8))
        for read in [1, 2, 3, 7, 50] {
            let cut = try run(BulkFrames(limits: limits), Array(input.utf8), reads: [read])
            #expect(cut == whole, "reads of \(read)")
        }
        return whole.text
    }

    @Test func aLineInFrontOfEachBodySaysHowLargeItIs() throws {
        let first = item(1) + Self.delete + item(2)
        #expect(
            try frames("\(first)\n\(Self.delete)\n\n\(item(4))\n")
                == "3\t\(first.utf8.count)\n\(first)1\t\(Self.delete.utf8.count)\n\(Self.delete)1\t\(item(4).utf8.count)\n\(item(4))"
        )
    }

    @Test func theLastBodyNeedsNoEmptyLine() throws {
        #expect(try frames(item(1)) == "1\t43\n\(item(1))")
        #expect(try frames(String(item(1).dropLast())) == "1\t43\n\(item(1))")
        #expect(try frames("") == "")
        #expect(try frames("\n\n") == "")
    }

    @Test func aBodyThatIsTooLargeBecomesSeveral() throws {
        let three = item(1) + item(2) + item(3) + "\n"
        #expect(try frames(three, .init(documents: 2, bytes: .max)) == "2\t86\n\(item(1))\(item(2))1\t43\n\(item(3))")
        #expect(try frames(three, .init(documents: .max, bytes: 86)) == "2\t86\n\(item(1))\(item(2))1\t43\n\(item(3))")
        #expect(try frames(item(1) + item(2), .init(documents: 9, bytes: 10)) == "1\t43\n\(item(1))1\t43\n\(item(2))")
    }

    @Test func aDocumentMayBeCalledDelete() throws {
        let item = "{ \"index\":{}}\n{\"delete\":1}\n"
        #expect(try frames(item) == "1\t\(item.utf8.count)\n\(item)")
        let delete = "{ \"delete\" : {\"_id\":\"1\"}}\n"
        #expect(try frames(delete + delete) == "2\t\(2 * delete.utf8.count)\n\(delete)\(delete)")
    }

    @Test func anActionWithoutADocumentIsMalformedAndWhatIsWholeComesOut() throws {
        for end in ["", "\n", "\n\(item(2))"] {
            let input = Array("\(item(1)){\"index\":{}}\n\(end)".utf8)
            #expect(throws: MalformedLine(number: 3, problem: BulkFrames.Problem.noDocument)) {
                try run(BulkFrames(limits: .init()), input)
            }
            let found = try run(BulkFrames(limits: .init()), input, rejecting: true)
            #expect(found.text.hasPrefix("1\t43\n\(item(1))"))
            #expect(
                String(decoding: found.rejects, as: UTF8.self)
                    == "line 3: an action line without a document behind it\t{\"index\":{}}\n")
        }
    }

    func barrier(_ kind: String) -> String {
        "\u{1E}barrier\t0123456789abcdef0123456789abcdef\t1\t\(kind)\t\t\n"
    }

    @Test func inAStreamWithBarriersWhatIsNotWholeAtTheEndIsLeftOut() throws {
        let epoch = "\(barrier("open"))\(item(1))\n\(barrier("commit"))"
        let written = "\(barrier("open"))1\t43\n\(item(1))\(barrier("commit"))"
        #expect(try frames(epoch + "\(item(2))\n\(item(3))") == written + "1\t43\n\(item(2))")
        #expect(try frames(epoch + "{\"index\":{}}\n") == written)
        #expect(try frames(epoch + item(2) + barrier("close")) == written + "1\t43\n\(item(2))\(barrier("close"))")
    }
}
