import CTokenize

extension Split {
    /// The class of an ASCII byte, where this way of splitting treats it: those that always part tokens are breaks.
    func asciiClass(_ byte: UInt8) -> ctokenize_class {
        if byte == UInt8(ascii: "\n") { return .break }
        guard let known = ctokenize_class(rawValue: ctokenize_class_at(ctokenize_record(UInt32(byte)))) else {
            return .other
        }
        switch self {
        case .whiteSpace: return known == .space ? .break : .other
        case .words: return known == .space || known == .other ? .break : known
        case .delimiters(let set): return set.contains(byte) ? .break : .other
        }
    }

    /// What the machine does in a state with a code point of a class.
    func step(from state: CodePointMachine.State, isJoined: Bool, _ kind: ctokenize_class) -> CodePointMachine.Step {
        let parts: Bool
        switch self {
        case .words: return wordStep(from: state, isJoined: isJoined, kind)
        case .whiteSpace:
            parts = kind == .break || kind == .space || kind == .spaceConnector
        case .delimiters: parts = kind == .break
        }
        return parts ? .init(ends: state != .none) : .init(keeps: true, next: .letter)
    }
}

/// UAX #29, section 4.1.1 (Unicode 15.0), as a state machine that tells only of segments with a letter, a digit, an
/// ideograph or kana. Others need not be told apart: the rules for line ends (WB3 to WB3b), spaces (WB3d) and flags
/// (WB15, WB16) do not matter.
///
/// One rule is not in UAX #29, which leaves scripts without spaces between words to others: a run of letters of such a
/// script (Line_Break = SA: Thai, Lao, Khmer, Myanmar, …) stays together, as Lucene's standard tokenizer has it.
private func wordStep(
    from state: CodePointMachine.State, isJoined: Bool, _ kind: ctokenize_class
) -> CodePointMachine.Step {
    // WB4: marks belong to what is in front of them.
    if kind == .extend || kind == .joiner {
        guard state != .none else { return .init() }
        return .init(keeps: true, next: state, nextIsJoined: kind == .joiner)
    }
    // WB3c: a joiner attaches a pictograph to anything.
    if isJoined, kind == .pictograph || kind == .pictographLetter {
        switch state {
        case .letter, .hebrew, .number, .katakana, .southEastAsian, .single, .connector, .hebrewQuote:
            return .init(keeps: true, next: kind == .pictograph ? .single : .letter)
        case .none, .onlyConnectors, .letterMiddle, .numberMiddle, .hebrewDoubleQuote:
            break  // it is attached to what is no word
        }
    }
    if let step = joiningStep(from: state, kind) { return step }
    // WB999: the token ends. What was only perhaps part of it is taken back.
    var step = CodePointMachine.Step()
    switch state {
    case .none: break
    case .onlyConnectors: step.rewinds = true
    case .letterMiddle, .numberMiddle, .hebrewDoubleQuote:
        step.rewinds = true
        step.ends = true
    case .letter, .hebrew, .number, .katakana, .southEastAsian, .single, .connector, .hebrewQuote: step.ends = true
    }
    // Another may begin.
    step.next = beginning(kind) ?? .none
    step.keeps = step.next != .none
    step.marks = step.next == .onlyConnectors
    return step
}

/// WB5 to WB13b: the step where the rules join a code point of this class to the token; nil where they do not.
private func joiningStep(from state: CodePointMachine.State, _ kind: ctokenize_class) -> CodePointMachine.Step? {
    func joined(_ next: CodePointMachine.State) -> CodePointMachine.Step { .init(keeps: true, next: next) }
    func perhaps(_ next: CodePointMachine.State) -> CodePointMachine.Step {
        .init(marks: true, keeps: true, next: next)
    }
    let begins = beginning(kind)
    switch state {
    case .none: return nil
    case .letter, .hebrew, .number:
        switch (begins, kind) {
        case (.letter, _), (.hebrew, _), (.number, _): return begins.map(joined)  // WB5, WB8, WB9, WB10
        case (.onlyConnectors, _): return joined(.connector)  // WB13a
        case (_, .singleQuote) where state == .hebrew: return joined(.hebrewQuote)  // WB7a
        case (_, .doubleQuote) where state == .hebrew: return perhaps(.hebrewDoubleQuote)  // WB7b
        case (_, .midBoth), (_, .singleQuote):
            return perhaps(state == .number ? .numberMiddle : .letterMiddle)  // WB6, WB12
        case (_, .midLetter) where state != .number: return perhaps(.letterMiddle)  // WB6
        case (_, .midNumber) where state == .number: return perhaps(.numberMiddle)  // WB12
        default: return nil
        }
    case .letterMiddle, .hebrewQuote: return begins == .letter || begins == .hebrew ? begins.map(joined) : nil  // WB7
    case .numberMiddle: return begins == .number ? joined(.number) : nil  // WB11
    case .hebrewDoubleQuote: return begins == .hebrew ? joined(.hebrew) : nil  // WB7c
    case .katakana:  // WB13, WB13a
        return begins == .katakana ? joined(.katakana) : begins == .onlyConnectors ? joined(.connector) : nil
    case .southEastAsian: return begins == .southEastAsian ? joined(.southEastAsian) : nil
    case .single: return nil
    case .connector, .onlyConnectors:
        switch begins {
        case .onlyConnectors: return joined(state)  // WB13a
        case .letter, .hebrew, .number, .katakana: return begins.map(joined)  // WB13b
        default: return nil
        }
    }
}

/// The state that a code point of this class begins a token with; nil if it begins none.
private func beginning(_ kind: ctokenize_class) -> CodePointMachine.State? {
    switch kind {
    case .letter, .pictographLetter: .letter
    case .hebrew: .hebrew
    case .number: .number
    case .katakana: .katakana
    case .single: .single
    case .southEastAsian: .southEastAsian
    case .connector, .spaceConnector: .onlyConnectors
    default: nil
    }
}
