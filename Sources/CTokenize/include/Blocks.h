// Sixty-four bytes of text at once: what of it parts tokens, with the letters in lower case. In four lanes of 16 bytes,
// the registers that x86-64 and arm64 are sure to have; WideBlocks.c makes the same functions with one lane of 64.
#ifndef CTOKENIZE_BLOCKS_H
#define CTOKENIZE_BLOCKS_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef CTOKENIZE_LANE
#define CTOKENIZE_LANE 16
#endif

/// The most that a function here reads behind the 64 bytes at source; and each may read the byte in front of them.
#define CTOKENIZE_LOOKAHEAD 2

/// What 64 bytes are; bit i of each mask tells of source[i].
typedef struct {
    uint64_t parts;      // parts tokens
    uint64_t hard;       // can only be judged code point by code point
    uint64_t word;       // letters and digits: ASCII and the easy letters below
    uint64_t single;     // easy ideographs and Hiragana: each is a word of its own
    uint64_t katakana;   // easy Katakana
    uint64_t connector;  // _
    uint64_t middle;     // ' , . : ; which may join what stands on both sides of them
    uint64_t middle_wide;  // the first byte of a wide , . : or ;
    uint64_t begins;     // begins a code point
    uint64_t lead;       // of a longer sequence the first byte, and where it has three the second
} ctokenize_block;

/// The ASCII bytes low ... low + span.
typedef struct {
    uint8_t low;
    uint8_t span;
} ctokenize_range;

/// A comparison gives 0xFF for yes and 0 for no in each byte.
typedef uint8_t ctokenize_lane __attribute__((vector_size(CTOKENIZE_LANE), aligned(1)));
typedef int8_t ctokenize_signed __attribute__((vector_size(CTOKENIZE_LANE)));
typedef _Bool ctokenize_bits __attribute__((ext_vector_type(CTOKENIZE_LANE)));

static inline ctokenize_lane ctokenize_load(const uint8_t *_Nonnull source) { return *(const ctokenize_lane *)source; }

static inline void ctokenize_store(uint8_t *_Nonnull target, ctokenize_lane lane) { memcpy(target, &lane, sizeof lane); }

/// The mask of a comparison, as part of that of the block.
static inline uint64_t ctokenize_mask(ctokenize_lane yes, size_t at) {
    ctokenize_bits bits = __builtin_convertvector((yes & 0x80) != 0, ctokenize_bits);
    uint64_t mask = 0;
    memcpy(&mask, &bits, sizeof bits);
    return mask << at;
}

static inline ctokenize_lane ctokenize_is(ctokenize_lane lane, uint8_t byte) { return (ctokenize_lane)(lane == byte); }

static inline ctokenize_lane ctokenize_is_in(ctokenize_lane lane, uint8_t low, uint8_t span) {
    return (ctokenize_lane)((ctokenize_lane)(lane - low) <= span);
}

/// ASCII in lower case, where small is 0x20; as it is, where small is 0.
static inline ctokenize_lane ctokenize_lower(ctokenize_lane lane, uint8_t small) {
    return lane | (ctokenize_is_in(lane, 'A', 25) & small);
}

// Many bytes that are not ASCII are as easy:
//
//     U+00C0 ... U+00FF  letters but for the signs of multiplication and division
//     U+0101 ... U+017E  the small letters
//     U+03AC ... U+03CE  the small letters of Greek
//     U+0400 ... U+045F  Cyrillic letters
//     U+4E00 ... U+9FFF  ideographs
//     U+3041 ... U+3096  Hiragana
//     U+30A1 ... U+30FF  Katakana but for U+30FB
//     U+0080 ... U+00BF, U+2010 ... U+2026, U+3000 ... U+3020, U+30FB, U+FF01 ... U+FF20  punctuation but for what is a
//                        letter, a digit, or may be joined to a word
//
// That is most of what European, Chinese and Japanese text has. The letters are Word_Break = ALetter, and the lower case
// of each has two bytes as well. Each function below takes one lane.

