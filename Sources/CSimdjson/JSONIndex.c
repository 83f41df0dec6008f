#include "JSONIndex.h"

#include <CBytes.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define INLINE static inline __attribute__((always_inline))

#define MASK(condition) JSONINDEX_MASK(cbytes_bits, uint64_t, condition)
#define MASK_EQUAL(block, byte) MASK(CBYTES_LOAD(block) == (byte))

typedef struct {
    uint64_t quotes, strings, operators, spaces, ends;
} masks;

/// The same as the masks by 64 bytes, byte by byte: for the rare block in which a line ends inside of a string, where the
/// next line begins outside of one.
static __attribute__((noinline)) masks mask_slowly(jsonindex *index, const uint8_t *block) {
    masks found = {0};
    bool in_string = index->in_string != 0, escaped = index->escaped != 0;
    for (int at = 0; at < 64; at++) {
        uint64_t bit = (uint64_t)1 << at;
        uint8_t byte = block[at];
        bool was_escaped = escaped;
        escaped = !escaped && byte == '\\';
        if (byte == '\n') {
            found.ends |= bit;
            in_string = false;
        } else if (byte == '"' && !was_escaped) {
            found.quotes |= bit;
            in_string = !in_string;
            if (in_string) found.strings |= bit;
        } else if (in_string) {
            found.strings |= bit;
        } else if (byte == ' ' || byte == '\t' || byte == '\r') {
            found.spaces |= bit;
        } else if (byte == '{' || byte == '}' || byte == '[' || byte == ']' || byte == ',' || byte == ':') {
            found.operators |= bit;
        }
    }
    index->in_string = in_string ? ~(uint64_t)0 : 0;
    index->escaped = escaped;
    return found;
}

/// Whether the escapes whose second bytes are at these places of the block are JSON's.
static __attribute__((noinline)) bool escapes_are_good(const jsonindex *index, uint64_t places) {
    const uint8_t *block = index->text + index->offset, *end = index->text + index->readable;
    for (; places != 0; places &= places - 1)
        if (!jsonindex_past_escape(block + __builtin_ctzll(places), end)) return false;
    return true;
}

/// The places of bytes that a backslash escapes. After simdjson: G. Langdale and D. Lemire, "Parsing gigabytes of JSON per
/// second", section 3.1.1, doi:10.1007/s00778-019-00578-5.
INLINE uint64_t find_escaped(jsonindex *index, uint64_t backslashes) {
    const uint64_t even = 0x5555555555555555;
    backslashes &= ~index->escaped;
    uint64_t follows = backslashes << 1 | index->escaped;
    uint64_t odd_starts = backslashes & ~even & ~follows;
    uint64_t runs;
    index->escaped = __builtin_add_overflow(odd_starts, backslashes, &runs);
    return (even ^ (runs << 1)) & follows;
}

/// From each set bit up to the one before the next: in one instruction on some processors, for the wide ways.
typedef uint64_t fill_between(uint64_t bits);

INLINE uint64_t fill_by_shifts(uint64_t bits) {
    for (int shift = 1; shift < 64; shift *= 2) bits ^= bits << shift;
    return bits;
}

#if defined(__x86_64__)
__attribute__((target("pclmul"))) static inline uint64_t fill_by_product(uint64_t bits) {
    return (uint64_t)_mm_cvtsi128_si64(_mm_clmulepi64_si128(_mm_set_epi64x(0, (long long)bits), _mm_set1_epi8(-1), 0));
}
#endif

