import Bytes

/// Count lines anywhere in a text.
@Sendable func fuzzCountLine(_ input: [UInt8]) {
    var choices = Choices(input)
    let start = choices.number(upTo: 16) - 1
    let text = choices.rest.filter { $0 != 0x0A }
    guard start <= text.count else { return }
    text.withUnsafeBytes { bytes in
        var found: (key: [UInt8], count: Int64)?
        do throws(CountLine.Problem) {
            let line = try CountLine(bytes, start..<bytes.count)
            found = (Array(bytes[start..<line.keyEnd]), line.count)
        } catch {
            precondition(!error.description.isEmpty)
        }
        let fields = text[start...].split(separator: 0x09, omittingEmptySubsequences: false).map(Array.init)
        let number = String(decoding: fields[fields.count - 1], as: UTF8.self)
        let expected = fields.count < 2 || number.hasPrefix("+") ? nil : Int64(number)
        precondition(found?.count == expected)
        if let found { precondition(found.key == Array(fields.dropLast().joined(separator: [0x09]))) }
    }
}
