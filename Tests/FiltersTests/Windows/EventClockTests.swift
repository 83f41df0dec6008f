import Bytes
import Filters
import Testing

@Suite struct EventClockTests {
    @Test func withoutWatermarksItIsTheHighestTimeLessTheGrace() {
        var clock = EventClock(grace: 5)
        #expect(clock.watermark == EventClock.notKnown)
        for time in [10, 30, 20] as [Int64] { clock.see(time) }
        #expect(clock.watermark == 25)
        let isVoid1 = clock.barrier(.commit, nil)
        #expect(!isVoid1)
        #expect(clock.watermark == 25)
    }

    @Test func aStreamThatCarriesWatermarksIsBelievedAndNotTheLines() {
        var clock = EventClock()
        let isVoid2 = clock.barrier(.open, .unknown)
        #expect(!isVoid2)
        clock.see(100)
        #expect(clock.watermark == EventClock.notKnown)
        _ = clock.barrier(.commit, .time(30))
        clock.see(100)
        #expect(clock.watermark == 30)
        _ = clock.barrier(.commit, .time(20))
        #expect(clock.watermark == 30)
        _ = clock.barrier(.commit, .unknown)
        #expect(clock.watermark == 30)
        _ = clock.barrier(.close, .end)
        #expect(clock.watermark == .max)
    }

    @Test func onlyTheFirstRestoreOfARestoreVoidsWhatIsHeld() {
        var clock = EventClock()
        _ = clock.barrier(.open, .unknown)
        _ = clock.barrier(.commit, .time(90))
        let isVoid3 = clock.barrier(.restore, .time(40))
        #expect(isVoid3)
        #expect(clock.isRestoring)
        #expect(clock.done == 40)
        #expect(clock.watermark == EventClock.notKnown)
        let isVoid4 = clock.barrier(.restore, .time(60))
        #expect(!isVoid4)
        #expect(clock.done == 60)
        let isVoid5 = clock.barrier(.restored, .unknown)
        #expect(!isVoid5)
        #expect(clock.watermark == 40)
        // The next restore begins anew, whatever lies between.
        let isVoid6 = clock.barrier(.restore, .unknown)
        #expect(isVoid6)
        let isVoid7 = clock.barrier(.restore, .time(70))
        #expect(!isVoid7)
        _ = clock.barrier(.restored, .unknown)
        #expect(clock.watermark == EventClock.notKnown)
        _ = clock.barrier(.commit, .time(10))
        #expect(clock.watermark == 10)
    }

    @Test func stateMovesNoClock() {
        var clock = EventClock()
        _ = clock.barrier(.open, nil)
        clock.see(50)
        let isVoid8 = clock.barrier(.restore, nil)
        #expect(isVoid8)
        clock.see(70)
        _ = clock.barrier(.restored, nil)
        #expect(clock.watermark == EventClock.notKnown)
        clock.see(60)
        #expect(clock.watermark == 60)
    }

    @Test func aTimeTooFarAheadMovesNothingAndIsCounted() {
        var clock = EventClock()
        clock.ceiling = 100
        for time in [40, 101, 100, 200] as [Int64] { clock.see(time) }
        #expect(clock.watermark == 100)
        #expect(clock.linesAhead == 2)
    }
}
