#include "JSONIndex.h"
#include "JSONLines.h"

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
