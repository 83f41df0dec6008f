#include "JSONLines.h"

#include <stdlib.h>
#include <string.h>

#include "JSONIndex.h"

/// As deep as simdjson goes: one level more may be there if it is empty.
#define DEEPEST 1023
/// The judge takes no longer text.
#define LONGEST 0xFFFFFFFFu

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
} place;

struct jsonlines {
    jsonindex index;
    jsonindex_step *step;
    place *places;
    int place_count;
    jsonlines_value *values;
    int value_count;
    uint64_t walks;
    jsonlines_value line;
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

jsonlines *jsonlines_create(bool strict) {
    jsonlines *lines = calloc(1, sizeof *lines);
    if (!lines) return NULL;
    lines->index.strict = strict;
    lines->step = jsonindex_widest();
    if (jsonlines_place(lines, -1, NULL, 0) == 0) return lines;
    jsonlines_destroy(lines);
    return NULL;
}

void jsonlines_destroy(jsonlines *lines) {
    if (!lines) return;
    for (int at = 0; at < lines->place_count; at++) free(lines->places[at].name);
    free(lines->places);
    free(lines->values);
    free(lines->name);
    free(lines);
}

bool jsonlines_use_registers(jsonlines *lines, int width) {
    jsonindex_step *step = jsonindex_registers(width);
    if (step) lines->step = step;
    return step != NULL;
}

static int64_t index_of(const uint8_t *name, size_t count) {
    if (count == 0 || count > 18 || (count > 1 && *name == '0')) return -1;
    int64_t index = 0;
    for (size_t at = 0; at < count; at++) {
        if ((uint8_t)(name[at] - '0') > 9) return -1;
        index = index * 10 + (name[at] - '0');
    }
    return index;
}

int jsonlines_place(jsonlines *lines, int from, const uint8_t *name, size_t count) {
    if (from >= 0) {
        for (int at = lines->places[from].child; at >= 0; at = lines->places[at].sibling)
            if (lines->places[at].length == count && (count == 0 || memcmp(lines->places[at].name, name, count) == 0)) return at;
    }
    place *places = realloc(lines->places, sizeof(place) * (size_t)(lines->place_count + 1));
    if (!places) return -1;
    lines->places = places;
    // An escape is at most six bytes for one.
    uint8_t *copy = malloc(count + 1), *room = realloc(lines->name, 6 * (count > lines->longest_name ? count : lines->longest_name) + 1);
    if (room) lines->name = room;
    if (!copy || !room) {
        free(copy);
        return -1;
    }
    if (count > 0) memcpy(copy, name, count);
    if (count > lines->longest_name) lines->longest_name = count;
    int made = lines->place_count++;
    places[made] = (place){copy, count, index_of(copy, count), -1, -1, -1, 0, 0, 0};
    if (from >= 0) {
        places[from].below++;
        // Behind its siblings, so that they are compared in the order in which they were wanted.
        int *link = &places[from].child;
        while (*link >= 0) link = &places[*link].sibling;
        *link = made;
    }
    return made;
}

int jsonlines_want(jsonlines *lines, int place) {
    if (lines->places[place].want >= 0) return lines->places[place].want;
    jsonlines_value *values = realloc(lines->values, sizeof *values * (size_t)(lines->value_count + 1));
    if (!values) return -1;
    lines->values = values;
    return lines->places[place].want = lines->value_count++;
}

const jsonlines_value *jsonlines_values(const jsonlines *lines) { return lines->values; }

jsonlines_value jsonlines_line(const jsonlines *lines) { return lines->line; }

static void begin(jsonlines *lines, const uint8_t *text, size_t count, bool is_array) {
    jsonindex *index = &lines->index;
    index->text = text;
    index->readable = count;
    index->count = is_array ? count + 1 : count;
    index->offset = 0;
    index->escaped = index->in_string = index->in_scalar = 0;
    index->seen = 0;
    index->cursor = (jsonindex_cursor){text, 0, index->blocks, index->blocks + 1};
    lines->line = (jsonlines_value){text, 0, jsonlines_missing};
    lines->seen = 0;
}

void jsonlines_open(jsonlines *lines, const uint8_t *text, size_t count) { begin(lines, text, count, false); }

void jsonlines_open_array(jsonlines *lines, jsonlines_value array) {
    begin(lines, array.start, array.count, true);
}

#define INLINE static inline __attribute__((always_inline))

enum {
    /// Besides what was seen in the batches: the judge must say whether the line is too deep.
    too_deep_to_count = 1 << 8,
};

static __attribute__((noinline)) void refill(jsonlines *lines) {
    lines->step(&lines->index);
    lines->seen |= lines->index.seen;
}

/// Goes on to the next block. A text ends with an LF, so that there is one as long as that is not reached.
INLINE void advance(jsonlines *lines, jsonindex_cursor *cursor) {
    if (++cursor->block == cursor->last) {
        refill(lines);
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

/// Goes to the end of the object or array of this depth by counting braces and brackets: to the last of them, or where the
/// line ends before it, or where it gets too deep.
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

/// The wanted place below another to which a name leads.
INLINE int place_below(jsonlines *lines, int from, const uint8_t *name, size_t length, bool may_be_escaped) {
    place *places = lines->places;
    if (may_be_escaped && memchr(name, '\\', length)) {
        // Longer than any wanted name, however it is escaped?
        if (length > 6 * lines->longest_name) return -1;
        if (jsonlines_unescape(name, length, lines->name, &length) != jsonlines_text_good) return -1;
        name = lines->name;
    }
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

static inline bool ends_scalar(uint8_t byte) {
    switch (byte) {
        case ' ': case '\t': case '\n': case '\r': case ',': case ':': case ']': case '}': case '[': case '{': return true;
        default: return false;
    }
}

static inline bool is_digit(uint8_t byte) { return (uint8_t)(byte - '0') < 10; }

/// The number or word at a place; of kind missing where there is none. No byte past the text's LF or bracket is read.
static inline jsonlines_value scalar(const uint8_t *start) {
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

/// Walks one value from its first byte, which is the next that matters.
/// Returns the last byte that it looked at: the value's last token if it is good, else one where it cannot go on.
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
                jsonlines_value found = scalar(byte);
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
    if (!strict && lines->looking[depth] < 0) goto skipped;
    byte = next(lines, &cursor);
    if (*byte == ',') {
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

static const uint8_t *walk(jsonlines *lines, bool only_objects, bool *good) {
    return lines->index.strict ? walk_value(lines, true, only_objects, good) : walk_value(lines, false, only_objects, good);
}

/// The next byte that matters, and after it the one that comes then.
static const uint8_t *following(jsonlines *lines) { return next(lines, &lines->index.cursor); }

static const uint8_t *peek(jsonlines *lines) {
    jsonindex_cursor *cursor = &lines->index.cursor;
    while (cursor->bits == 0) advance(lines, cursor);
    return cursor->text + __builtin_ctzll(cursor->bits);
}

static jsonlines_step judged(const jsonlines *lines) {
    if (lines->seen & too_deep_to_count) return jsonlines_doubtful;
    if (!lines->index.strict) return jsonlines_found;
    if ((lines->seen & jsonindex_doubt) || lines->line.count > LONGEST) return jsonlines_doubtful;
    if ((lines->seen & jsonindex_wide) && !csimdjson_is_utf8(lines->line.start, lines->line.count)) return jsonlines_doubtful;
    return jsonlines_found;
}

jsonlines_step jsonlines_next(jsonlines *lines) {
    jsonindex *index = &lines->index;
    const uint8_t *start = lines->line.start + lines->line.count;
    // Behind the LF of the line before, if there was one.
    if (lines->walks > 0 && start != index->text) start++;
    if (start == index->text + index->count) return jsonlines_end;
    lines->seen = index->seen;
    lines->line.start = start;
    const uint8_t *byte = peek(lines);
    if (*byte == '\n') {
        following(lines);
        lines->line.count = (size_t)(byte - start);
        return jsonlines_blank;
    }
    bool good;
    byte = walk(lines, true, &good);
    if (good) {
        byte = following(lines);
        good = *byte == '\n';
    }
    while (*byte != '\n') byte = following(lines);
    lines->line.count = (size_t)(byte - start);
    return good ? judged(lines) : jsonlines_refused;
}

jsonlines_step jsonlines_next_element(jsonlines *lines) {
    const uint8_t *byte = following(lines);  // the bracket in front of the first, later the comma or the bracket behind
    if (*byte == ']') return jsonlines_end;
    if (*byte != '[' && *byte != ',') return jsonlines_refused;
    if (*byte == '[' && *peek(lines) == ']') return jsonlines_end;
    bool good;
    walk(lines, false, &good);
    return good ? jsonlines_found : jsonlines_refused;
}

static bool hexadecimal(const uint8_t *at, const uint8_t *end, unsigned *unit) {
    if (end - at < 4) return false;
    *unit = 0;
    for (int digit = 0; digit < 4; digit++) {
        unsigned value = jsonindex_hexadecimal(at[digit]);
        if (value > 15) return false;
        *unit = *unit << 4 | value;
    }
    return true;
}

static uint8_t *put(uint8_t *target, unsigned scalar) {
    if (scalar < 0x80) {
        *target++ = (uint8_t)scalar;
    } else if (scalar < 0x800) {
        *target++ = (uint8_t)(0xC0 | scalar >> 6);
        *target++ = (uint8_t)(0x80 | (scalar & 0x3F));
    } else if (scalar < 0x10000) {
        *target++ = (uint8_t)(0xE0 | scalar >> 12);
        *target++ = (uint8_t)(0x80 | (scalar >> 6 & 0x3F));
        *target++ = (uint8_t)(0x80 | (scalar & 0x3F));
    } else {
        *target++ = (uint8_t)(0xF0 | scalar >> 18);
        *target++ = (uint8_t)(0x80 | (scalar >> 12 & 0x3F));
        *target++ = (uint8_t)(0x80 | (scalar >> 6 & 0x3F));
        *target++ = (uint8_t)(0x80 | (scalar & 0x3F));
    }
    return target;
}

jsonlines_text jsonlines_unescape(const uint8_t *source, size_t count, uint8_t *target, size_t *written) {
    const uint8_t *at = source, *end = source + count;
    uint8_t *start = target;
    bool is_lone = false;
    while (at < end) {
        if (*at < 0x20) return jsonlines_text_bad;
        if (*at != '\\') {
            *target++ = *at++;
            continue;
        }
        if (end - at < 2) return jsonlines_text_bad;
        uint8_t letter = at[1];
        at += 2;
        switch (letter) {
            case '"': case '\\': case '/': *target++ = letter; break;
            case 'b': *target++ = '\b'; break;
            case 'f': *target++ = '\f'; break;
            case 'n': *target++ = '\n'; break;
            case 'r': *target++ = '\r'; break;
            case 't': *target++ = '\t'; break;
            case 'u': {
                unsigned unit, second;
                if (!hexadecimal(at, end, &unit)) return jsonlines_text_bad;
                at += 4;
                if (unit >= 0xD800 && unit < 0xDC00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u'
                    && hexadecimal(at + 2, end, &second) && second >= 0xDC00 && second < 0xE000) {
                    at += 6;
                    unit = 0x10000 + ((unit - 0xD800) << 10) + (second - 0xDC00);
                } else if (unit >= 0xD800 && unit < 0xE000) {
                    is_lone = true;  // unless something worse follows
                    break;
                }
                target = put(target, unit);
                break;
            }
            default: return jsonlines_text_bad;
        }
    }
    *written = (size_t)(target - start);
    if (!csimdjson_is_utf8(source, count)) return jsonlines_text_bad;
    return is_lone ? jsonlines_text_lone_surrogate : jsonlines_text_good;
}

size_t jsonlines_compact(const uint8_t *source, size_t count, uint8_t *target) {
    uint8_t *start = target;
    bool in_string = false;
    for (size_t at = 0; at < count; at++) {
        uint8_t byte = source[at];
        if (in_string) {
            *target++ = byte;
            if (byte == '\\' && at + 1 < count) *target++ = source[++at];
            else in_string = byte != '"';
        } else if (byte != ' ' && byte != '\t' && byte != '\r') {
            *target++ = byte;
            in_string = byte == '"';
        }
    }
    return (size_t)(target - start);
}