/// Which bytes are the second of a Latin or Greek letter; `lower` gets it in lower case, where small is 0x20.
static inline ctokenize_lane ctokenize_latin_greek(
    const uint8_t *_Nonnull source, ctokenize_lane *_Nonnull lower, uint8_t small) {
    ctokenize_lane before = ctokenize_load(source - 1), lane = ctokenize_load(source);
    ctokenize_lane odd = (ctokenize_lane)((lane & 1) != 0);
    ctokenize_lane continues = ctokenize_is(lane & 0xC0, 0x80);
    ctokenize_lane latin = ctokenize_is(before, 0xC3) & ~ctokenize_is(lane & 0xDF, 0x97);
    ctokenize_lane small_latin =  // the small ones are odd, but even from U+0138 to U+0148 and from U+017A on
        (ctokenize_is(before, 0xC4) & (odd ^ ctokenize_is_in(lane, 0xB8, 0xBF - 0xB8)))
        | (ctokenize_is(before, 0xC5) & ~(odd ^ ctokenize_is_in(lane, 0x89, 0xB7 - 0x89)) & ~ctokenize_is(lane, 0xB8));
    ctokenize_lane small_greek = (ctokenize_is(before, 0xCE) & ctokenize_is_in(lane, 0xAC, 0xBF - 0xAC))
        | (ctokenize_is(before, 0xCF) & ctokenize_is_in(lane, 0x80, 0x8E - 0x80));
    *lower ^= latin & ctokenize_is_in(lane, 0x80, 0x9E - 0x80) & small;  // C3 80...9E: A0...BE
    return continues & (latin | small_latin | small_greek);
}

/// Which bytes are the second of a Cyrillic letter; `lower` gets it in lower case, where small is 0x20.
static inline ctokenize_lane ctokenize_cyrillic(
    const uint8_t *_Nonnull source, ctokenize_lane *_Nonnull lower, uint8_t small) {
    ctokenize_lane before = ctokenize_load(source - 1), lane = ctokenize_load(source), after = ctokenize_load(source + 1);
    ctokenize_lane first = ctokenize_is(before, 0xD0) & ctokenize_is_in(lane, 0x80, 0x3F);
    ctokenize_lane second = ctokenize_is(before, 0xD1) & ctokenize_is_in(lane, 0x80, 0x1F);
    // D0 80...8F: D1 90...9F. D0 90...9F: D0 B0...BF. D0 A0...AF: D1 80...8F.
    ctokenize_lane lead = ctokenize_is(lane, 0xD0) & ctokenize_is(after & 0xD0, 0x80);
    ctokenize_lane by_10 = first & ctokenize_is(lane & 0x30, 0);
    ctokenize_lane by_20 = first & ctokenize_is_in(lane, 0x90, 0xAF - 0x90);
    *lower ^= ((lead & 1) | (by_10 & 0x10) | (by_20 & 0x20)) & (uint8_t)(small ? 0xFF : 0);
    return first | second;
}

/// Which bytes begin punctuation of two bytes, and which of three, where continuation bytes follow.
static inline void ctokenize_punctuation(
    const uint8_t *_Nonnull source, ctokenize_lane *_Nonnull two, ctokenize_lane *_Nonnull three) {
    ctokenize_lane first = ctokenize_load(source), second = ctokenize_load(source + 1), third = ctokenize_load(source + 2);
    *two = ctokenize_is(first, 0xC2)  // without AA AD B5 B7 BA
        & ~(ctokenize_is(second & 0xEF, 0xAA) | ctokenize_is(second, 0xAD) | ctokenize_is(second & 0xFD, 0xB5));
    *three = ctokenize_is(first, 0xE2) & ctokenize_is(second, 0x80) & ctokenize_is_in(third, 0x90, 0xA6 - 0x90)
        & ~(ctokenize_is(third & 0xFE, 0x98) | ctokenize_is(third, 0xA4));  // without U+2018 U+2019 U+2024
}

