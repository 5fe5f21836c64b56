#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <utf8proc.h>

#include "services/graph/view/values.h"

static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

static void write_escaped(struct sh_buffer *out, unsigned char byte)
{
    static const unsigned char letters[0x20] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    unsigned char letter = byte;
    if (byte < sizeof(letters))
        letter = letters[byte];
    if (letter != 0)
        sh_buffer_append(out, (unsigned char[]){'\\', letter}, 2);
    else
        sh_buffer_printf(out, "\\u%04X", byte);
}

/* How long the character there is; 0: it is none. */
static size_t character(const unsigned char *bytes, size_t len)
{
    utf8proc_int32_t code;
    utf8proc_ssize_t taken = utf8proc_iterate(bytes, (utf8proc_ssize_t)len, &code);
    return taken > 0 ? (size_t)taken : 0;
}

/* Runs that need nothing are copied as they are; what is no character becomes U+FFFD. */
void values_write_text(struct sh_buffer *out, struct sh_bytes text)
{
    const unsigned char *bytes = text.data;
    size_t from = 0;
    sh_buffer_append(out, "\"", 1);
    for (size_t i = 0; i < text.len;) {
        size_t taken = is_plain(bytes[i]) ? 1
                       : bytes[i] >= 0x80 ? character(bytes + i, text.len - i)
                                          : 0;
        i += taken;
        if (taken > 0)
            continue;
        sh_buffer_append(out, bytes + from, i - from);
        if (bytes[i] >= 0x80)
            sh_buffer_append(out, "\xEF\xBF\xBD", 3);
        else
            write_escaped(out, bytes[i]);
        from = ++i;
    }
    if (text.len > from)
        sh_buffer_append(out, bytes + from, text.len - from);
    sh_buffer_append(out, "\"", 1);
}

/* By hand: printf takes longer than all the rest of a node. */
static void write_integer(struct sh_buffer *out, int64_t integer)
{
    char text[20];
    size_t at = sizeof(text);
    uint64_t left = integer < 0 ? -(uint64_t)integer : (uint64_t)integer;
    do {
        text[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (integer < 0)
        text[--at] = '-';
    sh_buffer_append(out, text + at, sizeof(text) - at);
}

/* Shortest of the two that gives the same number; a float stays one. */
static void write_real(struct sh_buffer *out, double real)
{
    char text[40];
    (void)snprintf(text, sizeof(text), "%.15g", real);
    if (strtod(text, NULL) != real)
        (void)snprintf(text, sizeof(text), "%.17g", real);
    sh_buffer_text(out, text);
    if (strpbrk(text, ".e") == NULL)
        sh_buffer_text(out, ".0");
}

void values_write_one(struct sh_buffer *out, const struct value *value)
{
    switch (value->type) {
    case VALUE_NULL:
        sh_buffer_text(out, "null");
        break;
    case VALUE_BOOLEAN:
        sh_buffer_text(out, value->flag ? "true" : "false");
        break;
    case VALUE_INTEGER:
        write_integer(out, value->integer);
        break;
    case VALUE_FLOAT:
        write_real(out, value->real);
        break;
    case VALUE_STRING:
        values_write_text(out, value->text);
        break;
    case VALUE_LIST:
    case VALUE_MAP:
        sh_buffer_append(out, value->text.data, value->text.len);
        break;
    }
}

void values_write(struct sh_bytes packed, const struct symbols *keys,
                  struct sh_buffer *out)
{
    uint32_t count = values_count(packed);
    sh_buffer_append(out, "{", 1);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t key;
        struct value value;
        values_at(packed, i, &key, &value);
        if (i > 0)
            sh_buffer_append(out, ",", 1);
        values_write_text(out, symbols_text(keys, key));
        sh_buffer_append(out, ":", 1);
        values_write_one(out, &value);
    }
    sh_buffer_append(out, "}", 1);
}

/* --- comparing -------------------------------------------------------------------- */

static bool is_number(const struct value *value)
{
    return value->type == VALUE_INTEGER || value->type == VALUE_FLOAT;
}

static int compare_numbers(const struct value *a, const struct value *b)
{
    if (a->type == VALUE_INTEGER && b->type == VALUE_INTEGER)
        return (a->integer > b->integer) - (a->integer < b->integer);
    double left = a->type == VALUE_INTEGER ? (double)a->integer : a->real;
    double right = b->type == VALUE_INTEGER ? (double)b->integer : b->real;
    return (left > right) - (left < right);
}

static int compare_texts(struct sh_bytes a, struct sh_bytes b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len > 0 ? memcmp(a.data, b.data, len) : 0;
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* Maps, lists, strings, booleans, numbers, null: openCypher's order of types. */
static int rank_of(const struct value *value)
{
    static const int ranks[] = {
        [VALUE_MAP] = 0,     [VALUE_LIST] = 1,  [VALUE_STRING] = 2, [VALUE_BOOLEAN] = 3,
        [VALUE_INTEGER] = 4, [VALUE_FLOAT] = 4, [VALUE_NULL] = 5};
    return ranks[value->type];
}

int values_compare(const struct value *left, const struct value *right)
{
    int order = rank_of(left) - rank_of(right);
    if (order != 0)
        return order;
    if (is_number(left))
        return compare_numbers(left, right);
    if (left->type == VALUE_STRING)
        return compare_texts(left->text, right->text);
    if (left->type == VALUE_BOOLEAN)
        return (int)left->flag - (int)right->flag;
    return 0;
}
