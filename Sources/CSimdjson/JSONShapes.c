#include "JSONShapes.h"

#include <stdlib.h>
#include <string.h>

#include "CSimdjson.h"
#include "JSONWalk.h"

// Most lines of a log are made alike: the same names and marks in the same order, and only the strings, numbers and
// words between them differ. So a line is taken as pieces of fixed text with gaps between them, and the shapes of the
// lines seen so far as a tree: a node is a piece, what may fill the gap after it, and the nodes that may come next. A
// line is read by going down. Each piece is compared in one go, and the end of a gap is mostly found in one. A walk looks
// at every byte first, for all that may matter; here a line costs no more than a chain of short steps.
//
// Why the answer is right: only JSON is learnt, as the judge has it, and a gap takes only what JSON has there. So a
// line that is read is JSON, with the names and the structure of one that was walked, and what a walk finds depends on
// nothing else. Whatever does not fit is walked.
//
// The idea is that of Y. Li et al., "Mison: a fast JSON parser for data analytics", doi:10.14778/3115404.3115416, who
// guess where a value is from where it was in other lines.

#define PIECE 32
typedef uint8_t bytes __attribute__((vector_size(PIECE), aligned(1)));
typedef _Bool bits __attribute__((ext_vector_type(PIECE)));

/// The gap of a number is mostly shorter than this.
#define NUMBER 16
typedef uint8_t short_bytes __attribute__((vector_size(NUMBER), aligned(1)));
typedef _Bool short_bits __attribute__((ext_vector_type(NUMBER)));

#define MASK(condition) JSONINDEX_MASK(bits, uint32_t, condition)
#define SHORT_MASK(condition) JSONINDEX_MASK(short_bits, uint16_t, condition)

typedef enum { no_gap, string_gap, scalar_gap, line_end } gap;

typedef struct {
    uint8_t text[PIECE];
    /// The bits of the bytes that are not of the piece.
    uint32_t unused;
    uint8_t length, gap;
    /// The node that may come next, and the one that may be here instead. 0: none.
    uint16_t child, sibling;
    /// Of a line's end: which of the sets of values.
    uint16_t set;
} node;

/// Where a value begins and ends: so many bytes after the start of a piece, which is told by its number in the line.
typedef struct {
    uint8_t first, first_offset, last, last_offset;
    jsonlines_kind kind;
} wanted;

/// At most so many nodes, lines' ends, wanted values, and pieces in a line.
#define NODES 512
#define SETS 64
#define VALUES 16
#define PIECES 128
/// Longer lines are not learnt.
#define LONGEST_LINE 8192
/// After so many misses in a row, lines are not tried: so many at first, then each time twice as many, up to the most.
#define MISSES 8
#define FEWEST_PASSED 64
#define MOST_PASSED 8192

typedef size_t jsonshapes_reader(
    jsonshapes *shapes, const uint8_t *start, const uint8_t *end, jsonlines_value *values);

struct jsonshapes {
    jsonshapes_reader *read;
    int node_count, set_count;
    int misses, passing, pass;
    csimdjson_parser *judge;
    /// The first is the root: no piece.
    node nodes[NODES];
    wanted sets[SETS][VALUES];
    int value_count;
};

static void forget(jsonshapes *shapes) {
    shapes->node_count = 1;
    shapes->set_count = 0;
    shapes->nodes[0] = (node){0};
}

bool jsonshapes_are_tried(jsonshapes *shapes) {
    if (shapes->passing == 0) return true;
    shapes->passing--;
    return false;
}

static void miss(jsonshapes *shapes) {
    if (++shapes->misses < MISSES) return;
    shapes->misses = 0;
    shapes->passing = shapes->pass;
    if (shapes->pass < MOST_PASSED) shapes->pass *= 2;
    // Lines are made otherwise now.
    if (shapes->node_count + PIECES > NODES || shapes->set_count == SETS) forget(shapes);
}

/// Goes to the quote that ends a string; NULL if it is not one, or ends after last, from where PIECE bytes can be read.
INLINE const uint8_t *past_string(const uint8_t *at, const uint8_t *last, bytes *seen) {
    while (at <= last) {
        bytes text = *(const bytes *)at;
        if (seen) *seen |= text;
        uint32_t special = MASK((text == '"') | (text == '\\') | (text < 0x20));
        if (__builtin_expect(special == 0, 0)) {
            at += PIECE;
            continue;
        }
        at += __builtin_ctz(special);
        if (__builtin_expect(*at == '"', 1)) return at;
        if (*at != '\\') return NULL;
        at = jsonindex_past_escape(at + 1, last + PIECE);
        if (!at) return NULL;
    }
    return NULL;
}

