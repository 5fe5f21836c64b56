#include "cli/cairn/rows/template.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/buffer.h"

enum { DEPTH_MAX = 32, NUMBER_MAX = 64 };

struct column { /* {name:type} in a text */
    struct sh_bytes name;
    struct sh_bytes type; /* empty: none is said */
    size_t len;           /* with its braces */
};

static json_t *fail(struct template_row *row, const char *what, struct sh_bytes about)
{
    if (row->problem[0] == '\0')
        (void)snprintf(row->problem, sizeof row->problem, "%s: %.*s", what,
                       (int)(about.len < 100 ? about.len : 100),
                       (const char *)about.data);
    return NULL;
}

/* False when no column begins there. */
static bool read_column(const char *at, struct column *out)
{
    const char *end = *at == '{' && at[1] != '{' ? strchr(at, '}') : NULL;
    const char *colon;

    if (end == NULL)
        return false;
    colon = memchr(at, ':', (size_t)(end - at));
    out->len = (size_t)(end - at) + 1;
    out->name = (struct sh_bytes){at + 1, (size_t)((colon ? colon : end) - at) - 1};
    out->type = (struct sh_bytes){0};
    if (colon != NULL)
        out->type = (struct sh_bytes){colon + 1, (size_t)(end - colon) - 1};
    return true;
}

/* False: there is no such column. A row that is short has empty cells at its end. */
static bool find_cell(struct template_row *row, struct sh_bytes name,
                      struct sh_bytes *out)
{
    for (size_t i = 0; i < row->count; i++) {
        if (!sh_bytes_equal(row->names[i], name))
            continue;
        *out = row->cells[i];
        return true;
    }
    (void)fail(row, "there is no such column", name);
    return false;
}

/* --- values ----------------------------------------------------------------------- */

static json_t *number_of(struct template_row *row, struct sh_bytes cell)
{
    char text[NUMBER_MAX];
    char *end = NULL;

    if (cell.len >= sizeof text)
        return fail(row, "not a number", cell);
    memcpy(text, cell.data, cell.len);
    text[cell.len] = '\0';
    if (text[strspn(text, "+-0123456789.eE")] != '\0') /* no hexadecimals, no nan */
        return fail(row, "not a number", cell);
    double number = strtod(text, &end);
    if (*end != '\0' || !isfinite(number))
        return fail(row, "not a number", cell);
    if (text[strspn(text, "+-0123456789")] == '\0' && fabs(number) < 9e15)
        return json_integer((json_int_t)number);
    return json_real(number);
}

static json_t *flag_of(struct template_row *row, struct sh_bytes cell)
{
    static const char *const words[][2] = {
        {"false", "true"}, {"no", "yes"}, {"0", "1"}, {"f", "t"}};

    for (size_t i = 0; i < SH_COUNT(words); i++)
        for (int value = 0; value < 2; value++)
            if (cell.len == strlen(words[i][value]) &&
                strncasecmp(cell.data, words[i][value], cell.len) == 0)
                return json_boolean(value);
    return fail(row, "neither true nor false", cell);
}

static struct sh_bytes trimmed(struct sh_bytes text)
{
    const char *data = text.data;

    while (text.len > 0 && data[text.len - 1] == ' ')
        text.len--;
    for (; text.len > 0 && *data == ' '; data++)
        text.len--;
    return (struct sh_bytes){data, text.len};
}

static json_t *list_of(struct sh_bytes cell)
{
    json_t *list = json_array();
    const char *data = cell.data;

    for (size_t from = 0; list != NULL && from < cell.len;) {
        const char *end = memchr(data + from, ';', cell.len - from);
        size_t len = end ? (size_t)(end - data) - from : cell.len - from;
        struct sh_bytes part = trimmed((struct sh_bytes){data + from, len});
        if (part.len > 0)
            json_array_append_new(list, json_stringn(part.data, part.len));
        from += len + 1;
    }
    return list;
}

