// Finds values in JSON lines by 64-byte masks: the fast path in front of simdjson, which stays the judge of what JSON is.
//
// Whole lines go in. For each, `jsonlines_next` walks from one byte that matters to the next (a brace, bracket, comma or
// colon outside of strings, a quote, the first byte of a number or word, an LF) and notes where the wanted values lie.
// A line that differs from one before it in nothing but its values is not walked.
// What it accepts is JSON; a line that it does not understand it leaves to the judge, csimdjson_check.
#ifndef JSONLINES_H
#define JSONLINES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct jsonlines jsonlines;

typedef enum {
    jsonlines_missing,
    jsonlines_null,
    jsonlines_string,
    jsonlines_number,
    jsonlines_true,
    jsonlines_false,
    jsonlines_object,
    jsonlines_array,
} jsonlines_kind;

/// A value as it is written: of a string what is between the quotes, of anything else all of it.
typedef struct {
    const uint8_t *_Nullable start;
    size_t count;
    jsonlines_kind kind;
} jsonlines_value;

typedef enum {
    /// An object, or an element of an array: the values are good until the next call.
    jsonlines_found,
    /// The values were found, but whether the line is JSON the judge must say.
    jsonlines_doubtful,
    /// Not an object as this code knows them: the judge knows why.
    jsonlines_refused,
    /// Nothing but white space.
    jsonlines_blank,
    /// No more lines or elements.
    jsonlines_end,
} jsonlines_step;

/// If strict, all of a line is checked. If not, its structure is (braces, brackets, commas, colons, and that strings are
/// closed), and the numbers and words that are wanted; no byte inside of a string, and none of another number or word.
/// Returns NULL when memory is short.
jsonlines *_Nullable jsonlines_create(bool strict);
void jsonlines_destroy(jsonlines *_Nullable lines);

/// The place to which a name, in an array an index, leads from another; 0 is the root. Negative when memory is short.
/// An index is written as RFC 6901 has it: digits, without a zero in front.
int jsonlines_place(jsonlines *_Nonnull lines, int from, const uint8_t *_Nullable name, size_t count);

/// Wants the value in a place. Returns its number among the values, counted from 0; negative when memory is short.
int jsonlines_want(jsonlines *_Nonnull lines, int place);

/// Begins with `count` bytes of whole lines, each with its LF. They must stay where they are while they are walked.
void jsonlines_open(jsonlines *_Nonnull lines, const uint8_t *_Nonnull text, size_t count);

/// Walks the next line. Of members of the same name the first counts.
jsonlines_step jsonlines_next(jsonlines *_Nonnull lines);

/// The same for the elements of an array that was found in a line; the root is then an element.
void jsonlines_open_array(jsonlines *_Nonnull lines, jsonlines_value array);
jsonlines_step jsonlines_next_element(jsonlines *_Nonnull lines);

/// Whether a text without an LF is JSON, by a strict walk: in memory that does not depend on its length. An LF follows on
/// it, or it is an object or array that was found in a line.
bool jsonlines_are_json(jsonlines *_Nonnull lines, const uint8_t *_Nonnull text, size_t count, bool only_objects);

/// The wanted values of the line or element, in the order of the wants, and the line without its LF.
const jsonlines_value *_Nonnull jsonlines_values(const jsonlines *_Nonnull lines);
jsonlines_value jsonlines_line(const jsonlines *_Nonnull lines);

typedef enum {
    jsonlines_text_good,
    /// A control character, a bad escape, or not UTF-8.
    jsonlines_text_bad,
    /// Half of a surrogate pair, which no UTF-8 can spell.
    jsonlines_text_lone_surrogate,
} jsonlines_text;

/// Undoes the escapes of what is between the quotes of a string. The target has room for `count` bytes.
jsonlines_text jsonlines_unescape(
    const uint8_t *_Nonnull source, size_t count, uint8_t *_Nonnull target, size_t *_Nonnull written);

/// Copies JSON without the white space between its tokens; returns how many bytes were written, at most `count`.
size_t jsonlines_compact(const uint8_t *_Nonnull source, size_t count, uint8_t *_Nonnull target);

/// The ways to find the bytes that matter, for tests: 0 is the one that every processor has. Returns whether this one has it.
bool jsonlines_use_registers(jsonlines *_Nonnull lines, int width);

/// Whether the bytes are UTF-8.
bool csimdjson_is_utf8(const void *_Nonnull text, size_t count);

#ifdef __cplusplus
}
#endif
#endif
