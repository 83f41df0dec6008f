#include "JSONIndex.h"

#include <CBytes.h>

#define INLINE static inline __attribute__((always_inline))

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
    for (; places != 0; places &= places - 1) {
        const uint8_t *at = block + __builtin_ctzll(places);
        switch (at < end ? *at : 0) {
            case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't': break;
            case 'u':
                for (int digit = 1; digit <= 4; digit++)
                    if (at + digit >= end || jsonindex_hexadecimal(at[digit]) > 15) return false;
                break;
            default: return false;
        }
    }
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

/// From each set bit up to the one before the next.
INLINE uint64_t fill_between(uint64_t bits) {
    for (int shift = 1; shift < 64; shift *= 2) bits ^= bits << shift;
    return bits;
}

INLINE void index_block(jsonindex *index, const uint8_t *block, uint64_t valid, jsonindex_block *out) {
    const bool strict = index->strict;
    masks found;
    uint64_t brackets = CBYTES_MASK(((CBYTES_LOAD(block) | 0x20) == '{') | ((CBYTES_LOAD(block) | 0x20) == '}'));
    uint64_t backslashes = cbytes_mask_equal(block, '\\');
    uint64_t controls = CBYTES_MASK(CBYTES_LOAD(block) < 0x20);
    uint64_t wide = CBYTES_MASK(CBYTES_LOAD(block) > 0x7F);
    uint64_t commas = cbytes_mask_equal(block, ',');
    found.operators = brackets | commas | cbytes_mask_equal(block, ':');
    found.quotes = cbytes_mask_equal(block, '"');
    found.spaces = cbytes_mask_equal(block, ' ');
    found.ends = 0;
    if (controls != 0) {
        found.ends = cbytes_mask_equal(block, '\n');
        found.spaces |= CBYTES_MASK((CBYTES_LOAD(block) == '\t') | (CBYTES_LOAD(block) == '\r'));
    }
    if (wide != 0) index->seen |= jsonindex_wide;
    uint64_t in_string = index->in_string, was_escaped = index->escaped;
    if (backslashes != 0 || was_escaped != 0) {
        uint64_t escaped = find_escaped(index, backslashes);
        found.quotes &= ~escaped;
        index->seen |= jsonindex_backslash;
        index->backslashes |= (uint64_t)1 << (out - index->blocks);
        if (strict && !escapes_are_good(index, escaped & valid)) index->seen |= jsonindex_doubt;
    }
    found.strings = fill_between(found.quotes) ^ in_string;
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

INLINE void index_batch(jsonindex *index) {
    const uint8_t *text = index->text + index->offset;
    index->seen = 0;
    index->backslashes = 0;
    jsonindex_block *out = index->blocks;
    for (; out < index->blocks + JSONINDEX_BLOCKS && index->offset < index->count; out++) {
        size_t left = index->count - index->offset;
        if (index->readable - index->offset >= 64) {
            index_block(index, index->text + index->offset, ~(uint64_t)0, out);
            index->offset += 64;
        } else {
            uint8_t block[64];
            memset(block, '\n', sizeof block);
            memcpy(block, index->text + index->offset, index->readable - index->offset);
            index_block(index, block, left >= 64 ? ~(uint64_t)0 : ((uint64_t)1 << left) - 1, out);
            index->offset += left < 64 ? left : 64;
        }
    }
    index->cursor = (jsonindex_cursor){text, index->blocks->matters, index->blocks, out};
}

void jsonindex_narrow(jsonindex *index) { index_batch(index); }

#if defined(__x86_64__)
__attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt"))) void jsonindex_avx2(jsonindex *index) { index_batch(index); }
__attribute__((target("avx512f,avx512bw,avx512vl,bmi,bmi2,lzcnt,popcnt"))) void jsonindex_avx512(
    jsonindex *index) {
    index_batch(index);
}
#endif

jsonindex_step *jsonindex_registers(int width) {
    if (width == 0) return jsonindex_narrow;
#if defined(__x86_64__)
    bool bits = __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("lzcnt")
        && __builtin_cpu_supports("popcnt");
    if (width == 1 && bits && __builtin_cpu_supports("avx2")) return jsonindex_avx2;
    if (width == 2 && bits && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512vl"))
        return jsonindex_avx512;
#endif
    return NULL;
}

jsonindex_step *jsonindex_widest(void) {
    for (int width = 2; width > 0; width--)
        if (jsonindex_registers(width)) return jsonindex_registers(width);
    return jsonindex_narrow;
}
