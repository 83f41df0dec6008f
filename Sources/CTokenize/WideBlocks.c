#if defined(__x86_64__)
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#define CTOKENIZE_LANE 64
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi2,bmi,bmi2,popcnt"))), apply_to = function)
#endif
#include "WideBlocks.h"

// `restrict`: a block and its copy stay in registers from one step to the next.
ctokenize_block ctokenize_copy_words_wide(uint8_t *restrict target, const uint8_t *restrict source, uint8_t small) {
    return ctokenize_copy_words(target, source, small);
}

ctokenize_block ctokenize_copy_text_wide(uint8_t *restrict target, const uint8_t *restrict source, uint8_t small) {
    return ctokenize_copy_text(target, source, small);
}

ctokenize_block ctokenize_copy_fields_wide(
    uint8_t *restrict target, const uint8_t *restrict source, uint8_t small, const ctokenize_range *ranges,
    size_t count) {
    return ctokenize_copy_fields(target, source, small, ranges, count);
}

#if defined(__x86_64__)
uint8_t *ctokenize_squeeze_wide(uint8_t *target, const uint8_t *copy, uint64_t kept, uint64_t boundaries) {
    if (boundaries == 0) {
        _mm512_storeu_si512(target, _mm512_maskz_compress_epi8(kept, _mm512_loadu_si512(copy)));
        return target + _mm_popcnt_u64(kept);
    }
    // Half a block with room for an LF in front of each byte, of which what is wanted stays.
    const uint64_t lf_places = 0x5555555555555555, byte_places = ~lf_places;
    for (int at = 0; at < 64; at += 32) {
        __m512i half = _mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)(copy + at)));
        __m512i both = _mm512_mask_expand_epi8(_mm512_set1_epi8('\n'), byte_places, half);
        uint64_t wanted = _pdep_u64(kept >> at, byte_places) | _pdep_u64(boundaries >> at, lf_places);
        _mm512_storeu_si512(target, _mm512_maskz_compress_epi8(wanted, both));
        target += _mm_popcnt_u64(wanted);
    }
    return target;
}
#pragma clang attribute pop

// All that the functions above are compiled for.
_Bool ctokenize_has_wide_registers(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2")
        && __builtin_cpu_supports("popcnt");
}
#else
uint8_t *ctokenize_squeeze_wide(uint8_t *target, const uint8_t *copy, uint64_t kept, uint64_t boundaries) {
    for (int at = 0; at < 64; at++) {
        if (boundaries >> at & 1) *target++ = '\n';
        if (kept >> at & 1) *target++ = copy[at];
    }
    return target;
}

_Bool ctokenize_has_wide_registers(void) { return 0; }
#endif
