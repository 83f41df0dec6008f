// What Blocks.h does, for processors with registers of 64 bytes that can also gather the bytes of a mask: AVX-512 with
// VBMI2, which Intel has from Ice Lake on and AMD from Zen 4.
#ifndef CTOKENIZE_WIDE_BLOCKS_H
#define CTOKENIZE_WIDE_BLOCKS_H
#include "Blocks.h"

/// Whether this processor has them, and the system lets them be used. If not, an x86-64 cannot run the other functions.
_Bool ctokenize_has_wide_registers(void);

ctokenize_block ctokenize_copy_words_wide(uint8_t *_Nonnull target, const uint8_t *_Nonnull source, uint8_t small);
ctokenize_block ctokenize_copy_text_wide(uint8_t *_Nonnull target, const uint8_t *_Nonnull source, uint8_t small);
ctokenize_block ctokenize_copy_fields_wide(
    uint8_t *_Nonnull target, const uint8_t *_Nonnull source, uint8_t small, const ctokenize_range *_Nullable ranges,
    size_t count);

/// Writes the bytes of the block at copy that are `kept`, with an LF in front of each at which there is a boundary, and
/// returns their end. 64 bytes are written from any place up to there.
uint8_t *_Nonnull ctokenize_squeeze_wide(
    uint8_t *_Nonnull target, const uint8_t *_Nonnull copy, uint64_t kept, uint64_t boundaries);

#endif
