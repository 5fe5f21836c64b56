#include "cli/cairn/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cairn/terminal.h"
#include "cli/cairn/text.h"

enum { COLUMNS_MAX = 64, GAP = 2, NARROWEST = 8, MEMBER_MAX = 64 };

/* --- cells ------------------------------------------------------------------------ */

static const json_t *member_of(const json_t *object, const char *member)
{
    char name[MEMBER_MAX];
    while (object && *member) {
        size_t len = strcspn(member, ".");
        (void)snprintf(name, sizeof(name), "%.*s", (int)len, member);
        object = json_object_get(object, name);
        member += len + (member[len] == '.');
    }
    return object;
}

void table_value(struct sh_buffer *out, const json_t *object, const char *member)
{
    const json_t *value = member_of(object, member);
    if (!value || json_is_null(value))
        return;
    if (json_is_string(value)) {
        sh_buffer_append(out, json_string_value(value), json_string_length(value));
    } else if (json_is_integer(value)) {
        sh_buffer_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    } else if (json_is_real(value)) {
        sh_buffer_printf(out, "%.6g", json_real_value(value));
    } else {
        size_t how = JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15);
        char *text = json_dumps(value, how);
        sh_buffer_text(out, text ? text : "");
        free(text); /* jansson's */
    }
}

static void cell(struct sh_buffer *out, const json_t *row, const char *member)
{
    struct sh_buffer raw = {0};
    table_value(&raw, row, member);
    sh_buffer_clear(out);
    text_clean(out, sh_buffer_bytes(&raw), TEXT_ONE_LINE);
    sh_buffer_free(&raw);
}

/* --- widths ----------------------------------------------------------------------- */

static size_t measure(const struct table_column *columns, const json_t *rows,
                      size_t widths[static COLUMNS_MAX])
{
    struct sh_buffer text = {0};
    size_t count = 0;
    for (; count < COLUMNS_MAX && columns[count].title != NULL; count++) {
        widths[count] = strlen(columns[count].title);
        for (size_t i = 0; i < json_array_size(rows); i++) {
            cell(&text, json_array_get(rows, i), columns[count].member);
            size_t width = text_width(sh_buffer_bytes(&text));
            widths[count] = width > widths[count] ? width : widths[count];
        }
    }
    sh_buffer_free(&text);
    return count;
}

/* The widest of those that give way becomes narrower until all fits. */
static void squeeze(const struct table_column *columns, size_t count, size_t room,
                    size_t widths[static COLUMNS_MAX])
{
    size_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += widths[i] + (i > 0 ? GAP : 0);
    while (sum > room) {
        size_t widest = count;
        for (size_t i = 0; i < count; i++) {
            if (columns[i].gives_way && widths[i] > NARROWEST &&
                (widest == count || widths[i] > widths[widest]))
                widest = i;
        }
        if (widest == count)
            return;
        widths[widest]--;
        sum--;
    }
}

/* --- printing --------------------------------------------------------------------- */

static void write_out(struct sh_buffer *line)
{
    while (line->len > 0 && line->data[line->len - 1] == ' ')
        line->len--;
    sh_buffer_text(line, "\n");
    if (line->err == SH_OK)
        (void)fwrite(line->data, 1, line->len, stdout);
    sh_buffer_clear(line);
}

static void print_titles(const struct table_column *columns, size_t count,
                         const size_t *widths, const struct terminal *terminal)
{
    struct sh_buffer line = {0};
    sh_buffer_text(&line, terminal_bold(terminal));
    for (size_t i = 0; i < count; i++) {
        text_fit(&line, sh_bytes_of(columns[i].title), widths[i], i + 1 < count);
        sh_buffer_text(&line, i + 1 < count ? "  " : "");
    }
    sh_buffer_text(&line, terminal_plain(terminal));
    write_out(&line);
    sh_buffer_free(&line);
}

static void print_row(const struct table_column *columns, size_t count,
                      const size_t *widths, const json_t *row)
{
    struct sh_buffer line = {0};
    struct sh_buffer text = {0};
    for (size_t i = 0; i < count; i++) {
        cell(&text, row, columns[i].member);
        if (widths)
            text_fit(&line, sh_buffer_bytes(&text), widths[i], i + 1 < count);
        else if (text.len > 0)
            sh_buffer_append(&line, text.data, text.len);
        if (i + 1 < count)
            sh_buffer_text(&line, widths ? "  " : "\t");
    }
    write_out(&line);
    sh_buffer_free(&text);
    sh_buffer_free(&line);
}

void table_print(const struct table_column *columns, const json_t *rows)
{
    size_t widths[COLUMNS_MAX];
    struct terminal terminal = terminal_of(stdout);
    size_t count = measure(columns, rows, widths);
    if (terminal.is_one && json_array_size(rows) > 0) {
        squeeze(columns, count, terminal.columns, widths);
        print_titles(columns, count, widths, &terminal);
    }
    for (size_t i = 0; i < json_array_size(rows); i++)
        print_row(columns, count, terminal.is_one ? widths : NULL,
                  json_array_get(rows, i));
}

void table_print_one(const struct table_column *columns, const json_t *object)
{
    struct sh_buffer text = {0};
    struct terminal terminal = terminal_of(stdout);
    for (; columns->title; columns++) {
        cell(&text, object, columns->member);
        if (text.len == 0)
            continue;
        (void)printf("%s%s:%s %.*s\n", terminal_bold(&terminal), columns->title,
                     terminal_plain(&terminal), (int)text.len, text.data);
    }
    sh_buffer_free(&text);
}
