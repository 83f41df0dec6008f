import TestSupport
import Testing

@Suite struct WatermarkModelTests {
    @Test func eachListComesOnceAndIsRight() {
        for seed in 0..<UInt64(isThorough ? 20_000 : 4000) {
            var model = WatermarkModel(SeededGenerator(seed: seed), nil)
            if let trouble = model.run() { Issue.record("seed \(seed): \(trouble)") }
        }
    }

    /// A model in which nothing can fail shows nothing.
    @Test(arguments: WatermarkModel.Fault.allCases) func eachDeliberateFaultIsFound(_ fault: WatermarkModel.Fault) {
        var found = 0
        for seed in 0..<UInt64(400) {
            var model = WatermarkModel(SeededGenerator(seed: seed), fault)
            if model.run() != nil { found += 1 }
        }
        #expect(found > 0, "\(fault)")
    }
}
