// What a code point is to a tokenizer, and its lower case: lookups in the tables that Tools/unicode-tables writes.
#ifndef CTOKENIZE_CODE_POINTS_H
#define CTOKENIZE_CODE_POINTS_H
#include <stdint.h>

/// What the rules of UAX #29 and of white space tell apart. The names are the Word_Break values, where there is one.
typedef enum __attribute__((enum_extensibility(closed))) : uint8_t {
    ctokenize_other,
    ctokenize_space,             // White_Space that no rule joins to a word
    ctokenize_letter,            // ALetter
    ctokenize_hebrew,            // Hebrew_Letter
    ctokenize_number,            // Numeric
    ctokenize_katakana,          // Katakana
    ctokenize_connector,         // ExtendNumLet
    ctokenize_single,            // a word of its own: an ideograph, or Hiragana
    ctokenize_southEastAsian,    // a letter of a script that is written without spaces: Line_Break SA
    ctokenize_extend,            // Extend or Format
    ctokenize_joiner,            // ZWJ
    ctokenize_midLetter,         // MidLetter
    ctokenize_midNumber,         // MidNum
    ctokenize_midBoth,           // MidNumLet
    ctokenize_singleQuote,       // Single_Quote
    ctokenize_doubleQuote,       // Double_Quote
    ctokenize_pictograph,        // Extended_Pictographic
    ctokenize_pictographLetter,  // both Extended_Pictographic and ALetter
    ctokenize_spaceConnector,    // both White_Space and ExtendNumLet: U+202F
    ctokenize_invalid,           // an ill-formed sequence
    ctokenize_break,             // ASCII that parts tokens; which, depends on how the text is split
} ctokenize_class;

/// The record of a code point is leaves[index[point / 128] * 128 + point % 128].
extern const uint8_t ctokenize_index[];
extern const uint8_t ctokenize_leaves[];
/// The class of each record, and how far its simple lower-case mapping moves a code point.
extern const uint8_t ctokenize_class_of_record[];
extern const int32_t ctokenize_step_of_record[];

typedef struct {
    uint32_t point;   // meaningless where the sequence is ill-formed
    uint8_t length;   // in bytes
    uint8_t class;    // of ctokenize_class
    uint8_t record;
} ctokenize_code_point;

static inline ctokenize_code_point ctokenize_known(uint32_t point, uint8_t length) {
    uint8_t record = ctokenize_leaves[ctokenize_index[point >> 7] << 7 | (point & 127)];
    return (ctokenize_code_point){point, length, ctokenize_class_of_record[record], record};
}

/// The code point that begins at source, which is not ASCII. What is ill-formed comes in maximal subparts, as Unicode
/// section 3.9 has them: the bytes that could have become one code point.
///
/// Reads no byte behind the first that is ASCII.
static inline ctokenize_code_point ctokenize_decode(const uint8_t *_Nonnull source) {
#define CONTINUES(byte) (((byte) & 0xC0) == 0x80)
#define ILL_FORMED(length) ((ctokenize_code_point){0, (length), ctokenize_invalid, 0})
    uint8_t first = source[0];
    if (first < 0xC2 || first > 0xF4) return ILL_FORMED(1);
    uint8_t second = source[1];
    if (!CONTINUES(second)) return ILL_FORMED(1);
    if (first < 0xE0) return ctokenize_known((first & 0x1Fu) << 6 | (second & 0x3Fu), 2);
    if (first < 0xF0) {
        uint32_t leading = (first & 0xFu) << 6 | (second & 0x3Fu);
        if (leading < 0x800 >> 6 || leading - (0xD800 >> 6) < 0x800 >> 6) return ILL_FORMED(1);
        if (!CONTINUES(source[2])) return ILL_FORMED(2);
        return ctokenize_known(leading << 6 | (source[2] & 0x3Fu), 3);
    }
    uint32_t leading = (first & 7u) << 6 | (second & 0x3Fu);
    if (leading < 0x10000 >> 12 || leading >= 0x110000 >> 12) return ILL_FORMED(1);
    if (!CONTINUES(source[2])) return ILL_FORMED(2);
    if (!CONTINUES(source[3])) return ILL_FORMED(3);
    return ctokenize_known(leading << 12 | (source[2] & 0x3Fu) << 6 | (source[3] & 0x3Fu), 4);
#undef CONTINUES
#undef ILL_FORMED
}

static inline ctokenize_class ctokenize_class_of_ascii(uint8_t byte) {
    return (ctokenize_class)ctokenize_known(byte, 1).class;
}

/// Where records have their steps; the second has 0 for each: no case is changed.
static inline const int32_t *_Nonnull ctokenize_steps(_Bool lowercase) {
    static const int32_t none[256];
    return lowercase ? ctokenize_step_of_record : none;
}

#endif
