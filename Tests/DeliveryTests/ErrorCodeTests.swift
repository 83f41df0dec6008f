import Delivery
import Testing

@Suite struct ErrorCodeTests {
    @Test func anErrorThatNobodyHasHeardOfLasts() {
        #expect(ErrorCode(9999).judgement == nil)
        #expect(ErrorCode(9999).meaning == .lasting(.unavailable))
    }
}
