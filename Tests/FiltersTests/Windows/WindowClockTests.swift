import Bytes
import Filters
import TestSupport
import Testing

/// What a clock's owner does: it keeps the times of the lines in each pane.
private struct Owner {
    var clock: WindowClock
    var panes: [Int: [Int64]] = [:]
    /// Each window put out, as its start and the times in it.
    var written: [Put] = []
    var late: [Int64] = []

    struct Put: Equatable { var start: Int64, times: [Int64] }

    init(_ shape: WindowShape) { clock = WindowClock(shape) }

    mutating func takeDue() {
        while let window = clock.nextDue() {
            var slots = window.finished.map { [$0] } ?? []
            clock.slotsOfLastWindow { slots.append($0) }
            #expect(!slots.isEmpty)
            written.append(Put(start: window.start, times: slots.flatMap { panes[$0] ?? [] }.sorted()))
            if let finished = window.finished { panes[finished] = nil }
        }
    }

    mutating func line(_ time: Int64) {
        switch clock.place(time) {
        case .slot(let slot): panes[slot, default: []].append(time)
        case .late: late.append(time)
        case .due:
            takeDue()
            switch clock.place(time) {
            case .slot(let slot): panes[slot, default: []].append(time)
            case .late: late.append(time)
            case .due: Issue.record("due twice")
            }
        }
        #expect(panes.count <= Int(clock.shape.paneLimit))
    }

    mutating func barrier() {
        clock.barrier()
        takeDue()
        #expect(panes.isEmpty)
    }

    mutating func end() {
        clock.end()
        takeDue()
        #expect(panes.isEmpty)
    }
}

/// The same by the letter of the design: every window is a list of its own, and all are looked at for each line.
private struct Model {
    let shape: WindowShape
    var windows: [Int64: [Int64]] = [:]
    var watermark = Int64.min
    var written: [Owner.Put] = []
    var late: [Int64] = []

    mutating func close(_ isDue: (Int64) -> Bool) {
        for start in windows.keys.sorted() where isDue(start) {
            written.append(Owner.Put(start: start, times: windows.removeValue(forKey: start)!.sorted()))
        }
    }

    mutating func line(_ time: Int64) {
        watermark = max(watermark, time - shape.grace)
        let (size, watermark) = (shape.size, watermark)
        close { $0 + size <= watermark }
        let lowest = Timestamp.floorDivide(time - shape.size, shape.hop) * shape.hop
        var isLate = true
        for start in stride(from: lowest, through: time, by: Int(shape.hop))
        where start <= time && time < start + shape.size && start + shape.size > watermark {
            windows[start, default: []].append(time)
            isLate = false
        }
        if isLate { late.append(time) }
    }

    mutating func barrier() { close { _ in true } }

    mutating func end() {
        guard let last = windows.keys.max() else { return }
        watermark = max(watermark, last + shape.size)
        close { _ in true }
    }
}

@Suite struct WindowClockTests {
    @Test func tumblingWindowsContainTheirStartAndNotTheirEnd() throws {
        var owner = Owner(try WindowShape(size: 10))
        for time in [0, 9, 10, 19, 20] as [Int64] { owner.line(time) }
        #expect(owner.written == [.init(start: 0, times: [0, 9]), .init(start: 10, times: [10, 19])])
        owner.end()
        #expect(owner.written.last == .init(start: 20, times: [20]))
    }

    @Test func windowsBefore1970AreAlignedToItAsWell() throws {
        var owner = Owner(try WindowShape(size: 10))
        for time in [-11, -10, -1, 0] as [Int64] { owner.line(time) }
        owner.end()
        #expect(owner.written.map(\.start) == [-20, -10, 0])
    }

    @Test func theWatermarkIsTheHighestTimeLessTheGrace() throws {
        var owner = Owner(try WindowShape(size: 10, grace: 5))
        for time in [0, 14, 9] as [Int64] { owner.line(time) }
        #expect(owner.written.isEmpty)
        owner.line(15)
        #expect(owner.written == [.init(start: 0, times: [0, 9])])
        owner.line(9)
        #expect(owner.late == [9])
        owner.line(10)
        #expect(owner.late == [9])
    }

    @Test func whatClosesAWindowMayBeALineOfTheSamePane() throws {
        var owner = Owner(try WindowShape(size: 10, grace: 3))
        for time in [9, 10, 11, 12] as [Int64] { owner.line(time) }
        #expect(owner.written.isEmpty)
        owner.line(13)
        #expect(owner.written == [.init(start: 0, times: [9])])
    }

    @Test func aTimeThatNoWindowWasOpenForCanBeLate() throws {
        var owner = Owner(try WindowShape(size: 10, grace: 2))
        for time in [10, 11, 12, 5] as [Int64] { owner.line(time) }
        #expect(owner.late == [5])
    }

