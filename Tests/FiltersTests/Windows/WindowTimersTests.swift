import Bytes
import Filters
import Testing

@Suite struct WindowTimersTests {
    func moment(unix: Int64 = 0, monotonic: Int64 = 0) -> Moment {
        Moment(unixMilliseconds: unix, monotonicMilliseconds: monotonic)
    }

    @Test func processingTimeFollowsAWallClockThatIsSetBack() {
        var time = ProcessingTime()
        #expect(time.milliseconds(at: moment(unix: 9_000_000)) == 9_000_000)
        #expect(!time.hasStepped(at: moment(unix: 8_999_000)))
        #expect(time.milliseconds(at: moment(unix: 8_999_000)) == 9_000_000)
        #expect(time.hasStepped(at: moment(unix: 5_400_000)))
        #expect(time.patience(at: moment(unix: 5_400_000), until: 9_010_000) == 0)
        #expect(time.milliseconds(at: moment(unix: 5_400_000)) == 5_400_000)
        #expect(time.patience(at: moment(unix: 5_400_500), until: 5_410_000) == 9500)
    }

    @Test func processingTimeStandsStillWhereTheWallClockJumpsBackALittle() {
        var time = ProcessingTime()
        #expect(time.milliseconds(at: moment(unix: 100)) == 100)
        #expect(time.milliseconds(at: moment(unix: 40)) == 100)
        #expect(time.patience(at: moment(unix: 40), until: 110) == 10)
        #expect(time.patience(at: moment(unix: 105), until: 110) == 5)
        #expect(time.patience(at: moment(unix: 115), until: 110) == 0)
        #expect(time.patience(at: moment(unix: 115), until: nil) == nil)
        #expect(time.milliseconds(at: moment(unix: 101)) == 101)
        #expect(time.milliseconds(at: moment(unix: .max)) == Timestamp.range.upperBound)
    }

    @Test func theInputIsIdleSoLongAfterItsLastLine() {
        var timer = IdleTimer(limit: 5)
        #expect(timer.patience(at: moment(monotonic: 100)) == nil)
        timer.inputCame(at: moment(monotonic: 100))
        #expect(timer.patience(at: moment(monotonic: 100)) == 5)
        #expect(timer.patience(at: moment(monotonic: 104)) == 1)
        #expect(timer.patience(at: moment(monotonic: 120)) == 0)
        timer.inputCame(at: moment(monotonic: 121))
        #expect(timer.patience(at: moment(monotonic: 121)) == 5)
    }

    @Test func windowsOfLines() {
        var windows = LineWindows(size: 3)
        #expect((windows.start, windows.room) == (1, 3))
        windows.take(2)
        windows.take()
        #expect(windows.room == 0)
        windows.close()
        #expect((windows.start, windows.room) == (4, 3))
        windows.take()
        windows.close()
        #expect((windows.start, windows.room) == (5, 3))
        windows.close()
        #expect((windows.start, windows.room) == (5, 3))
    }
}
