// Sixty-four bytes of text at once: what of it parts words, with the letters in lower case.
#ifndef CTOKENIZE_BLOCKS_H
#define CTOKENIZE_BLOCKS_H
#include <CBytes.h>

/// The most that a function here reads behind the 64 bytes at source; and each may read the byte in front of them.
#define CTOKENIZE_LOOKAHEAD 2

/// Each function writes its result twice, at target and this far behind it. So parts of it can be moved in steps of 16
/// bytes, which may overwrite more than they move.
#define CTOKENIZE_SPARE 80

// What follows are macros, since a function that takes or returns 64 bytes has no settled ABI below AVX-512.

/// ASCII in lower case, where small is 0x20; as it is, where small is 0.
#define CTOKENIZE_LOWER(block, small) \
    ((block) | ((cbytes_block)((cbytes_block)((block) - 'A') < 26) & (uint8_t)(small)))

/// The two-byte letters that are as easy as ASCII, which is most of what Latin, Greek and Cyrillic text has:
///
///     U+00C0 ... U+00FF  but for the signs of multiplication and division
///     U+0101 ... U+017E  the small ones
///     U+03AC ... U+03CE  the small ones of Greek
///     U+0400 ... U+045F  Cyrillic
///
/// All are Word_Break = ALetter, and the lower case of each has two bytes as well. Puts the mask of their second bytes
/// into `seconds`, and the letters in `block` into lower case, where small is 0x20.
#define CTOKENIZE_TWO_BYTE_LETTERS(source, block, seconds, small)                                                 \
    do {                                                                                                          \
        cbytes_block byte = CBYTES_LOAD(source);                                                                  \
        cbytes_block before = CBYTES_LOAD((const uint8_t *)(source) - 1);                                         \
        cbytes_block after = CBYTES_LOAD((const uint8_t *)(source) + 1);                                          \
        cbytes_block odd = (cbytes_block)((byte & 1) != 0);                                                       \
        cbytes_block latin = (cbytes_block)((before == 0xC3) & ((byte & 0xDF) != 0x97));                          \
        cbytes_block small_latin = (cbytes_block)(                                                                \
            ((before == 0xC4) & ((cbytes_block)(byte < 0xB8) == odd))                                             \
            | ((before == 0xC5) & ((cbytes_block)((cbytes_block)(byte - 0x89) < 0x30) == odd) & (byte != 0xB8))); \
        cbytes_block small_greek = (cbytes_block)(                                                                \
            ((before == 0xCE) & (byte >= 0xAC)) | ((before == 0xCF) & (byte < 0x8F)));                            \
        cbytes_block cyrillic = (cbytes_block)(before == 0xD0);                                                   \
        cbytes_block small_cyrillic = (cbytes_block)((before == 0xD1) & (byte < 0xA0));                           \
        cbytes_block letter = (cbytes_block)((byte & 0xC0) == 0x80)                                               \
            & (latin | small_latin | small_greek | cyrillic | small_cyrillic);                                    \
        /* C3 80...9E, D0 90...9F: to the second byte add 20. D0 A0...AF: take 20 from it and go on to lead D1. */ \
        /* D0 80...8F: add 10 and go on to lead D1. */                                                            \
        cbytes_block by_20 = (latin & (cbytes_block)(byte < 0x9F))                                                \
            | (cyrillic & (cbytes_block)((cbytes_block)(byte - 0x90) < 0x20));                                    \
        cbytes_block by_10 = cyrillic & (cbytes_block)(byte < 0x90);                                              \
        cbytes_block lead = (cbytes_block)((byte == 0xD0) & (after < 0xB0) & ((after & 0x10) == 0));              \
        uint8_t wanted = (small) ? 0xFF : 0;                                                                      \
        (block) ^= wanted & ((letter & ((by_20 & 0x20) | (by_10 & 0x10))) | (lead & 1));                          \
        (seconds) = CBYTES_MASK(letter != 0);                                                                     \
    } while (0)

/// What 64 bytes are; bit i of each mask tells of source[i].
typedef struct {
    uint64_t parts;      // parts tokens
    uint64_t hard;       // can only be judged code point by code point
    uint64_t word;       // letters and digits: ASCII and the two-byte letters above
    uint64_t connector;  // _
    uint64_t middle;     // ' , . : ; which may join what stands on both sides of them
    uint64_t lead;       // the first byte of a longer sequence
} ctokenize_block;

