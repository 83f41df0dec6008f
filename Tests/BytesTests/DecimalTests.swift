import Bytes
import Testing

@Suite struct DecimalTests {
    func parse(_ text: String) -> Result<Int64, Decimal.Failure> {
        Result { try Array(text.utf8).withUnsafeBytes { try Decimal.parse($0) } }.mapError { $0 as! Decimal.Failure }
    }

    @Test(arguments: [
        0, 1, -1, 9, 10, 99, 100, 999_999_999_999_999_999, 1_000_000_000_000_000_000, .max, .min, .min + 1,
    ])
    func whatIsWrittenIsRead(_ number: Int64) {
        var text = [UInt8](repeating: 0, count: Decimal.longest)
        let count = text.withUnsafeMutableBufferPointer { Decimal.write(number, to: $0.baseAddress!) }
        #expect(String(decoding: text[..<count], as: UTF8.self) == String(number))
        #expect(parse(String(number)) == .success(number))
    }

    @Test func theEdgesOf64Bits() {
        #expect(parse("9223372036854775808") == .failure(.outOfRange))
        #expect(parse("-9223372036854775809") == .failure(.outOfRange))
        #expect(parse("99999999999999999999999") == .failure(.outOfRange))
        #expect(parse("000000000000000000000000000001") == .success(1))
    }

    @Test(arguments: ["", "-", "+1", " 1", "1 ", "12x", "x", "1.0", "--1", "123456789012345678901x"])
    func whatIsNoNumber(_ text: String) {
        #expect(parse(text) == .failure(.notANumber))
    }
}
