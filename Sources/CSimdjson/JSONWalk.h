// What the parts of jsonlines share.
#ifndef JSONWALK_H
#define JSONWALK_H
#include "JSONIndex.h"
#include "JSONLines.h"

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
#endif