/// Which bytes begin an ideograph or Hiragana, Katakana, punctuation, or a wide , . : ; where continuation bytes follow.
static inline void ctokenize_east_asian(
    const uint8_t *_Nonnull source, ctokenize_lane *_Nonnull single, ctokenize_lane *_Nonnull katakana,
    ctokenize_lane *_Nonnull punctuation, ctokenize_lane *_Nonnull middle) {
    ctokenize_lane first = ctokenize_load(source), second = ctokenize_load(source + 1), third = ctokenize_load(source + 2);
    ctokenize_lane wide = ctokenize_is(first, 0xEF) & ctokenize_is(second, 0xBC);
    // U+3000 ... U+30FF, and the last byte of that number.
    ctokenize_lane kana = ctokenize_is(first, 0xE3) & ctokenize_is_in(second, 0x80, 3);
    ctokenize_lane last = (ctokenize_lane)(second << 6) | (third & 0x3F);
    ctokenize_lane dot = ctokenize_is(last, 0xFB);
    *single = ctokenize_is_in(first, 0xE5, 0xE9 - 0xE5) | (ctokenize_is(first, 0xE4) & ctokenize_is_in(second, 0xB8, 7))
        | (kana & ctokenize_is_in(last, 0x41, 0x96 - 0x41));
    *katakana = kana & ctokenize_is_in(last, 0xA1, 0xFF - 0xA1) & ~dot;
    *punctuation = (kana & (ctokenize_is_in(last, 0x00, 4) | ctokenize_is_in(last, 0x08, 0x18) | dot))
        | (wide & ((ctokenize_is_in(third, 0x81, 0x0A) & ~ctokenize_is(third, 0x87)) | ctokenize_is_in(third, 0x9C, 4)));
    *middle = wide & (ctokenize_is(third & 0xFD, 0x8C) | ctokenize_is_in(third, 0x9A, 1));
}

/// Each of these bytes and the two behind it.
static inline uint64_t ctokenize_all_three(uint64_t first) { return first | first << 1 | first << 2; }

static inline void ctokenize_begin_with_lf(uint8_t *_Nonnull target, ctokenize_lane first) {
    ctokenize_store(target, (ctokenize_load(target) & ~first) | (first & '\n'));
}

