#include "CSimdjson.h"

#define SIMDJSON_EXCEPTIONS 0
#include <simdjson.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace simdjson;

struct csimdjson_parser {
    dom::parser checker;
    ondemand::parser fetcher;
    /// The text, and behind it the bytes that simdjson may read.
    std::unique_ptr<uint8_t[]> text;
    /// A copy of it for the few texts that need a second look.
    std::unique_ptr<uint8_t[]> softened;
    /// How long a text the buffers have room for.
    size_t capacity = 0;
    size_t length = 0;
    dom::element root;
    std::vector<std::vector<std::string>> paths;
    std::optional<dom::array> items;
    std::optional<dom::array::iterator> next;
    /// An _id that is a number.
    char number[24];
};

namespace {

bool is_structural_or_space(uint8_t byte) {
    switch (byte) {
        case '{': case '}': case '[': case ']': case ',': case ':': case '"':
        case ' ': case '\t': case '\n': case '\r': return true;
        default: return false;
    }
}

bool is_hexadecimal(uint8_t byte) {
    return (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f');
}

/// The four digits of the \u escape at `at`; -1: there is none.
int escaped_unit(const uint8_t *text, size_t length, size_t at) {
    if (at + 6 > length || text[at] != '\\' || text[at + 1] != 'u') return -1;
    int unit = 0;
    for (size_t digit = at + 2; digit < at + 6; digit++) {
        if (!is_hexadecimal(text[digit])) return -1;
        unit = unit * 16 + (text[digit] <= '9' ? text[digit] - '0' : (text[digit] | 0x20) - 'a' + 10);
    }
    return unit;
}

/// Whether simdjson can hold a number: 64 bits, or a double.
bool fits(const uint8_t *text, size_t length) {
    std::string number(reinterpret_cast<const char *>(text), length);
    if (number.find_first_of(".eE") != number.npos) return std::isfinite(std::strtod(number.c_str(), nullptr));
    errno = 0;
    if (number[0] == '-') std::strtoll(number.c_str(), nullptr, 10);
    else std::strtoull(number.c_str(), nullptr, 10);
    return errno == 0;
}

/// What simdjson refuses and RFC 8259 allows: numbers that neither 64 bits nor a double can hold become 0, and \u
/// escapes that are lone surrogates become U+FFFD. All else stays, and what is wrong with a text stays wrong.
void soften(uint8_t *text, size_t length) {
    bool in_string = false;
    for (size_t at = 0; at < length;) {
        if (in_string) {
            if (text[at] == '\\') {
                int unit = escaped_unit(text, length, at);
                int low = escaped_unit(text, length, at + 6);
                if (unit >= 0xD800 && unit < 0xDC00 && low >= 0xDC00 && low < 0xE000) {
                    at += 12;
                } else {
                    if (unit >= 0xD800 && unit < 0xE000) std::memcpy(text + at + 2, "fffd", 4);
                    at += 2;
                }
            } else {
                in_string = text[at] != '"';
                at++;
            }
        } else if (is_structural_or_space(text[at])) {
            in_string = text[at] == '"';
            at++;
        } else {
            size_t start = at;
            while (at < length && !is_structural_or_space(text[at])) at++;
            if (csimdjson_is_number(text + start, at - start) && !fits(text + start, at - start)) {
                std::memset(text + start, ' ', at - start);
                text[start] = '0';
            }
        }
    }
}

csimdjson_outcome outcome(error_code error) {
    switch (error) {
        case SUCCESS: return csimdjson_valid;
        case EMPTY: return csimdjson_empty;
        case UTF8_ERROR: return csimdjson_not_utf8;
        case UNESCAPED_CHARS: return csimdjson_control_character;
        case UNCLOSED_STRING: return csimdjson_open_string;
        case STRING_ERROR: return csimdjson_bad_string;
        case NUMBER_ERROR: return csimdjson_bad_number;
        case T_ATOM_ERROR: case F_ATOM_ERROR: case N_ATOM_ERROR: return csimdjson_bad_word;
        case DEPTH_ERROR: return csimdjson_too_deep;
        case CAPACITY: case MEMALLOC: return csimdjson_too_long;
        default: return csimdjson_bad_structure;
    }
}

/// Whether a text may be good all the same. Newer versions of simdjson have an error of its own for large integers, so
/// that only what is known to be something else is taken for a no.
bool may_be_too_strict(error_code error) {
    csimdjson_outcome found = outcome(error);
    return found == csimdjson_bad_number || found == csimdjson_bad_string
        || (found == csimdjson_bad_structure && error != TAPE_ERROR);
}

/// Makes room for a text, in steps of powers of two so that slowly growing texts do not move every time.
bool make_room(csimdjson_parser &parser, size_t length) {
    if (length <= parser.capacity) return true;
    size_t capacity = 4096;
    while (capacity < length) capacity *= 2;
    capacity = std::min<size_t>(capacity, SIMDJSON_MAXSIZE_BYTES);
    if (length > capacity) return false;
    parser.capacity = 0;
    parser.softened.reset();
    parser.text.reset(new (std::nothrow) uint8_t[capacity + SIMDJSON_PADDING]);
    if (!parser.text || parser.checker.allocate(capacity) || parser.fetcher.allocate(capacity)) return false;
    parser.capacity = capacity;
    return true;
}

csimdjson_slice slice(std::string_view text) {
    return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

/// A field's name, and where it begins in the text. Most have no escapes and are read where they lie. False for a name that no
/// UTF-8 can spell. simdjson gives up the place of a name that it has unescaped.
bool name_of(ondemand::field &field, std::string_view &name, const char *&raw) {
    raw = field.key().raw();
    size_t length = 0;
    while (raw[length] != '"' && raw[length] != '\\') length++;  // ends: the text was found valid
    if (raw[length] == '\\') return !field.unescaped_key().get(name);
    name = {raw, length};
    return true;
}

csimdjson_field field_of(ondemand::value value) {
    std::string_view token = value.raw_json_token();  // up to the next token, with the space between
    switch (token[0]) {
        case '"': {
            std::string_view text;
            if (token.find('\\') == token.npos) text = token.substr(1, token.rfind('"') - 1);
            else if (value.get_string().get(text)) return {csimdjson_not_text, {}, 0, 0};
            return {csimdjson_string, slice(text), 0, 0};
        }
        case '{': return {csimdjson_object, {}, 0, 0};
        case '[': return {csimdjson_array, {}, 0, 0};
        case 't': return {csimdjson_true, {}, 0, 0};
        case 'f': return {csimdjson_false, {}, 0, 0};
        case 'n': return {csimdjson_null, {}, 0, 0};
        default: return {csimdjson_number, slice(token.substr(0, token.find_last_not_of(" \t\n\r") + 1)), 0, 0};
    }
}

/// A field with where it lies.
csimdjson_field located(const csimdjson_parser &parser, ondemand::field &field, const char *name) {
    const char *text = reinterpret_cast<const char *>(parser.text.get());
    std::string_view token = field.value().raw_json_token();
    size_t end = size_t(token.data() - text) + token.find_last_not_of(" \t\n\r") + 1;
    csimdjson_field found = field_of(field.value());
    found.start = size_t(name - 1 - text);
    found.end = end;
    return found;
}

/// Looks for the paths of the set in an object to which the first depth names of each of them have led.
void fetch(const csimdjson_parser &parser, ondemand::object object, size_t depth, uint64_t set, csimdjson_field *fields) {
    for (auto result : object) {
        ondemand::field field;
        std::string_view name;
        const char *raw;
        if (std::move(result).get(field) || !name_of(field, name, raw)) continue;
        uint64_t below = 0;
        for (uint64_t rest = set; rest != 0; rest &= rest - 1) {
            size_t index = size_t(__builtin_ctzll(rest));
            const auto &path = parser.paths[index];
            if (path[depth] != name) continue;
            if (path.size() > depth + 1) below |= rest & -rest;
            else if (fields[index].kind != csimdjson_missing) fields[index] = {csimdjson_repeated, {}, 0, 0};
            else fields[index] = located(parser, field, raw);
        }
        ondemand::object inner;
        if (below != 0 && !field.value().get_object().get(inner)) fetch(parser, inner, depth + 1, below, fields);
    }
}

csimdjson_slice text_of(simdjson_result<dom::element> element) {
    std::string_view text;
    if (element.get(text)) return {};
    return slice(text);
}

/// Fills in an error: an object with type, reason and perhaps a cause, or in old servers a string.
void read_error(dom::element error, csimdjson_item &item) {
    std::string_view text;
    if (!error.get(text)) {
        item.errors[item.error_count++] = {{}, slice(text)};
        return;
    }
    dom::object object;
    if (!error.get(object)) {
        if (object["bytes_wanted"].get(item.bytes_wanted)) item.bytes_wanted = 0;
        if (object["bytes_limit"].get(item.bytes_limit)) item.bytes_limit = 0;
    }
    while (item.error_count < std::size(item.errors) && !error.get(object)) {
        item.errors[item.error_count++] = {text_of(object["type"]), text_of(object["reason"])};
        if (object["caused_by"].get(error)) return;
    }
}

}  // namespace

csimdjson_parser *csimdjson_create(void) {
    return new (std::nothrow) csimdjson_parser;
}

void csimdjson_destroy(csimdjson_parser *parser) {
    delete parser;
}

csimdjson_outcome csimdjson_check(csimdjson_parser *parser, const void *json, size_t length, bool only_objects) {
    if (length == 0) return csimdjson_empty;
    if (!make_room(*parser, length)) return csimdjson_too_long;
    parser->length = length;
    std::memcpy(parser->text.get(), json, length);
    std::memset(parser->text.get() + length, 0, SIMDJSON_PADDING);
    // Newer versions of simdjson read over a byte order mark; RFC 8259 lets nobody write one.
    if (std::memcmp(parser->text.get(), "\xEF\xBB\xBF", 3) == 0) return csimdjson_byte_order_mark;
    error_code error = parser->checker.parse(parser->text.get(), length, false).get(parser->root);
    if (may_be_too_strict(error)) {
        if (!parser->softened) parser->softened.reset(new (std::nothrow) uint8_t[parser->capacity + SIMDJSON_PADDING]);
        if (!parser->softened) return csimdjson_too_long;
        std::memcpy(parser->softened.get(), parser->text.get(), length + SIMDJSON_PADDING);
        soften(parser->softened.get(), length);
        error = parser->checker.parse(parser->softened.get(), length, false).get(parser->root);
    }
    if (error) return outcome(error);
    return only_objects && !parser->root.is_object() ? csimdjson_not_an_object : csimdjson_valid;
}

bool csimdjson_want(csimdjson_parser *parser, const csimdjson_slice *names, size_t count) {
    if (parser->paths.size() == CSIMDJSON_MOST_PATHS || count == 0) return false;
    try {
        std::vector<std::string> path;
        for (size_t at = 0; at < count; at++) {
            path.emplace_back(reinterpret_cast<const char *>(names[at].start), names[at].count);
        }
        parser->paths.push_back(std::move(path));
        return true;
    } catch (const std::bad_alloc &) {
        return false;
    }
}

void csimdjson_fetch(csimdjson_parser *parser, csimdjson_field *fields) {
    size_t count = parser->paths.size();
    for (size_t at = 0; at < count; at++) fields[at] = {csimdjson_missing, {}, 0, 0};
    ondemand::document document;
    ondemand::object object;
    if (count == 0 || parser->fetcher.iterate(parser->text.get(), parser->length, parser->capacity + SIMDJSON_PADDING).get(document)
        || document.get_object().get(object)) {
        return;
    }
    fetch(*parser, object, 0, ~uint64_t(0) >> (64 - count), fields);
}

csimdjson_step csimdjson_open_reply(csimdjson_parser *parser, csimdjson_item *whole) {
    *whole = {};
    parser->items.reset();
    dom::array items;
    if (!parser->root["items"].get(items)) {
        parser->items = items;
        parser->next = items.begin();
        return csimdjson_another_item;
    }
    dom::element error;
    if (parser->root["error"].get(error) || parser->root["status"].get(whole->status)) return csimdjson_no_item;
    read_error(error, *whole);
    return csimdjson_no_more_items;
}

csimdjson_step csimdjson_next_item(csimdjson_parser *parser, csimdjson_item *item) {
    *item = {};
    if (!parser->items || *parser->next == parser->items->end()) return csimdjson_no_more_items;
    dom::object entry, result;
    if ((**parser->next).get(entry) || entry.size() != 1) return csimdjson_no_item;
    ++*parser->next;
    dom::key_value_pair member = *entry.begin();
    if (member.value.get(result) || result["status"].get(item->status)) return csimdjson_no_item;
    item->action = slice(member.key);
    item->id = text_of(result["_id"]);
    dom::element error;
    if (!result["error"].get(error)) read_error(error, *item);
    return csimdjson_another_item;
}

bool csimdjson_is_utf8(const void *text, size_t count) {
    return validate_utf8(static_cast<const char *>(text), count);
}

bool csimdjson_read_action(csimdjson_parser *parser, const void *json, size_t length, csimdjson_action *action) {
    *action = {};
    dom::object line, about;
    if (csimdjson_check(parser, json, length, true) != csimdjson_valid || parser->root.get(line) || line.size() != 1) return false;
    dom::key_value_pair member = *line.begin();
    if (member.value.get(about)) return false;
    action->name = slice(member.key);
    action->index = text_of(about["_index"]);
    action->version_type = text_of(about["version_type"]);
    dom::element id;
    if (about["_id"].get(id) || id.is_null()) return true;
    action->has_id = true;
    int64_t number;
    std::string_view text;
    if (!id.get(text)) {
        action->id = slice(text);
    } else if (!id.get(number)) {
        // To an index 1 and "1" are the same.
        int digits = std::snprintf(parser->number, sizeof parser->number, "%lld", static_cast<long long>(number));
        action->id = slice({parser->number, size_t(digits)});
    }
    return true;
}
