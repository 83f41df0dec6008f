#include "JSONLines.h"

#include <stdlib.h>
#include <string.h>

#include "JSONWalk.h"

/// The judge takes no longer text.
#define LONGEST 0xFFFFFFFFu

jsonlines *jsonlines_create(bool strict) {
    jsonlines *lines = calloc(1, sizeof *lines);
    if (!lines) return NULL;
    lines->index.strict = strict;
    lines->step = jsonindex_fastest();
    lines->walk = jsonlines_walker(lines);
    lines->wants_shapes = true;
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
    jsonshapes_destroy(lines->shapes);
    free(lines);
}

bool jsonlines_use_registers(jsonlines *lines, int width) {
    jsonindex_step *step = jsonindex_registers(width);
    if (!step) return false;
    lines->step = step;
    lines->walk = jsonlines_walker(lines);
    lines->wants_shapes = width > 0;
    return true;
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
        for (int at = lines->places[from].child; at >= 0; at = lines->places[at].sibling) {
            const place *found = &lines->places[at];
            if (found->length == count && (count == 0 || memcmp(found->name, name, count) == 0)) return at;
        }
    }
    place *places = realloc(lines->places, sizeof(place) * (size_t)(lines->place_count + 1));
    if (!places) return -1;
    lines->places = places;
    // An escape is at most six bytes for one.
    size_t longest = count > lines->longest_name ? count : lines->longest_name;
    uint8_t *copy = malloc(count + 1), *room = realloc(lines->name, 6 * longest + 1);
    if (room) lines->name = room;
    if (!copy || !room) {
        free(copy);
        return -1;
    }
    if (count > 0) memcpy(copy, name, count);
    lines->longest_name = longest;
    int made = lines->place_count++;
    places[made] = (place){copy, count, index_of(copy, count), -1, -1, -1, 0, 0, 0, 0};
    if (from >= 0) {
        places[from].below++;
        places[from].lengths |= length_bit(count);
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
    jsonindex_restart(index, text);
    lines->line = (jsonlines_value){text, 0, jsonlines_missing};
    lines->has_line = lines->is_ahead = false;
    lines->seen = 0;
}

void jsonlines_open(jsonlines *lines, const uint8_t *text, size_t count) { begin(lines, text, count, false); }

void jsonlines_open_array(jsonlines *lines, jsonlines_value array) {
    begin(lines, array.start, array.count, true);
}

void jsonlines_refill(jsonlines *lines) {
    lines->step(&lines->index);
    lines->seen |= lines->index.seen;
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
    bool is_text = !(lines->seen & jsonindex_wide) || csimdjson_is_utf8(lines->line.start, lines->line.count);
    return is_text ? jsonlines_found : jsonlines_doubtful;
}

/// Walks the line, from its first byte that matters to its LF.
static jsonlines_step walked(jsonlines *lines) {
    const uint8_t *byte = peek(lines);
    bool good = true, is_blank = *byte == '\n';
    if (!is_blank) byte = lines->walk(lines, true, &good);
    if (is_blank || good) {
        byte = following(lines);
        good = *byte == '\n';
    }
    while (*byte != '\n') byte = following(lines);
    lines->line.count = (size_t)(byte - lines->line.start);
    if (is_blank) return jsonlines_blank;
    return good ? judged(lines) : jsonlines_refused;
}

jsonlines_step jsonlines_next(jsonlines *lines) {
    jsonindex *index = &lines->index;
    const uint8_t *start = lines->line.start + lines->line.count;
    if (lines->has_line) start++;  // its LF
    lines->has_line = true;
    const uint8_t *end = index->text + index->count;
    if (start == end) return jsonlines_end;
    lines->line.start = start;
    // Not before the second line: then there is something to learn from.
    if (lines->wants_shapes && !lines->shapes && lines->walks > 0) lines->shapes = jsonshapes_create(index->strict);
    bool is_tried = lines->shapes && jsonshapes_are_tried(lines->shapes);
    if (is_tried) {
        lines->line.count = jsonshapes_read(lines->shapes, start, end, lines->values);
        if (lines->line.count > 0) {
            lines->is_ahead = true;
            return jsonlines_found;
        }
    }
    if (lines->is_ahead) jsonindex_seek(index, start);
    lines->is_ahead = false;
    lines->seen = index->seen;
    jsonlines_step step = walked(lines);
    if (is_tried && step == jsonlines_found)
        jsonshapes_learn(lines->shapes, lines->line, lines->values, lines->value_count);
    return step;
}

bool jsonlines_are_json(jsonlines *lines, const uint8_t *text, size_t count, bool only_objects) {
    begin(lines, text, count, true);
    bool good;
    lines->walk(lines, only_objects, &good);
    if (!good || following(lines) != text + count) return false;
    lines->line.count = count;
    return judged(lines) == jsonlines_found;
}

jsonlines_step jsonlines_next_element(jsonlines *lines) {
    const uint8_t *byte = following(lines);  // the bracket in front of the first, later the comma or the bracket behind
    if (*byte == ']') return jsonlines_end;
    if (*byte != '[' && *byte != ',') return jsonlines_refused;
    if (*byte == '[' && *peek(lines) == ']') return jsonlines_end;
    bool good;
    lines->walk(lines, false, &good);
    return good ? jsonlines_found : jsonlines_refused;
}
