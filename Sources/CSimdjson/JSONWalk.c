#include "JSONWalk.h"

#include <string.h>

/// Goes to the end of the object or array of this depth by counting braces and brackets: to the last of them, or where
/// the line ends before it, or where it gets too deep.
INLINE const uint8_t *skip(jsonlines *lines, jsonindex_cursor *cursor, int depth) {
    for (int now = depth;;) {
        for (uint64_t nesting = cursor->bits & cursor->block->nesting; nesting != 0; nesting &= nesting - 1) {
            int place = __builtin_ctzll(nesting);
            const uint8_t *byte = cursor->text + place;
            bool opens = (*byte | 0x20) == '{';
            now += opens ? 1 : -1;
            if (now > DEEPEST) lines->seen |= too_deep_to_count;
            if (now < depth || *byte == '\n' || now > DEEPEST + 1) {
                cursor->bits &= ~(uint64_t)1 << place;
                return byte;
            }
        }
        advance(lines, cursor);
    }
}

/// Goes past a member's value, from behind its name, without looking at it: to the comma behind it, or the end of its
/// object, or where the line ends before. NULL where the name is not followed by a colon and one value, as far as can be
/// told by counting: a colon, and two quotes or one first byte or an opening bracket.
INLINE const uint8_t *pass(jsonlines *lines, jsonindex_cursor *cursor, int depth) {
    int now = depth, tokens = 0;
    for (;;) {
        for (uint64_t outline = cursor->bits & cursor->block->outline; outline != 0; outline &= outline - 1) {
            uint64_t bit = outline & -outline;
            if (now == depth) tokens += __builtin_popcountll(cursor->bits & (bit - 1));
            cursor->bits &= ~(bit | (bit - 1));
            const uint8_t *byte = cursor->text + __builtin_ctzll(bit);
            if (*byte == ',') {
                if (now == depth) return tokens == 2 || tokens == 3 ? byte : NULL;
            } else if ((*byte | 0x20) == '{') {
                if (now == depth) tokens++;
                if (++now > DEEPEST) lines->seen |= too_deep_to_count;
                if (now > DEEPEST + 1) return byte;
            } else if (now == depth || *byte == '\n') {
                return tokens == 2 || tokens == 3 || *byte == '\n' ? byte : NULL;
            } else {
                now--;
            }
        }
        if (now == depth) tokens += __builtin_popcountll(cursor->bits);
        advance(lines, cursor);
    }
}

/// The wanted place below another to which a name leads.
INLINE int place_below(jsonlines *lines, int from, const uint8_t *name, size_t length, bool may_be_escaped) {
    place *places = lines->places;
    if (may_be_escaped && memchr(name, '\\', length)) {
        // Longer than any wanted name, however it is escaped?
        if (length > 6 * lines->longest_name) return -1;
        if (jsonlines_unescape(name, length, lines->name, &length) != jsonlines_text_good) return -1;
        name = lines->name;
    }
    if (!(places[from].lengths & length_bit(length))) return -1;
    for (int at = places[from].child; at >= 0; at = places[at].sibling) {
        if (places[at].length != length || (length > 0 && memcmp(places[at].name, name, length) != 0)) continue;
        if (places[at].met == lines->walks) return -1;
        places[at].met = lines->walks;
        places[from].met_below++;
        return at;
    }
    return -1;
}

static int place_of_element(jsonlines *lines, int from, int64_t element) {
    for (int at = lines->places[from].child; at >= 0; at = lines->places[at].sibling)
        if (lines->places[at].index == element) {
            lines->places[from].met_below++;
            return at;
        }
    return -1;
}