/// Goes past a number or word; NULL if that is not one. PIECE bytes can be read.
INLINE const uint8_t *past_scalar(const uint8_t *at, jsonlines_kind *kind) {
    short_bytes text = *(const short_bytes *)at;
    unsigned ends = SHORT_MASK((text <= ' ') | (text == ',') | ((text | 0x20) == '}'));
    if (__builtin_expect(ends != 0, 1)) {
        unsigned digits = SHORT_MASK((short_bytes)(text - '0') < 10);
        int length = __builtin_ctz(ends);
        unsigned others = ~digits & ((1u << length) - 1);
        *kind = jsonlines_number;
        if (others == 0 && length > 0 && (*at != '0' || length == 1)) return at + length;
        int point = others == 0 ? 0 : __builtin_ctz(others);
        bool is_one = others != 0 && (others & (others - 1)) == 0 && at[point] == '.';
        if (is_one && point > 0 && point < length - 1 && (*at != '0' || point == 1)) return at + length;
    }
    jsonlines_value found = jsonwalk_scalar(at);
    *kind = found.kind;
    return found.kind == jsonlines_missing ? NULL : at + found.count;
}

/// Goes down. Returns the first byte after the line, and the set of its values; NULL where it is of no known shape. The
/// starts and kinds are those of the pieces and of the gaps after them.
INLINE const uint8_t *descend(
    jsonshapes *shapes, const uint8_t *at, const uint8_t *last, bytes *seen, const uint8_t **starts,
    jsonlines_kind *kinds, int *set) {
    node *nodes = shapes->nodes;
    uint16_t *first = &nodes[0].child;
    for (int piece = 0;; piece++) {
        if (at > last) return NULL;
        const bytes text = *(const bytes *)at;
        starts[piece] = at;
        // Each step waits for the one before it, so nothing else asks for what comes: a tenth of the time.
        __builtin_prefetch(at + 512);
        uint16_t *link = first;
        node *found;
        const uint8_t *after;
        for (;; link = &found->sibling) {
            if (*link == 0) return NULL;
            found = &nodes[*link];
            uint32_t same = MASK(text == *(const bytes *)found->text);
            if ((same | found->unused) != UINT32_MAX) continue;
            after = at + found->length;
            if (found->gap == string_gap) after = past_string(after, last, seen);
            if (found->gap == scalar_gap) after = after > last ? NULL : past_scalar(after, &kinds[piece]);
            if (__builtin_expect(after != NULL, 1)) break;
        }
        if (__builtin_expect(link != first, 0)) {
            // What was met last is tried first.
            uint16_t here = *link;
            *link = found->sibling;
            found->sibling = *first;
            *first = here;
        }
        if (found->gap == line_end) {
            *set = found->set;
            return after;
        }
        at = after;
        first = &found->child;
    }
}

INLINE size_t read(
    jsonshapes *shapes, const bool strict, const uint8_t *start, const uint8_t *end, jsonlines_value *values) {
    const uint8_t *starts[PIECES];
    jsonlines_kind kinds[PIECES];
    bytes seen = {0};
    int set;
    if (end - start < PIECE) return 0;
    const uint8_t *after = descend(shapes, start, end - PIECE, strict ? &seen : NULL, starts, kinds, &set);
    if (!after) {
        miss(shapes);
        return 0;
    }
    shapes->misses = 0;
    shapes->pass = FEWEST_PASSED;
    size_t count = (size_t)(after - start) - 1;
    if (strict && MASK(seen > 0x7F) != 0 && !csimdjson_is_utf8(start, count)) return 0;
    for (int at = 0; at < shapes->value_count; at++) {
        const wanted *value = &shapes->sets[set][at];
        if (value->kind == jsonlines_missing) {
            values[at] = (jsonlines_value){NULL, 0, jsonlines_missing};
            continue;
        }
        const uint8_t *first = starts[value->first] + value->first_offset;
        const uint8_t *last = starts[value->last] + value->last_offset;
        jsonlines_kind kind = value->kind == jsonlines_number ? kinds[value->first] : value->kind;
        values[at] = (jsonlines_value){first, (size_t)(last - first), kind};
    }
    return count;
}

static size_t read_strictly(jsonshapes *shapes, const uint8_t *start, const uint8_t *end, jsonlines_value *values) {
    return read(shapes, true, start, end, values);
}

static size_t read_loosely(jsonshapes *shapes, const uint8_t *start, const uint8_t *end, jsonlines_value *values) {
    return read(shapes, false, start, end, values);
}

#if defined(__x86_64__)
// The same with a piece in one register.
#define WIDE __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt")))

static WIDE size_t read_strictly_by_avx2(
    jsonshapes *shapes, const uint8_t *start, const uint8_t *end, jsonlines_value *values) {
    return read(shapes, true, start, end, values);
}

static WIDE size_t read_loosely_by_avx2(
    jsonshapes *shapes, const uint8_t *start, const uint8_t *end, jsonlines_value *values) {
    return read(shapes, false, start, end, values);
}
#endif

static jsonshapes_reader *reader(bool strict) {
#if defined(__x86_64__)
    if (jsonindex_registers(1)) return strict ? read_strictly_by_avx2 : read_loosely_by_avx2;
#endif
    return strict ? read_strictly : read_loosely;
}

