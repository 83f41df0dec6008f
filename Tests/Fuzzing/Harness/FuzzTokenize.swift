import Filters
import TestSupport

@Sendable func fuzzTokenize(_ input: [UInt8]) {
}