INLINE void index_block(
    jsonindex *index, const uint8_t *block, uint64_t valid, jsonindex_block *out, fill_between *fill) {
    const bool strict = index->strict;
    masks found;
    uint64_t backslashes = MASK_EQUAL(block, '\\');
    // Of braces and brackets alike: they differ by one bit.
    uint64_t brackets = MASK(((CBYTES_LOAD(block) | 0x20) == '{') | ((CBYTES_LOAD(block) | 0x20) == '}'));
    uint64_t commas = MASK_EQUAL(block, ',');
    uint64_t controls = MASK(CBYTES_LOAD(block) < 0x20);
    found.operators = brackets | commas | MASK_EQUAL(block, ':');
    found.quotes = MASK_EQUAL(block, '"');
    found.spaces = MASK_EQUAL(block, ' ');
    found.ends = 0;
    if (controls != 0) {
        found.ends = MASK_EQUAL(block, '\n');
        found.spaces |= MASK((CBYTES_LOAD(block) == '\t') | (CBYTES_LOAD(block) == '\r'));
    }
    if (strict && MASK(CBYTES_LOAD(block) > 0x7F) != 0) index->seen |= jsonindex_wide;
    uint64_t in_string = index->in_string, was_escaped = index->escaped;
    if (backslashes != 0 || was_escaped != 0) {
        uint64_t escaped = find_escaped(index, backslashes);
        found.quotes &= ~escaped;
        index->seen |= jsonindex_backslash;
        index->backslashes |= (uint64_t)1 << (out - index->blocks);
        if (strict && !escapes_are_good(index, escaped & valid)) index->seen |= jsonindex_doubt;
    }
    found.strings = fill(found.quotes) ^ in_string;
    index->in_string = (uint64_t)((int64_t)found.strings >> 63);
    if ((found.ends & found.strings) != 0) {
        index->in_string = in_string;
        index->escaped = was_escaped;
        found = mask_slowly(index, block);
        index->seen |= jsonindex_doubt;
    }
    if (strict && (controls & found.strings & valid) != 0) index->seen |= jsonindex_doubt;
    uint64_t scalars = ~(found.strings | found.quotes | found.operators | found.spaces | found.ends);
    uint64_t starts = scalars & ~(scalars << 1 | index->in_scalar);
    index->in_scalar = scalars >> 63;
    out->matters = (found.quotes | (found.operators & ~found.strings) | starts | found.ends) & valid;
    out->nesting = (brackets & ~found.strings) | found.ends;
    out->outline = out->nesting | (commas & ~found.strings);
}

INLINE void index_batch(jsonindex *index, fill_between *fill) {
    index->batch = index->text + index->offset;
    index->seen = 0;
    index->backslashes = 0;
    jsonindex_block *out = index->blocks;
    for (; out < index->blocks + index->batch_blocks && index->offset < index->count; out++) {
        size_t left = index->count - index->offset;
        if (index->readable - index->offset >= 64) {
            index_block(index, index->text + index->offset, ~(uint64_t)0, out, fill);
            index->offset += 64;
        } else {
            uint8_t block[64];
            memset(block, '\n', sizeof block);
            memcpy(block, index->text + index->offset, index->readable - index->offset);
            index_block(index, block, left >= 64 ? ~(uint64_t)0 : ((uint64_t)1 << left) - 1, out, fill);
            index->offset += left < 64 ? left : 64;
        }
    }
    index->cursor = (jsonindex_cursor){index->batch, index->blocks->matters, index->blocks, out};
    if (index->batch_blocks < JSONINDEX_BLOCKS) index->batch_blocks *= 2;
}

void jsonindex_seek(jsonindex *index, const uint8_t *line) {
    if (line >= index->text + index->offset) return jsonindex_restart(index, line);
    size_t at = (size_t)(line - index->batch);
    const jsonindex_block *block = index->blocks + at / 64;
    index->cursor = (jsonindex_cursor){
        index->batch + at / 64 * 64, block->matters & ~(uint64_t)0 << at % 64, block, index->cursor.last};
}

void jsonindex_restart(jsonindex *index, const uint8_t *line) {
    index->batch_blocks = JSONINDEX_FEWEST_BLOCKS;
    index->offset = (size_t)(line - index->text);
    index->escaped = index->in_string = index->in_scalar = 0;
    index->seen = 0;
    index->cursor = (jsonindex_cursor){line, 0, index->blocks, index->blocks + 1};
}

void jsonindex_narrow(jsonindex *index) { index_batch(index, fill_by_shifts); }

#if defined(__x86_64__)
__attribute__((target("avx2,bmi,bmi2,lzcnt,pclmul,popcnt"))) void jsonindex_avx2(jsonindex *index) {
    index_batch(index, fill_by_product);
}
__attribute__((target("avx512f,avx512bw,avx512vl,bmi,bmi2,lzcnt,pclmul,popcnt"))) void jsonindex_avx512(
    jsonindex *index) {
    index_batch(index, fill_by_product);
}
#endif

jsonindex_step *jsonindex_registers(int width) {
    if (width == 0) return jsonindex_narrow;
#if defined(__x86_64__)
    bool bits = __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("lzcnt")
        && __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("popcnt");
    if (width == 1 && bits && __builtin_cpu_supports("avx2")) return jsonindex_avx2;
    if (width == 2 && bits && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512vl"))
        return jsonindex_avx512;
#endif
    return NULL;
}

jsonindex_step *jsonindex_fastest(void) {
#if defined(__x86_64__)
    // Processors that have AVX-512 without VBMI2 lower their clock for it: with AVX2 they take a seventh less time.
    if (__builtin_cpu_supports("avx512vbmi2") && jsonindex_registers(2)) return jsonindex_registers(2);
#endif
    return jsonindex_registers(1) ? jsonindex_registers(1) : jsonindex_narrow;
}
