import CTokenize

/// What the 64 bytes of a block are in; a type of its own for each, so that each has a loop of its own.
protocol BlockRegisters {
    static var areWide: Bool { get }
}

/// Registers of 16 bytes, which every processor has: Blocks.h.
enum NarrowRegisters: BlockRegisters {
    @inline(__always)
    static var areWide: Bool { false }
}

/// A register of 64 bytes, and instructions that gather what a mask says: WideBlocks.h.
enum WideRegisters: BlockRegisters {
    @inline(__always)
    static var areWide: Bool { true }

    /// Whether this processor has them.
    static var areThere: Bool { ctokenize_has_wide_registers() }
}
