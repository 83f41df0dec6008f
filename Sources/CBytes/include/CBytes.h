// What Swift cannot say well: 64-byte masks, libc's memory searches, and xxHash.
// Every function is static inline, so that it disappears into the Swift loop that calls it.
#ifndef CBYTES_H
#define CBYTES_H
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#ifdef __GLIBC__  // which string.h tells
#include <malloc.h>
#endif

#define XXH_INLINE_ALL
#include <xxhash.h>

// Sixty-four bytes at once, in clang's portable vectors: SSE2 on x86-64, NEON on arm64.
typedef uint8_t cbytes_block __attribute__((vector_size(64), aligned(1)));
typedef _Bool cbytes_bits __attribute__((ext_vector_type(64)));

// A macro, since a function that returns 64 bytes has no settled ABI below AVX-512.
#define CBYTES_LOAD(source) (*(const cbytes_block *)(source))

#define CBYTES_MASK(condition)                                          \
    ({                                                                  \
        cbytes_bits bits = __builtin_convertvector((condition), cbytes_bits); \
        uint64_t mask;                                                  \
        memcpy(&mask, &bits, sizeof mask);                              \
        mask;                                                           \
    })

/// Bit i is set where source[i] == byte, for the 64 bytes at source.
static inline uint64_t cbytes_mask_equal(const void *_Nonnull source, uint8_t byte) {
    return CBYTES_MASK(CBYTES_LOAD(source) == byte);
}

/// The same for fewer than 64 bytes, of which none past count is read. byte is not 0.
static inline uint64_t cbytes_mask_equal_padded(const void *_Nonnull source, uint8_t byte, size_t count) {
    uint8_t block[64] = {0};
    memcpy(block, source, count);
    return cbytes_mask_equal(block, byte);
}

/// Bit i is set where source[i] ends a field: at a TAB or LF.
static inline uint64_t cbytes_mask_field_end(const void *_Nonnull source) {
    return CBYTES_MASK((cbytes_block)(CBYTES_LOAD(source) - '\t') < 2);
}

/// The same for fewer than 64 bytes, of which none past count is read.
static inline uint64_t cbytes_mask_field_end_padded(const void *_Nonnull source, size_t count) {
    uint8_t block[64] = {0};
    memcpy(block, source, count);
    return cbytes_mask_field_end(block);
}

/// How many of the count bytes at source equal byte.
static inline size_t cbytes_count(const void *_Nonnull source, uint8_t byte, size_t count) {
    const uint8_t *next = source, *end = next + count;
    size_t found = 0;
    while (end - next >= 64) {
        cbytes_block lanes = {0};  // each lane counts to at most 255
        for (int round = 0; round < 255 && end - next >= 64; round++, next += 64)
            lanes -= (cbytes_block)(CBYTES_LOAD(next) == byte);
        for (int lane = 0; lane < 64; lane++) found += lanes[lane];
    }
    for (; next < end; next++) found += *next == byte;
    return found;
}

/// Offset of the first byte in the count bytes at source, or count.
static inline size_t cbytes_first(const void *_Nonnull source, uint8_t byte, size_t count) {
    const void *found = memchr(source, byte, count);
    return found ? (size_t)((const uint8_t *)found - (const uint8_t *)source) : count;
}

/// Offset behind the last byte in the count bytes at source, or 0.
static inline size_t cbytes_behind_last(const void *_Nonnull source, uint8_t byte, size_t count) {
    const uint8_t *bytes = source;
    for (; count % 64 != 0; count--)
        if (bytes[count - 1] == byte) return count;
    for (; count > 0; count -= 64) {
        uint64_t mask = cbytes_mask_equal(bytes + count - 64, byte);
        if (mask != 0) return count - (size_t)__builtin_clzll(mask);
    }
    return 0;
}

/// Whether the count bytes at left and right are the same.
static inline _Bool cbytes_equal(const void *_Nonnull left, const void *_Nonnull right, size_t count) {
    return memcmp(left, right, count) == 0;
}

/// Below, at or above 0 as left sorts before, with or behind right, byte by byte.
static inline int cbytes_compare(const void *_Nonnull left, const void *_Nonnull right, size_t count) {
    return memcmp(left, right, count);
}

