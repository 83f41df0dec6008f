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
    ctokenize_illFormed,         // an ill-formed sequence
    ctokenize_break,             // ASCII that parts tokens; which, depends on how the text is split
} ctokenize_class;

/// What an ill-formed sequence counts as.
#define CTOKENIZE_ILL_FORMED 0x110000

/// The record of a code point is leaves[index[point / 128] * 128 + point % 128]; there is one for ILL_FORMED, too.
extern const uint8_t ctokenize_index[];
extern const uint8_t ctokenize_leaves[];
/// The class of each record, and how far its simple lower-case mapping moves a code point.
extern const uint8_t ctokenize_class_of_record[];
extern const int32_t ctokenize_step_of_record[];
extern const uint8_t ctokenize_record_count;

// Swift does not see arrays of unknown length.
static inline uint8_t ctokenize_record(uint32_t point) {
    return ctokenize_leaves[ctokenize_index[point >> 7] << 7 | (point & 127)];
}
static inline uint8_t ctokenize_class_at(uint8_t record) { return ctokenize_class_of_record[record]; }
static inline int32_t ctokenize_step_at(uint8_t record) { return ctokenize_step_of_record[record]; }

#endif