INLINE const uint8_t *walk_value(jsonlines *lines, const bool strict, bool only_objects, bool *good) {
    jsonindex_cursor cursor = lines->index.cursor;
    jsonlines_value *const values = lines->values;
    place *const places = lines->places;
    for (int at = 0; at < lines->value_count; at++) values[at] = (jsonlines_value){NULL, 0, jsonlines_missing};
    lines->walks++;
    int depth = 0, here = 0;
    const uint8_t *byte, *close;
    *good = false;
    byte = next(lines, &cursor);
    if (only_objects && *byte != '{') goto done;

value:
    // A value begins at byte; here is its place, or -1.
    switch (*byte) {
        case '{': case '[': {
            bool is_array = *byte == '[';
            if (++depth > DEEPEST + 1) goto done;
            lines->at[depth] = here;
            lines->is_array[depth] = is_array;
            if (here >= 0) {
                place *found = &places[here];
                if (found->want >= 0)
                    values[found->want] = (jsonlines_value){byte, 0, is_array ? jsonlines_array : jsonlines_object};
                found->met_below = 0;
                if (found->below == 0) here = -1;
            }
            lines->looking[depth] = here;
            if (!strict && here < 0 && depth <= DEEPEST) goto skipped;
            byte = next(lines, &cursor);
            if (*byte == (is_array ? ']' : '}')) goto closed;
            if (depth > DEEPEST) goto done;
            if (!is_array) goto name;
            lines->element[depth] = 0;
            if (here >= 0) here = place_of_element(lines, here, 0);
            goto value;
        }
        case '"':
            close = next(lines, &cursor);
            if (here >= 0 && places[here].want >= 0)
                values[places[here].want] = (jsonlines_value){byte + 1, (size_t)(close - byte - 1), jsonlines_string};
            byte = close;
            if (*close != '"') goto done;  // the line ended in the string
            break;
        case '}': case ']': case ',': case ':': case '\n': goto done;
        default:
            if (strict || (here >= 0 && places[here].want >= 0)) {
                jsonlines_value found = jsonwalk_scalar(byte);
                if (found.kind == jsonlines_missing) goto done;
                if (here >= 0 && places[here].want >= 0) values[places[here].want] = found;
            }
    }

behind:
    if (depth == 0) {
        *good = true;
        goto done;
    }
    if (here >= 0) {
        // One more was met; was it the last?
        place *parent = &places[lines->at[depth]];
        if (parent->met_below == parent->below) lines->looking[depth] = -1;
    }
    byte = next(lines, &cursor);
    if (*byte == ',') {
        if (!strict && lines->looking[depth] < 0) goto skipped;
        byte = next(lines, &cursor);
        if (!lines->is_array[depth]) goto name;
        here = lines->looking[depth];
        lines->element[depth]++;
        if (here >= 0) here = place_of_element(lines, here, lines->element[depth]);
        goto value;
    }
    if (*byte == (lines->is_array[depth] ? ']' : '}')) goto closed;
    goto done;

name:
    if (*byte != '"') goto done;
    close = next(lines, &cursor);
    if (*close != '"') {
        byte = close;
        goto done;
    }
    here = lines->looking[depth];
    if (here >= 0) {
        bool may_be_escaped = false;
        if (lines->seen & jsonindex_backslash) {
            // In the block of the last byte, or the one before it?
            ptrdiff_t block = cursor.block - lines->index.blocks;
            may_be_escaped = block == 0 || close - byte > 64 || (lines->index.backslashes >> (block - 1) & 3) != 0;
        }
        here = place_below(lines, here, byte + 1, (size_t)(close - byte - 1), may_be_escaped);
    }
    if (!strict && here < 0) {
        // A brace or comma that it returns is there for the line's end as well, up to which the caller goes.
        close = pass(lines, &cursor, depth);
        if (!close) goto done;
        byte = close;
        if (*byte == ',') {
            byte = next(lines, &cursor);
            goto name;
        }
        if (*byte == '}') goto closed;
        goto done;
    }
    byte = next(lines, &cursor);
    if (*byte != ':') goto done;
    byte = next(lines, &cursor);
    goto value;

skipped:
    byte = skip(lines, &cursor, depth);
    if (*byte != (lines->is_array[depth] ? ']' : '}')) goto done;

closed:
    here = lines->at[depth--];
    if (here >= 0 && places[here].want >= 0) {
        jsonlines_value *value = &values[places[here].want];
        value->count = (size_t)(byte + 1 - value->start);
    }
    goto behind;

done:
    lines->index.cursor = cursor;
    return byte;
}

static const uint8_t *walk_strictly(jsonlines *lines, bool only_objects, bool *good) {
    return walk_value(lines, true, only_objects, good);
}

static const uint8_t *walk_loosely(jsonlines *lines, bool only_objects, bool *good) {
    return walk_value(lines, false, only_objects, good);
}

#if defined(__x86_64__)
// The same with the instructions that every processor with AVX2 has for single bits.
#define BITS __attribute__((target("bmi,bmi2,lzcnt,popcnt")))

static BITS const uint8_t *walk_strictly_by_bits(jsonlines *lines, bool only_objects, bool *good) {
    return walk_value(lines, true, only_objects, good);
}

static BITS const uint8_t *walk_loosely_by_bits(jsonlines *lines, bool only_objects, bool *good) {
    return walk_value(lines, false, only_objects, good);
}
#endif

jsonlines_walk *jsonlines_walker(const jsonlines *lines) {
#if defined(__x86_64__)
    if (lines->step != jsonindex_narrow) return lines->index.strict ? walk_strictly_by_bits : walk_loosely_by_bits;
#endif
    return lines->index.strict ? walk_strictly : walk_loosely;
}