/// For words: copies 64 bytes; what is neither word nor connector nor hard becomes LF. (parts is left to the caller.)
static inline ctokenize_block ctokenize_copy_words(void *_Nonnull target, const void *_Nonnull source, uint8_t small) {
    cbytes_block block = CBYTES_LOAD(source);
    cbytes_block high = (cbytes_block)(block >= 0x80);
    cbytes_block connector = (cbytes_block)(block == '_');
    cbytes_block word = (cbytes_block)(((cbytes_block)((block | 0x20) - 'a') < 26) | ((cbytes_block)(block - '0') < 10));
    cbytes_block middle = (cbytes_block)(
        ((block & 0xFE) == ':') | ((block & 0xFD) == ',') | (block == '\''));  // : ;  , .  '
    cbytes_block lower = CTOKENIZE_LOWER(block, small);
    cbytes_block stays = word | connector | high;
    cbytes_block result = (lower & stays) | (~stays & '\n');
    ctokenize_block found = {
        .hard = CBYTES_MASK(high != 0),
        .word = CBYTES_MASK(word != 0),
        .connector = CBYTES_MASK(connector != 0),
        .middle = CBYTES_MASK(middle != 0),
    };
    if (found.hard != 0) {
        uint64_t seconds;
        CTOKENIZE_TWO_BYTE_LETTERS(source, result, seconds, small);
        found.hard &= ~(seconds | seconds >> 1);
        found.word |= seconds | seconds >> 1;
        found.lead = CBYTES_MASK(block >= 0xC0);
    }
    memcpy(target, &result, sizeof result);
    memcpy((uint8_t *)target + CTOKENIZE_SPARE, &result, sizeof result);
    return found;
}

/// For white space: copies 64 bytes, with ASCII white space as LF. Other white space is hard; if letters are to be in
/// lower case, so is all that is neither ASCII nor a two-byte letter.
static inline ctokenize_block ctokenize_copy_text(void *_Nonnull target, const void *_Nonnull source, uint8_t small) {
    const uint8_t *bytes = source;
    cbytes_block block = CBYTES_LOAD(source);
    cbytes_block space = (cbytes_block)((block == ' ') | ((cbytes_block)(block - 9) < 5));
    cbytes_block result = (CTOKENIZE_LOWER(block, small) & ~space) | (space & '\n');
    ctokenize_block found = {.parts = CBYTES_MASK(space != 0)};
    uint64_t high = CBYTES_MASK(block >= 0x80);
    if (high != 0) {
        if (small) {
            uint64_t seconds;
            CTOKENIZE_TWO_BYTE_LETTERS(source, result, seconds, small);
            found.hard = high & ~(seconds | seconds >> 1);
            found.lead = CBYTES_MASK(block >= 0xC0);
        } else {
            cbytes_block second = CBYTES_LOAD(bytes + 1), third = CBYTES_LOAD(bytes + 2);
            found.hard = CBYTES_MASK(
                ((block == 0xC2) & ((second == 0x85) | (second == 0xA0)))                               // U+0085 U+00A0
                | ((block == 0xE1) & (second == 0x9A) & (third == 0x80))                                // U+1680
                | ((block == 0xE2) & (second == 0x80) & (((cbytes_block)(third - 0x80) < 0x0B)          // U+2000 ... U+200A
                    | ((third & 0xFE) == 0xA8) | (third == 0xAF)))                                      // U+2028 U+2029 U+202F
                | ((block == 0xE2) & (second == 0x81) & (third == 0x9F))                                // U+205F
                | ((block == 0xE3) & (second == 0x80) & (third == 0x80)));                              // U+3000
        }
    }
    memcpy(target, &result, sizeof result);
    memcpy((uint8_t *)target + CTOKENIZE_SPARE, &result, sizeof result);
    return found;
}

/// The ASCII bytes low ... low + span.
typedef struct {
    uint8_t low;
    uint8_t span;
} ctokenize_range;

/// For delimiters: copies 64 bytes, with those in the ranges as LF. If letters are to be in lower case, what is neither
/// ASCII nor a two-byte letter is hard; else nothing is.
static inline ctokenize_block ctokenize_copy_fields(
    void *_Nonnull target, const void *_Nonnull source, uint8_t small, const ctokenize_range *_Nullable ranges, size_t count
) {
    cbytes_block block = CBYTES_LOAD(source);
    cbytes_block delimiter = (cbytes_block)(block == '\n');
    for (size_t i = 0; i < count; i++)
        delimiter |= (cbytes_block)((cbytes_block)(block - ranges[i].low) <= ranges[i].span);
    cbytes_block result = (CTOKENIZE_LOWER(block, small) & ~delimiter) | (delimiter & '\n');
    ctokenize_block found = {.parts = CBYTES_MASK(delimiter != 0)};
    uint64_t high = small ? CBYTES_MASK(block >= 0x80) : 0;
    if (high != 0) {
        uint64_t seconds;
        CTOKENIZE_TWO_BYTE_LETTERS(source, result, seconds, small);
        found.hard = high & ~(seconds | seconds >> 1);
        found.lead = CBYTES_MASK(block >= 0xC0);
    }
    memcpy(target, &result, sizeof result);
    memcpy((uint8_t *)target + CTOKENIZE_SPARE, &result, sizeof result);
    return found;
}

#endif