    @Test func hoppingWindowsShareTheirPanes() throws {
        var owner = Owner(try WindowShape(size: 10, hop: 5))
        for time in [3, 7, 12, 20] as [Int64] { owner.line(time) }
        owner.end()
        #expect(
            owner.written == [
                .init(start: -5, times: [3]), .init(start: 0, times: [3, 7]), .init(start: 5, times: [7, 12]),
                .init(start: 10, times: [12]), .init(start: 15, times: [20]), .init(start: 20, times: [20]),
            ])
    }

    @Test func aLineThatIsLateForSomeWindowsIsInTheOthers() throws {
        var owner = Owner(try WindowShape(size: 10, hop: 5))
        for time in [10, 7, 4] as [Int64] { owner.line(time) }
        owner.end()
        #expect(owner.late == [4])
        #expect(owner.written == [.init(start: 5, times: [7, 10]), .init(start: 10, times: [10])])
    }

    @Test func theEndClosesAllInTheOrderOfTheirStarts() throws {
        var owner = Owner(try WindowShape(size: 10, grace: 100))
        for time in [25, 5, 15, 95] as [Int64] { owner.line(time) }
        owner.end()
        #expect(owner.written.map(\.start) == [0, 10, 20, 90])
    }

    @Test func afterTheInputWasIdleLinesOfTheClosedWindowsAreLate() throws {
        var owner = Owner(try WindowShape(size: 10, grace: 5))
        owner.line(12)
        owner.end()
        for time in [19, 20, 29, 34] as [Int64] { owner.line(time) }
        #expect(owner.late == [19])
        #expect(owner.written.count == 1)
        owner.line(35)
        #expect(owner.written.last == .init(start: 20, times: [20, 29]))
    }

    @Test func aBarrierPutsOutOpenWindowsAndLeavesThemOpen() throws {
        var owner = Owner(try WindowShape(size: 10, hop: 5))
        owner.line(7)
        owner.barrier()
        #expect(owner.written == [.init(start: 0, times: [7]), .init(start: 5, times: [7])])
        owner.line(8)
        owner.line(13)
        owner.end()
        #expect(
            owner.written.dropFirst(2).elementsEqual([
                .init(start: 0, times: [8]), .init(start: 5, times: [8, 13]), .init(start: 10, times: [13]),
            ]))
    }

    @Test func theLabelShowsMillisecondsWhereWindowsNeedThem() throws {
        func label(_ start: Int64, _ shape: WindowShape) -> String {
            String(
                decoding: [UInt8](unsafeUninitializedCapacity: Timestamp.longest) { buffer, count in
                    count = shape.writeLabel(start, to: buffer.baseAddress!)
                }, as: UTF8.self)
        }
        #expect(label(1_795_341_600_000, try WindowShape(size: 10_000)) == "2026-11-22T10:00:00Z")
        #expect(label(1_795_341_600_500, try WindowShape(size: 500)) == "2026-11-22T10:00:00.500Z")
        #expect(label(1_795_341_600_000, try WindowShape(size: 1000, hop: 500)) == "2026-11-22T10:00:00.000Z")
    }

    @Test func whatIsNoShape() {
        func problem(_ size: Int64, _ hop: Int64? = nil, _ grace: Int64 = 0) -> WindowShape.Problem? {
            do throws(WindowShape.Problem) { _ = try WindowShape(size: size, hop: hop, grace: grace) } catch {
                return error
            }
            return nil
        }
        #expect(problem(0) == .sizeOutOfRange)
        #expect(problem(.max) == .sizeOutOfRange)
        #expect(problem(10, 3) == .hopDoesNotDivideSize)
        #expect(problem(10, 0) == .hopDoesNotDivideSize)
        #expect(problem(10, 20) == .hopDoesNotDivideSize)
        #expect(problem(10, 5, -1) == .graceOutOfRange)
        #expect(problem(10, 5, .max) == .graceOutOfRange)
        #expect(problem(WindowShape.longest, nil, WindowShape.longest) == nil)
        #expect(problem(1) == nil)
    }

    @Test func theFirstAndTheLastTimeThereIs() throws {
        for hop in [1, WindowShape.longest / 366, WindowShape.longest] {
            let shape = try WindowShape(size: min(hop * 366, WindowShape.longest), hop: hop, grace: WindowShape.longest)
            for time in [Timestamp.range.lowerBound, Timestamp.range.upperBound] {
                var owner = Owner(shape)
                owner.line(time)
                owner.end()
                #expect(owner.written.count == Int(shape.size / hop))
                var label = [UInt8](repeating: 0, count: Timestamp.longest)
                for put in owner.written {
                    label.withUnsafeMutableBufferPointer { _ = shape.writeLabel(put.start, to: $0.baseAddress!) }
                }
            }
        }
    }

    @Test func asTheNaiveModel() throws {
        try withEverySeed(400) { random in
            let hop = Int64.random(in: 1...12, using: &random)
            let shape = try WindowShape(
                size: hop * .random(in: 1...4, using: &random), hop: hop,
                grace: Bool.random(using: &random) ? 0 : .random(in: 0...40, using: &random))
            var owner = Owner(shape)
            var model = Model(shape: shape)
            var time = Int64.random(in: -100...100, using: &random)
            let spread = Int64.random(in: 1...30, using: &random)
            for _ in 0..<200 {
                time += Int64.random(in: -spread...(spread + 1), using: &random)
                if Int.random(in: 0..<50, using: &random) == 0 { time += 10_000 }
                owner.line(time)
                model.line(time)
                switch Int.random(in: 0..<40, using: &random) {
                case 0:
                    owner.barrier()
                    model.barrier()
                case 1:
                    owner.end()
                    model.end()
                default: break
                }
                try #require(owner.written == model.written)
                try #require(owner.late == model.late)
            }
            owner.end()
            model.end()
            try #require(owner.written == model.written)
        }
    }
}