/// Sixteen bytes as two words.
typedef struct {
    uint64_t low, high;
} cbytes_pair;

/// The first count bytes at source, at most 16, with zeros behind them. All 16 must be readable.
static inline cbytes_pair cbytes_load16(const void *_Nonnull source, size_t count) {
    static const uint8_t keep[32] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
    cbytes_pair words, mask;
    memcpy(&words, source, 16);
    memcpy(&mask, keep + 16 - count, 16);
    words.low &= mask.low;
    words.high &= mask.high;
    return words;
}

/// The same where none past count may be read.
static inline cbytes_pair cbytes_load16_padded(const void *_Nonnull source, size_t count) {
    cbytes_pair words = {0, 0};
    memcpy(&words, source, count);
    return words;
}

/// XXH3, 64 bits: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
static inline uint64_t cbytes_xxh3(const void *_Nonnull source, size_t count, uint64_t seed) {
    return XXH3_64bits_withSeed(source, count, seed);
}

/// Memory of size bytes that begins with what is at block, or new memory where there is no block; NULL where there is none.
/// Large blocks move by their pages, without being copied.
static inline void *_Nullable cbytes_resize(void *_Nullable block, size_t size) { return realloc(block, size); }

static inline void cbytes_release(void *_Nullable block) { free(block); }

/// Asks for the cache line at address, which will be written soon. Any address will do.
static inline void cbytes_prefetch(const void *_Nonnull address) {
    __builtin_prefetch(address, 1);
}

/// The 128-bit XXH3 of the count bytes at source, seed 0: first its high half, then its low half.
static inline void cbytes_hash128(const void *_Nullable source, size_t count, uint64_t halves[_Nonnull 2]) {
    XXH128_hash_t hash = XXH3_128bits(source, count);
    halves[0] = hash.high64;
    halves[1] = hash.low64;
}

// Sixteen bytes at once, for runs that are mostly shorter than 64. Signed, so that one comparison finds control
// characters and what is not ASCII.
typedef int8_t cbytes_small_block __attribute__((vector_size(16), aligned(1)));
typedef _Bool cbytes_small_bits __attribute__((ext_vector_type(16)));

/// Copies count bytes up to the first that does not stand for itself in a JSON string (a quote, a backslash, a control
/// character, or what is not ASCII) and returns how many that were.
/// At most readable bytes are read at source; at target up to 15 more than were copied are written over.
static inline size_t cbytes_copy_plain(
    uint8_t *_Nonnull target, const uint8_t *_Nonnull source, size_t count, size_t readable) {
    for (size_t at = 0; at < count; at += 16) {
        cbytes_small_block block = {0};
        if (readable - at >= 16) block = *(const cbytes_small_block *)(source + at);
        else memcpy(&block, source + at, count - at);
        memcpy(target + at, &block, sizeof block);
        cbytes_small_bits bits =
            __builtin_convertvector((block < 0x20) | (block == '"') | (block == '\\'), cbytes_small_bits);
        uint16_t mask;
        memcpy(&mask, &bits, sizeof mask);
        if (count - at < 16) mask &= (uint16_t)((1u << (count - at)) - 1);
        if (mask != 0) return at + (size_t)__builtin_ctz(mask);
    }
    return count;
}

/// Copies count bytes, of which at least readable may be read; at target up to 15 more are written over.
static inline void cbytes_copy_roughly(
    uint8_t *_Nonnull target, const uint8_t *_Nonnull source, size_t count, size_t readable) {
    for (size_t at = 0; at < count; at += 16) {
        if (readable - at < 16) {
            memcpy(target + at, source + at, count - at);
            return;
        }
        memcpy(target + at, source + at, 16);
    }
}

/// Asks for huge pages under a block that begins at one and is made of whole ones. Where there are none, nothing happens.
static inline void cbytes_prefer_huge_pages(void *_Nonnull start, size_t count) {
#ifdef MADV_HUGEPAGE
    madvise(start, count, MADV_HUGEPAGE);
#endif
}

/// Lets large blocks go back to the system when they are freed. By default glibc keeps blocks of the size that was freed
/// last, up to 32 MiB, so that a program that frees and allocates takes more memory than it holds.
static inline void cbytes_return_freed_memory(void) {
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, 128 << 10);
#endif
}

#endif