/// Judges the bytes of a block that are not ASCII, all of them hard so far: easy letters are not, and the copy of them at
/// target is put into lower case. Where `words` are wanted, the other easy code points are not hard either, and
/// punctuation begins with LF in the copy.
static inline __attribute__((always_inline)) void ctokenize_judge(
    ctokenize_block *_Nonnull found, uint8_t *_Nonnull target, const uint8_t *_Nonnull source, uint8_t small, _Bool words) {
    ctokenize_lane any_latin = {0}, any_cyrillic = {0}, any_punctuation = {0}, any_east_asian = {0};
    uint64_t continues = 0, behind_df = 0;
#pragma clang loop unroll(full)
    for (size_t at = 0; at < 64; at += CTOKENIZE_LANE) {
        ctokenize_lane lane = ctokenize_load(source + at);
        any_latin |= ctokenize_is_in(lane, 0xC3, 0xCF - 0xC3);
        any_cyrillic |= ctokenize_is(lane & 0xFE, 0xD0);
        any_punctuation |= ctokenize_is(lane & 0xDF, 0xC2);  // C2, E2
        any_east_asian |= ctokenize_is_in(lane, 0xE3, 6) | ctokenize_is(lane, 0xEF);
        continues |= ctokenize_mask((ctokenize_lane)((ctokenize_signed)lane < -0x40), at);
        behind_df |= ctokenize_mask((ctokenize_lane)((ctokenize_signed)lane > -0x21), at);  // ASCII, too
    }
    found->begins = ~continues;
    found->lead = (found->hard & ~continues) | (found->hard & behind_df) << 1;
    uint64_t seconds = 0;
    if (ctokenize_mask(any_latin, 0) != 0) {
        for (size_t at = 0; at < 64; at += CTOKENIZE_LANE) {
            ctokenize_lane lower = ctokenize_load(target + at);
            seconds |= ctokenize_mask(ctokenize_latin_greek(source + at, &lower, small), at);
            ctokenize_store(target + at, lower);
        }
    }
    if (ctokenize_mask(any_cyrillic, 0) != 0) {
        for (size_t at = 0; at < 64; at += CTOKENIZE_LANE) {
            ctokenize_lane lower = ctokenize_load(target + at);
            seconds |= ctokenize_mask(ctokenize_cyrillic(source + at, &lower, small), at);
            ctokenize_store(target + at, lower);
        }
    }
    found->hard &= ~(seconds | seconds >> 1);
    found->word |= seconds | seconds >> 1;
    if (!words || found->hard == 0) return;
    // Where one and where two continuation bytes follow; of what ends behind the block that is not known.
    uint64_t follows = continues >> 1, two_follow = follows & follows >> 1;
    uint64_t parts = 0, parts_three = 0;
    if (ctokenize_mask(any_punctuation, 0) != 0) {
        for (size_t at = 0; at < 64; at += CTOKENIZE_LANE) {
            ctokenize_lane two, three;
            ctokenize_punctuation(source + at, &two, &three);
            ctokenize_begin_with_lf(target + at, two | three);
            parts |= ctokenize_mask(two, at);
            parts_three |= ctokenize_mask(three, at);
        }
        parts &= follows;
    }
    if (ctokenize_mask(any_east_asian, 0) != 0) {
        for (size_t at = 0; at < 64; at += CTOKENIZE_LANE) {
            ctokenize_lane single, katakana, punctuation, middle;
            ctokenize_east_asian(source + at, &single, &katakana, &punctuation, &middle);
            ctokenize_begin_with_lf(target + at, punctuation | middle);
            found->single |= ctokenize_mask(single, at);
            found->katakana |= ctokenize_mask(katakana, at);
            parts_three |= ctokenize_mask(punctuation, at);
            found->middle_wide |= ctokenize_mask(middle, at);
        }
        found->single = ctokenize_all_three(found->single & two_follow);
        found->katakana = ctokenize_all_three(found->katakana & two_follow);
        found->middle_wide &= two_follow;
    }
    found->hard &= ~(parts | parts << 1 | ctokenize_all_three(parts_three & two_follow) | found->single | found->katakana);
}

/// For words: copies 64 bytes; what is neither letter nor digit nor _ becomes LF. (`parts` is left to the caller.)
static inline ctokenize_block ctokenize_copy_words(
    uint8_t *_Nonnull target, const uint8_t *_Nonnull source, uint8_t small) {
    ctokenize_block found = {.begins = ~0ull};
#pragma clang loop unroll(full)
    for (size_t at = 0; at < 64; at += CTOKENIZE_LANE) {
        ctokenize_lane lane = ctokenize_load(source + at);
        ctokenize_lane connector = ctokenize_is(lane, '_');
        ctokenize_lane word = ctokenize_is_in(lane | 0x20, 'a', 25) | ctokenize_is_in(lane, '0', 9);
        ctokenize_lane middle = ctokenize_is(lane & 0xFE, ':') | ctokenize_is(lane & 0xFD, ',') | ctokenize_is(lane, '\'');
        ctokenize_lane stays = word | connector | (ctokenize_lane)(lane >= 0x80);
        ctokenize_store(target + at, (ctokenize_lower(lane, small) & stays) | (~stays & '\n'));
        found.word |= ctokenize_mask(word, at);
        found.connector |= ctokenize_mask(connector, at);
        found.middle |= ctokenize_mask(middle, at);
        found.hard |= ctokenize_mask(lane, at);
    }
    if (found.hard != 0) ctokenize_judge(&found, target, source, small, 1);
    return found;
}

