// simdjson behind plain C: check a JSON text, fetch fields of it, walk a bulk response.
// No exception leaves these functions, and none of them keeps a pointer to its arguments.
#ifndef CSIMDJSON_H
#define CSIMDJSON_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "JSONLines.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Holds the buffers of one text; they grow with the longest text seen.
typedef struct csimdjson_parser csimdjson_parser;

typedef struct {
    const uint8_t *_Nullable start;
    size_t count;
} csimdjson_slice;

typedef enum {
    csimdjson_valid,
    csimdjson_empty,
    csimdjson_byte_order_mark,
    csimdjson_not_an_object,
    csimdjson_not_utf8,
    csimdjson_control_character,
    csimdjson_open_string,
    csimdjson_bad_string,
    csimdjson_bad_number,
    csimdjson_bad_word,
    csimdjson_bad_structure,
    csimdjson_too_deep,
    csimdjson_too_long,
} csimdjson_outcome;

/// NULL when memory is short.
csimdjson_parser *_Nullable csimdjson_create(void);
void csimdjson_destroy(csimdjson_parser *_Nonnull parser);

/// Whether the length bytes at json are one JSON text by RFC 8259, in UTF-8 and without a byte order mark, and if
/// only_objects, an object. Numbers may have any size and precision, and \u escapes may be lone surrogates.
/// At most 1024 levels of nesting and 4 GiB.
csimdjson_outcome csimdjson_check(
    csimdjson_parser *_Nonnull parser, const void *_Nonnull json, size_t length, bool only_objects);

typedef enum {
    csimdjson_missing,
    csimdjson_string,
    csimdjson_number,
    csimdjson_true,
    csimdjson_false,
    csimdjson_null,
    csimdjson_array,
    csimdjson_object,
    /// The object has more than one field of this name.
    csimdjson_repeated,
    /// A string with a lone surrogate, which no UTF-8 can spell.
    csimdjson_not_text,
} csimdjson_kind;

typedef struct {
    csimdjson_kind kind;
    /// Of a string the text, unescaped; of a number its bytes as they are. Good until the next call for the parser.
    csimdjson_slice text;
    /// Where the field lies in the text, from the quote before its name to the end of a value that is not an array or object.
    size_t start, end;
} csimdjson_field;

/// As many paths as can be wanted of one parser.
#define CSIMDJSON_MOST_PATHS 64

/// Adds a field that csimdjson_fetch is to fetch: the names that lead to it from the outermost object.
/// Returns false when there are too many, or no memory for it.
bool csimdjson_want(csimdjson_parser *_Nonnull parser, const csimdjson_slice *_Nonnull names, size_t count);

/// Fetches the wanted fields, in the order of the wants, from the object that the last csimdjson_check found valid.
void csimdjson_fetch(csimdjson_parser *_Nonnull parser, csimdjson_field *_Nonnull fields);

typedef struct {
    csimdjson_slice type;
    csimdjson_slice reason;
} csimdjson_error;

/// The part of a bulk response that says how one item, or the request as a whole, went.
typedef struct {
    /// index, create, update or delete; empty for the request as a whole.
    csimdjson_slice action;
    csimdjson_slice id;
    /// An HTTP status.
    int64_t status;
    /// The error with what caused it, from the outermost; the count says how many are filled in.
    csimdjson_error errors[4];
    size_t error_count;
    /// What a circuit breaker says that the request would have taken, and may take; 0: it says nothing.
    int64_t bytes_wanted, bytes_limit;
} csimdjson_item;

typedef enum {
    csimdjson_another_item,
    csimdjson_no_more_items,
    /// Not what a bulk response has in this place.
    csimdjson_no_item,
} csimdjson_step;

/// Begins with the items of the bulk response that the last csimdjson_check found valid. A response that has an error
/// and a status but no items, fills in whole and returns no_more_items.
csimdjson_step csimdjson_open_reply(csimdjson_parser *_Nonnull parser, csimdjson_item *_Nonnull whole);

/// The next item.
csimdjson_step csimdjson_next_item(csimdjson_parser *_Nonnull parser, csimdjson_item *_Nonnull item);

/// What an action line of a bulk body is about.
typedef struct {
    csimdjson_slice name;
    /// Empty where there is none.
    csimdjson_slice index;
    csimdjson_slice id;
    csimdjson_slice version_type;
    bool has_id;
} csimdjson_action;

/// Reads an action line. False: it is not an object whose only member is an object. Good until the next call.
bool csimdjson_read_action(
    csimdjson_parser *_Nonnull parser, const void *_Nonnull json, size_t length, csimdjson_action *_Nonnull action);

/// Whether the count bytes at text are a number by RFC 8259, section 6.
static inline bool csimdjson_is_number(const uint8_t *_Nonnull text, size_t count) {
    const uint8_t *at = text, *end = text + count;
    if (at < end && *at == '-') at++;
    if (at == end) return false;
    if (*at == '0') {
        at++;
    } else {
        if ((uint8_t)(*at - '1') > 8) return false;
        while (at < end && (uint8_t)(*at - '0') < 10) at++;
    }
    if (at < end && *at == '.') {
        const uint8_t *first = ++at;
        while (at < end && (uint8_t)(*at - '0') < 10) at++;
        if (at == first) return false;
    }
    if (at < end && (*at | 0x20) == 'e') {
        at++;
        if (at < end && (*at == '+' || *at == '-')) at++;
        const uint8_t *first = at;
        while (at < end && (uint8_t)(*at - '0') < 10) at++;
        if (at == first) return false;
    }
    return at == end;
}

#ifdef __cplusplus
}
#endif
#endif
