// What the parts of jsonlines share.
#ifndef JSONWALK_H
#define JSONWALK_H
#include "JSONIndex.h"
#include "JSONLines.h"
#include "JSONShapes.h"

/// As deep as simdjson goes: one level more may be there if it is empty.
#define DEEPEST 1023

/// A place that a wanted path leads to or over.
typedef struct {
    uint8_t *name;
    size_t length;
    /// The name as the index of an array's element; -1 where it is none.
    int64_t index;
    int child, sibling;
    /// The value that is wanted here, or -1.
    int want;
    /// The last object or element in which it was met: members of the same name come to nothing.
    uint64_t met;
    /// How many places are below this one, and how many of them were met in this object.
    int below, met_below;
    /// The lengths of their names: bit 63 is for all that are longer.
    uint64_t lengths;
} place;

struct jsonlines {
    jsonindex index;
    jsonindex_step *step;
    const uint8_t *(*walk)(jsonlines *lines, bool only_objects, bool *good);
    place *places;
    int place_count;
    jsonlines_value *values;
    int value_count;
    uint64_t walks;
    /// NULL: every line is walked; so it is where memory is short.
    jsonshapes *shapes;
    bool wants_shapes;
    /// Whether lines were read by their shape since the last walk, so that the index is not where they end.
    bool is_ahead;
    /// The line walked last, if one was.
    jsonlines_value line;
    bool has_line;
    /// What was seen in the batches of which the line has a part.
    unsigned seen;
    /// The longest wanted name, and room for one that has its escapes undone.
    size_t longest_name;
    uint8_t *name;
    /// By depth, from 1: the place of the object or array, and the same as long as it has members to look for, else -1.
    int at[DEEPEST + 2], looking[DEEPEST + 2];
    int64_t element[DEEPEST + 2];
    bool is_array[DEEPEST + 2];
};

/// The bit of `lengths` for a name.
static inline uint64_t length_bit(size_t length) { return (uint64_t)1 << (length < 63 ? length : 63); }

enum {
    /// Besides what was seen in the batches: the judge must say whether the line is too deep.
    too_deep_to_count = 1 << 8,
};

/// Walks one value from its first byte, which is the next that matters.
/// Returns the last byte that it looked at: the value's last token if it is good, else one where it cannot go on.
typedef const uint8_t *jsonlines_walk(jsonlines *lines, bool only_objects, bool *good);

/// The way to walk that fits the registers and whether it is strict.
jsonlines_walk *jsonlines_walker(const jsonlines *lines);

#define INLINE static inline __attribute__((always_inline))

/// Looks at the next batch.
void jsonlines_refill(jsonlines *lines);

/// Goes on to the next block. A text ends with an LF, so that there is one as long as that is not reached.
INLINE void advance(jsonlines *lines, jsonindex_cursor *cursor) {
    if (++cursor->block == cursor->last) {
        jsonlines_refill(lines);
        *cursor = lines->index.cursor;
    } else {
        cursor->text += 64;
        cursor->bits = cursor->block->matters;
    }
}

/// The next byte that matters.
INLINE const uint8_t *next(jsonlines *lines, jsonindex_cursor *cursor) {
    while (__builtin_expect(cursor->bits == 0, 0)) advance(lines, cursor);
    const uint8_t *byte = cursor->text + __builtin_ctzll(cursor->bits);
    cursor->bits &= cursor->bits - 1;
    return byte;
}

static inline bool ends_scalar(uint8_t byte) {
    switch (byte) {
        case ' ': case '\t': case '\n': case '\r': case ',': case ':': case ']': case '}': return true;
        default: return false;
    }
}

static inline bool is_digit(uint8_t byte) { return (uint8_t)(byte - '0') < 10; }

/// The number or word at a place; of kind missing where there is none. No byte past the text's LF or bracket is read.
static inline jsonlines_value jsonwalk_scalar(const uint8_t *start) {
    const uint8_t *at = start;
    jsonlines_kind kind = jsonlines_number;
    switch (*at) {
        case 't':
            kind = at[1] == 'r' && at[2] == 'u' && at[3] == 'e' ? jsonlines_true : jsonlines_missing;
            at += 4;
            break;
        case 'f':
            kind = at[1] == 'a' && at[2] == 'l' && at[3] == 's' && at[4] == 'e' ? jsonlines_false : jsonlines_missing;
            at += 5;
            break;
        case 'n':
            kind = at[1] == 'u' && at[2] == 'l' && at[3] == 'l' ? jsonlines_null : jsonlines_missing;
            at += 4;
            break;
        default:
            if (*at == '-') at++;
            if (!is_digit(*at)) kind = jsonlines_missing;
            else if (*at++ != '0') while (is_digit(*at)) at++;
            if (*at == '.') {
                if (!is_digit(*++at)) kind = jsonlines_missing;
                while (is_digit(*at)) at++;
            }
            if (kind != jsonlines_missing && (*at | 0x20) == 'e') {
                at++;
                if (*at == '+' || *at == '-') at++;
                if (!is_digit(*at)) kind = jsonlines_missing;
                while (is_digit(*at)) at++;
            }
    }
    if (kind != jsonlines_missing && !ends_scalar(*at)) kind = jsonlines_missing;
    return (jsonlines_value){start, (size_t)(at - start), kind};
}
#endif
