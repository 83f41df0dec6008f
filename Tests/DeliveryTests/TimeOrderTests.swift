import Delivery
import TestSupport
import Testing

/// A line of a partition: its time, and which of the partition's lines it is.
private struct Line: Equatable {
    let partition: Int
    let place: Int
    let time: Int64
}

/// How far each line is behind the highest time before it.
private func lateness(_ lines: [Line]) -> [Int64] {
    var highest = Int64.min
    return lines.map { line in
        highest = max(highest, line.time)
        return highest - line.time
    }
}

/// Partitions, each in order but for up to `disorder`.
private func partitions(_ generator: inout SeededGenerator) -> [[Line]] {
    let most = Int64.random(in: 0...20, using: &generator)
    return (0..<Int.random(in: 1...7, using: &generator)).map { partition in
        var time = Int64.random(in: 0...100, using: &generator)
        let disorder = Int64.random(in: 0...most, using: &generator)
        return (0..<Int.random(in: 0...40, using: &generator)).map { place in
            time += Int64.random(in: 0...3, using: &generator)
            return Line(
                partition: partition, place: place, time: time - Int64.random(in: 0...disorder, using: &generator))
        }
    }
}

/// Reads all partitions, of which more is there whenever `mayRead` says so. A turn may be cut off anywhere.
private func merge(_ partitions: [[Line]], mayRead: () -> Bool, isCut: () -> Bool) -> [Line] {
    var order = TimeOrder(idle: 1000)
    var next = Array(repeating: 0, count: partitions.count)
    var merged: [Line] = []
    for number in partitions.indices { order.add(Int32(number), at: 0) }
    while true {
        for number in partitions.indices where order.wants(Int32(number)) && mayRead() {
            if next[number] == partitions[number].count {
                order.finish(Int32(number))
            } else {
                order.offer(Int32(number), partitions[number][next[number]].time)
            }
        }
        guard var turn = order.turn(at: 0) else {
            if partitions.indices.allSatisfy({ next[$0] == partitions[$0].count && !order.wants(Int32($0)) }) {
                return merged
            }
            continue
        }
        let number = Int(turn.partition)
        let end = mayRead() ? partitions[number].count : min(partitions[number].count, next[number] + 2)
        var time: Int64?
        while next[number] < end {
            let line = partitions[number][next[number]]
            guard turn.takes(line.time) else {
                time = line.time
                break
            }
            merged.append(line)
            next[number] += 1
            if isCut(), next[number] < end {
                time = partitions[number][next[number]].time
                break
            }
        }
        order.end(turn, next: time, at: 0)
    }
}

@Suite struct TimeOrderTests {
    @Test func noLineIsFurtherBehindThanInItsPartition() throws {
        try withEverySeed(2000) { generator in
            let partitions = partitions(&generator)
            let merged = merge(partitions, mayRead: { true }, isCut: { false })
            let own = partitions.map { lateness($0) }
            for (line, behind) in zip(merged, lateness(merged)) {
                #expect(behind <= own[line.partition][line.place])
            }
            // Each partition is there whole, in its order.
            for (number, lines) in partitions.enumerated() {
                #expect(merged.filter { $0.partition == number } == lines)
            }
        }
    }

    @Test func theStreamIsTheSameWhateverIsThereWhen() throws {
        try withEverySeed(2000) { generator in
            let partitions = partitions(&generator)
            var luck = generator
            let merged = merge(
                partitions, mayRead: { .random(using: &luck) }, isCut: { Int.random(in: 0..<4, using: &luck) == 0 })
            #expect(merged == merge(partitions, mayRead: { true }, isCut: { false }))
            // The slow, obvious way.
            var keyed: [(key: Int64, line: Line)] = []
            for lines in partitions {
                var clock = Int64.min
                for line in lines {
                    clock = max(clock, line.time)
                    keyed.append((clock, line))
                }
            }
            keyed.sort { ($0.key, $0.line.partition, $0.line.place) < ($1.key, $1.line.partition, $1.line.place) }
            #expect(merged == keyed.map(\.line))
        }
    }

    @Test func aLineWithoutATimeStaysInItsPlace() {
        var order = TimeOrder(idle: 1000)
        order.add(0, at: 0)
        order.add(1, at: 0)
        order.offer(0, 10)
        order.offer(1, 20)
        var turn = order.turn(at: 0)
        #expect(turn?.partition == 0)
        let takesTen = turn?.takes(10)
        let takesNone = turn?.takes(TimeOrder.noTime)
        let takesMore = turn?.takes(21)
        #expect((takesTen, takesNone, takesMore) == (true, true, false))
    }

    @Test func whoseLeaderDoesNotAnswerIsWaitedForWithoutEnd() {
        var order = TimeOrder(idle: 1000)
        order.add(0, at: 0)
        order.add(1, at: 0)
        order.offer(0, 10)
        #expect(order.turn(at: 1_000_000) == nil)
        #expect(order.nextWake() == nil)
    }

    @Test func whoHasNothingIsWaitedForSoLong() {
        var order = TimeOrder(idle: 1000)
        order.add(0, at: 0)
        order.add(1, at: 100)
        order.offer(0, 10)
        order.noteEnd(1)
        #expect(order.nextWake() == 1100)
        #expect(order.turn(at: 1099) == nil)
        #expect(order.turn(at: 1100)?.partition == 0)
        // It counts again from its next line on, late or not.
        order.offer(1, 5)
        #expect(order.turn(at: 1100)?.partition == 1)
    }

    @Test func whatItsLeaderSaidEarlierDoesNotCount() {
        var order = TimeOrder(idle: 1000)
        order.add(0, at: 0)
        order.add(1, at: 0)
        order.offer(0, 10)
        order.noteEnd(1)
        order.offer(1, 5)
        if var turn = order.turn(at: 0) {
            #expect(turn.partition == 1)
            _ = turn.takes(5)
            order.end(turn, next: nil, at: 500)
        }
        #expect(order.nextWake() == nil)
        #expect(order.turn(at: 5000) == nil)
        order.noteEnd(1)
        #expect(order.turn(at: 5000)?.partition == 0)
    }

    @Test func whoIsFinishedHoldsNobodyBack() {
        var order = TimeOrder(idle: 1000)
        order.add(0, at: 0)
        order.add(1, at: 0)
        order.offer(0, 10)
        order.finish(1)
        #expect(order.turn(at: 0) == TimeOrder.Turn(partition: 0, limit: .max, clock: 10))
    }

    @Test func partitionsThatGoTakeTheirClocksWithThem() {
        var order = TimeOrder(idle: 1000)
        order.add(0, at: 0)
        order.offer(0, 10)
        let turn = order.turn(at: 0)
        order.removeAll()
        // A turn that was under way means nothing any more.
        if let turn { order.end(turn, next: 20, at: 0) }
        #expect(order.turn(at: 0) == nil)
        order.add(0, at: 0)
        order.offer(0, 5)
        #expect(order.turn(at: 0)?.clock == 5)
    }
}