static json_t *value_of(struct template_row *row, const struct column *column)
{
    struct sh_bytes cell;

    if (!find_cell(row, column->name, &cell) || cell.len == 0)
        return NULL;
    if (column->type.len == 0 || sh_bytes_is(column->type, "text")) {
        json_t *text = json_stringn(cell.data, cell.len);
        return text ? text : fail(row, "not UTF-8", column->name);
    }
    if (sh_bytes_is(column->type, "number"))
        return number_of(row, cell);
    if (sh_bytes_is(column->type, "flag"))
        return flag_of(row, cell);
    if (sh_bytes_is(column->type, "list"))
        return list_of(cell);
    return fail(row, "there is no such type", column->type);
}

/* --- texts ------------------------------------------------------------------------ */

static bool write_text(struct template_row *row, const char *text, struct sh_buffer *out)
{
    struct column column;
    struct sh_bytes cell;

    while (*text != '\0') {
        if (read_column(text, &column)) {
            if (!find_cell(row, column.name, &cell))
                return false;
            sh_buffer_append(out, cell.data, cell.len);
            text += column.len;
            continue;
        }
        sh_buffer_append(out, text, 1);
        text += *text == '{' && text[1] == '{' ? 2 : 1;
    }
    return true;
}

static json_t *text_of(struct template_row *row, const char *text)
{
    struct sh_buffer out = {0};
    struct column column;
    json_t *value = NULL;

    if (read_column(text, &column) && text[column.len] == '\0')
        return value_of(row, &column);
    if (write_text(row, text, &out) && out.err == SH_OK) {
        struct sh_bytes whole = trimmed(sh_buffer_bytes(&out));
        value = json_stringn(whole.len > 0 ? whole.data : "", whole.len);
        if (value == NULL)
            (void)fail(row, "not UTF-8", sh_bytes_of(text));
    }
    sh_buffer_free(&out);
    return value;
}

/* --- the tree --------------------------------------------------------------------- */

static json_t *fill(json_t *template, struct template_row *row, unsigned depth);

/* NOLINTNEXTLINE(misc-no-recursion): DEPTH_MAX bounds it */
static json_t *fill_object(json_t *template, struct template_row *row, unsigned depth)
{
    json_t *object = json_object();
    const char *name;
    json_t *member;

    json_object_foreach(template, name, member)
    {
        json_t *value = fill(member, row, depth);
        if (value != NULL)
            json_object_set_new(object, name, value);
    }
    if (json_object_size(object) > 0)
        return object;
    json_decref(object);
    return NULL;
}

/* NOLINTNEXTLINE(misc-no-recursion): DEPTH_MAX bounds it */
static json_t *fill_list(json_t *template, struct template_row *row, unsigned depth)
{
    json_t *list = json_array();

    for (size_t i = 0; i < json_array_size(template); i++) {
        json_t *value = fill(json_array_get(template, i), row, depth);
        if (value != NULL)
            json_array_append_new(list, value);
    }
    if (json_array_size(list) > 0)
        return list;
    json_decref(list);
    return NULL;
}

/* NOLINTNEXTLINE(misc-no-recursion): DEPTH_MAX bounds it */
static json_t *fill(json_t *template, struct template_row *row, unsigned depth)
{
    if (depth == DEPTH_MAX)
        return fail(row, "too deep", sh_bytes_of("the template"));
    if (json_is_object(template))
        return fill_object(template, row, depth + 1);
    if (json_is_array(template))
        return fill_list(template, row, depth + 1);
    if (json_is_string(template))
        return text_of(row, json_string_value(template));
    return json_deep_copy(template);
}

json_t *template_fill(json_t *template, struct template_row *row)
{
    row->problem[0] = '\0';
    json_t *value = fill(template, row, 0);
    if (value == NULL || row->problem[0] == '\0')
        return value;
    json_decref(value);
    return NULL;
}