/// Where Unicode's White_Space begins that is not ASCII.
static inline uint64_t ctokenize_wide_spaces(const uint8_t *_Nonnull source) {
    uint64_t found = 0;
    for (size_t at = 0; at < 64; at += CTOKENIZE_LANE) {
        ctokenize_lane first = ctokenize_load(source + at);
        ctokenize_lane second = ctokenize_load(source + at + 1), third = ctokenize_load(source + at + 2);
        ctokenize_lane space = ctokenize_is(first, 0xC2) & (ctokenize_is(second, 0x85) | ctokenize_is(second, 0xA0));
        space |= ctokenize_is(first, 0xE1) & ctokenize_is(second, 0x9A) & ctokenize_is(third, 0x80);  // U+1680
        space |= ctokenize_is(first, 0xE2) & ctokenize_is(second, 0x80)  // U+2000...200A, U+2028, U+2029, U+202F
            & (ctokenize_is_in(third, 0x80, 0x0A) | ctokenize_is(third & 0xFE, 0xA8) | ctokenize_is(third, 0xAF));
        space |= ctokenize_is(first, 0xE2) & ctokenize_is(second, 0x81) & ctokenize_is(third, 0x9F);  // U+205F
        space |= ctokenize_is(first, 0xE3) & ctokenize_is(second, 0x80) & ctokenize_is(third, 0x80);  // U+3000
        found |= ctokenize_mask(space, at);
    }
    return found;
}

/// For white space: copies 64 bytes, with ASCII white space as LF. Other white space is hard; if letters are to be in
/// lower case, so is all that is neither ASCII nor an easy letter.
static inline ctokenize_block ctokenize_copy_text(
    uint8_t *_Nonnull target, const uint8_t *_Nonnull source, uint8_t small) {
    ctokenize_block found = {0};
#pragma clang loop unroll(full)
    for (size_t at = 0; at < 64; at += CTOKENIZE_LANE) {
        ctokenize_lane lane = ctokenize_load(source + at);
        ctokenize_lane space = ctokenize_is(lane, ' ') | ctokenize_is_in(lane, '\t', 4);
        ctokenize_store(target + at, (ctokenize_lower(lane, small) & ~space) | (space & '\n'));
        found.parts |= ctokenize_mask(space, at);
        found.hard |= ctokenize_mask(lane, at);
    }
    if (found.hard != 0) {
        if (small) ctokenize_judge(&found, target, source, small, 0);
        else found.hard = ctokenize_wide_spaces(source);
    }
    return found;
}

/// For delimiters: copies 64 bytes, with LF for those in the ranges. If letters are to be in lower case, what is neither
/// ASCII nor an easy letter is hard; else nothing is.
static inline ctokenize_block ctokenize_copy_fields(
    uint8_t *_Nonnull target, const uint8_t *_Nonnull source, uint8_t small, const ctokenize_range *_Nullable ranges,
    size_t count) {
    ctokenize_block found = {0};
#pragma clang loop unroll(full)
    for (size_t at = 0; at < 64; at += CTOKENIZE_LANE) {
        ctokenize_lane lane = ctokenize_load(source + at);
        ctokenize_lane delimiter = ctokenize_is(lane, '\n');
        for (size_t i = 0; i < count; i++) delimiter |= ctokenize_is_in(lane, ranges[i].low, ranges[i].span);
        ctokenize_store(target + at, (ctokenize_lower(lane, small) & ~delimiter) | (delimiter & '\n'));
        found.parts |= ctokenize_mask(delimiter, at);
        if (small) found.hard |= ctokenize_mask(lane, at);
    }
    if (found.hard != 0) ctokenize_judge(&found, target, source, small, 0);
    return found;
}

#endif
