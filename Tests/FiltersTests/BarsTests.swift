import Bytes
import Filters
import TestSupport
import Testing

@Suite struct BarsTests {
    /// What is drawn on a live canvas when each line comes so many milliseconds after the one before.
    func live(_ lines: [String], every milliseconds: Int64, _ canvas: Canvas, top: Int? = nil) throws -> String {
        var time: Int64 = -milliseconds
        return try run(
            Bars(top: top, canvas: { canvas }), Array(lines.map { $0 + "\n" }.joined().utf8),
            reads: lines.map { $0.utf8.count + 1 },
            clock: {
                time += milliseconds
                return Moment(unixMilliseconds: 0, monotonicMilliseconds: time)
            }
        ).text
    }

    static func back(_ lines: Int) -> String { "\u{1B}[\(lines)A\r\u{1B}[J" }
    static let plain = Canvas(columns: 11, rows: 10, isLive: true, hasBlocks: false)

    @Test func onALiveCanvasOnePictureIsDrawnOverTheOther() throws {
        #expect(
            try live(["a\t1", "b\t2"], every: 100, Self.plain)
                == "a 1 ######\n\(Self.back(1))b 2 ######\na 1 ###\n")
    }

    @Test func atMostTenPicturesASecondAreDrawnAndTheLastAlways() throws {
        let lines = (1...30).map { "a\t\($0)" }
        let text = try live(lines, every: 10, Self.plain)
        // At 0, 100 and 200 milliseconds, and the end.
        #expect(text.split(separator: "\n").map { $0.split(separator: " ")[1] } == ["1", "11", "21", "30"])
    }

    @Test func aNewWindowTakesThePlaceOfTheOld() throws {
        #expect(
            try live(["w1\ta\t1", "w1\tb\t1", "w2\tc\t1"], every: 100, Self.plain)
                == "w1\na 1 ######\n\(Self.back(2))w1\na 1 ######\nb 1 ######\n\(Self.back(3))w2\nc 1 ######\n")
    }

    @Test func thePictureFitsOnTheTerminal() throws {
        let lines = (1...20).map { "\($0)\t\($0)" }
        let last = { (text: String) in text.split(separator: "\u{1B}").last.map(String.init) ?? "" }
        for rows in [1, 2, 3, 10, 40] {
            var canvas = Self.plain
            canvas.rows = rows
            let drawn = last(try live(lines, every: 100, canvas)).filter { $0 == "\n" }.count
            #expect(drawn == min(20, max(1, rows - 1)), "\(rows) rows")
            let windows = last(try live(lines.map { "w\t\($0)" }, every: 100, canvas)).filter { $0 == "\n" }.count
            #expect(windows == 1 + min(20, max(1, rows - 2)), "\(rows) rows")
        }
    }

    @Test func fewerThanAllAreTheFirstOfAll() throws {
        let lines = (0..<200).map { "k\($0 * 7 % 200)\t\($0 * 37 % 11)\n" }.joined()
        func keys(_ top: Int?) throws -> [String] {
            try run(Bars(top: top, canvas: { Canvas() }), Array(lines.utf8)).text.split(separator: "\n").map {
                String($0.prefix { $0 != " " })
            }
        }
        let all = try keys(nil)
        #expect(all.count == 200)
        for top in [1, 2, 10, 199, 200, 300] { #expect(try keys(top) == Array(all.prefix(top))) }
    }

    @Test func coloursGoAroundTheBarOnly() throws {
        var canvas = Self.plain
        canvas.hasColor = true
        #expect(try live(["w\ta\t1"], every: 1, canvas) == "\u{1B}[1mw\u{1B}[0m\na 1 \u{1B}[36m######\u{1B}[0m\n")
    }
}