jsonshapes *jsonshapes_create(bool strict) {
    jsonshapes *shapes = malloc(sizeof *shapes);
    if (!shapes) return NULL;
    shapes->read = reader(strict);
    shapes->misses = shapes->passing = 0;
    shapes->pass = FEWEST_PASSED;
    shapes->judge = csimdjson_create();
    forget(shapes);
    if (shapes->judge) return shapes;
    free(shapes);
    return NULL;
}

void jsonshapes_destroy(jsonshapes *shapes) {
    if (!shapes) return;
    csimdjson_destroy(shapes->judge);
    free(shapes);
}

size_t jsonshapes_read(jsonshapes *shapes, const uint8_t *start, const uint8_t *end, jsonlines_value *values) {
    return shapes->read(shapes, start, end, values);
}

// Learning. The line is JSON, which is what lets this be short.

typedef struct {
    const uint8_t *start;
    uint8_t length;
    gap gap;
} piece;

typedef struct {
    piece pieces[PIECES];
    int count;
} outline;

/// Adds the text up to end, in pieces, and what comes after it. False: there are too many.
static bool add(outline *line, const uint8_t *start, const uint8_t *end, gap gap) {
    for (;;) {
        if (line->count == PIECES) return false;
        bool is_last = end - start <= PIECE;
        piece *made = &line->pieces[line->count++];
        *made = (piece){start, is_last ? (uint8_t)(end - start) : PIECE, is_last ? gap : no_gap};
        if (is_last) return true;
        start += PIECE;
    }
}

static bool is_space(uint8_t byte) { return byte == ' ' || byte == '\t' || byte == '\r'; }

/// Takes a line apart, up to and with its LF.
static bool take_apart(outline *line, const uint8_t *start, const uint8_t *end) {
    const uint8_t *at = start;
    while (at < end) {
        if (*at == '"') {
            const uint8_t *close = at + 1;
            while (*close != '"') close += *close == '\\' ? 2 : 1;
            const uint8_t *after = close + 1;
            while (is_space(*after)) after++;
            if (*after != ':') {
                if (!add(line, start, at + 1, string_gap)) return false;
                start = close;
            }
            at = close + 1;
        } else if (*at == '-' || is_digit(*at) || *at == 't' || *at == 'f' || *at == 'n') {
            if (!add(line, start, at, scalar_gap)) return false;
            start = at += jsonwalk_scalar(at).count;
        } else {
            at++;
        }
    }
    return add(line, start, end + 1, line_end);
}

/// The node of the piece below another; made if it is not there yet. 0: there is no room.
static int node_of(jsonshapes *shapes, int parent, const piece *piece) {
    node *nodes = shapes->nodes;
    for (int at = nodes[parent].child; at != 0; at = nodes[at].sibling)
        if (nodes[at].length == piece->length && nodes[at].gap == piece->gap
            && memcmp(nodes[at].text, piece->start, piece->length) == 0)
            return at;
    if (shapes->node_count == NODES) return 0;
    int made = shapes->node_count++;
    nodes[made] = (node){.gap = (uint8_t)piece->gap, .length = piece->length, .sibling = nodes[parent].child};
    nodes[made].unused = piece->length < PIECE ? ~(uint32_t)0 << piece->length : 0;
    memcpy(nodes[made].text, piece->start, piece->length);
    nodes[parent].child = (uint16_t)made;
    return made;
}

/// Where a value lies by the pieces. A gap is not as long in every line, so its start is told by the piece before it,
/// and its end by the piece after it.
static wanted place_of(const outline *line, const jsonlines_value *value) {
    wanted found = {.kind = value->kind};
    if (value->kind == jsonlines_missing) return found;
    if (value->kind == jsonlines_null || value->kind == jsonlines_true || value->kind == jsonlines_false)
        found.kind = jsonlines_number;
    const piece *pieces = line->pieces;
    const uint8_t *end = value->start + value->count;
    while (value->start > pieces[found.first].start + pieces[found.first].length) found.first++;
    found.first_offset = (uint8_t)(value->start - pieces[found.first].start);
    while (found.last + 1 < line->count && pieces[found.last + 1].start <= end) found.last++;
    found.last_offset = (uint8_t)(end - pieces[found.last].start);
    return found;
}

void jsonshapes_learn(jsonshapes *shapes, jsonlines_value line, const jsonlines_value *values, int count) {
    if (count > VALUES || line.count > LONGEST_LINE || shapes->set_count == SETS) return;
    if (csimdjson_check(shapes->judge, line.start, line.count, true) != csimdjson_valid) return;
    outline outline = {.count = 0};
    if (!take_apart(&outline, line.start, line.start + line.count)) return;
    int at = 0, known = shapes->node_count;
    for (int piece = 0; piece < outline.count; piece++) {
        at = node_of(shapes, at, &outline.pieces[piece]);
        if (at == 0) return;
    }
    if (shapes->node_count == known) return;  // it was walked for another reason
    shapes->nodes[at].set = (uint16_t)shapes->set_count;
    shapes->value_count = count;
    for (int value = 0; value < count; value++)
        shapes->sets[shapes->set_count][value] = place_of(&outline, &values[value]);
    shapes->set_count++;
}
