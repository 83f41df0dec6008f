// The bytes of a text that matter to JSON's structure, found 64 at a time.
#ifndef JSONINDEX_H
#define JSONINDEX_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/// So many blocks of 64 bytes are looked at in one go: what comes of them stays in the first-level cache.
#define JSONINDEX_BLOCKS 64
/// The first time after a seek, so many; then twice as many each time.
#define JSONINDEX_FEWEST_BLOCKS 8

/// What was seen in a batch; it holds for all lines that have a part in it.
enum {
    /// Bytes that are not ASCII. Only looked for if strict.
    jsonindex_wide = 1,
    jsonindex_backslash = 2,
    /// A control character in a string, or an escape that JSON does not have. Only looked for if strict.
    jsonindex_doubt = 4,
};

typedef struct {
    /// The bytes that matter: quotes, and outside of strings braces, brackets, commas, colons, the first byte of each number
    /// or word, and LFs.
    uint64_t matters;
    /// Those of them that are braces, brackets or LFs; and the same with commas.
    uint64_t nesting, outline;
} jsonindex_block;

/// A place in the blocks of a batch.
typedef struct {
    /// The text of the block, and which of its bytes that matter are still to come.
    const uint8_t *text;
    uint64_t bits;
    const jsonindex_block *block, *last;
} jsonindex_cursor;

typedef struct {
    const uint8_t *text;
    /// An LF is taken to lie behind the text where there is none; `count` includes it.
    size_t count, readable;
    /// How far the text has been looked at.
    size_t offset;
    /// Whether the next byte is escaped, whether it is in a string (then all ones), and whether the last was of a scalar.
    uint64_t escaped, in_string, in_scalar;
    bool strict;
    unsigned seen;
    /// How many blocks the next batch has.
    int batch_blocks;
    /// The blocks of the batch that have a backslash, or the end of an escape.
    uint64_t backslashes;
    /// Where the reader is.
    jsonindex_cursor cursor;
    /// The first byte of the batch.
    const uint8_t *batch;
    jsonindex_block blocks[JSONINDEX_BLOCKS];
} jsonindex;

/// Looks at the next batch. 64 bytes in four registers, in two, or in one.
typedef void jsonindex_step(jsonindex *index);
jsonindex_step jsonindex_narrow, jsonindex_avx2, jsonindex_avx512;

/// Begins anew at the first byte of a line: with a small batch, since the lines after it may need no look at them.
void jsonindex_restart(jsonindex *index, const uint8_t *line);

/// Goes to the first byte of a line that lies after those read, in this batch or in one that is still to come.
void jsonindex_seek(jsonindex *index, const uint8_t *line);

/// The fastest that this processor has, or the one asked for: 0, 1 or 2; NULL where it lacks that.
jsonindex_step *jsonindex_registers(int width);
jsonindex_step *jsonindex_fastest(void);

/// The number of the hexadecimal digit, or above 15.
static inline unsigned jsonindex_hexadecimal(uint8_t byte) {
    if ((uint8_t)(byte - '0') < 10) return (unsigned)(byte - '0');
    return (uint8_t)((byte | 0x20) - 'a') < 6 ? (unsigned)((byte | 0x20) - 'a' + 10) : 16;
}

/// Goes past the escape whose backslash lies before `at`; NULL where JSON has none such, or the text ends first.
static inline const uint8_t *jsonindex_past_escape(const uint8_t *at, const uint8_t *end) {
    switch (at < end ? *at : 0) {
        case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't': return at + 1;
        case 'u':
            for (int digit = 1; digit <= 4; digit++)
                if (at + digit >= end || jsonindex_hexadecimal(at[digit]) > 15) return NULL;
            return at + 5;
        default: return NULL;
    }
}

/// A mask of the bytes for which the condition holds, that clang takes for a number from here on. If it knows that it
/// is made of a vector, it keeps it as single bits where there is a branch: hundreds of instructions.
#define JSONINDEX_MASK(bits, number, condition)                \
    ({                                                         \
        bits set = __builtin_convertvector((condition), bits); \
        number made;                                           \
        memcpy(&made, &set, sizeof made);                      \
        __asm__("" : "+r"(made));                              \
        made;                                                  \
    })
#endif
