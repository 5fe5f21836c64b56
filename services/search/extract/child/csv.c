/* Rows as text. RFC 4180 as libcsv reads it, with the delimiter that the file uses. */
#include <csv.h>
#include <stdio.h>

#include "services/search/extract/child/readers.h"
#include "shared/mem.h"

enum {
    ROWS_A_SECTION = 100,
    COLUMNS_MAX = 4096,
    STEP_BYTES = 65536,
    PROBE_BYTES = 16384,
};

struct table {
    struct out *out;
    struct sh_buffer names; /* of the columns, one after the other */
    size_t ends[COLUMNS_MAX];
    size_t columns;
    size_t column; /* of the next field */
    size_t row;    /* 0: the names */
    bool written;  /* a field of this row */
};

/* The one that the first lines have most alike: as often in each, outside quotes. */
static char delimiter_of(struct sh_bytes text)
{
    static const char all[] = {',', ';', '\t', '|'};
    const char *at = text.data;
    size_t len = text.len < PROBE_BYTES ? text.len : PROBE_BYTES;
    size_t best = 0;
    char found = ',';

    for (size_t d = 0; d < SH_COUNT(all); d++) {
        size_t in_first = 0;
        size_t in_line = 0;
        size_t lines = 0;
        size_t alike = 0;
        bool quoted = false;
        for (size_t i = 0; i < len; i++) {
            quoted ^= at[i] == '"';
            in_line += !quoted && at[i] == all[d];
            if (quoted || at[i] != '\n')
                continue;
            if (lines++ == 0)
                in_first = in_line;
            alike += in_line == in_first;
            in_line = 0;
        }
        if (lines == 0) {
            in_first = in_line;
            alike = 1;
        }
        if (in_first > 0 && alike * 64 + in_first > best) {
            best = alike * 64 + in_first;
            found = all[d];
        }
    }
    return found;
}

static struct sh_bytes name_of(const struct table *table, size_t column)
{
    size_t from = column == 0 ? 0 : table->ends[column - 1];

    if (column >= table->columns || table->ends[column] == from)
        return (struct sh_bytes){0};
    return (struct sh_bytes){table->names.data + from, table->ends[column] - from};
}

static void add_name(struct table *table, struct sh_bytes field)
{
    if (table->columns == COLUMNS_MAX) {
        out_refuse(table->out, OUT_LIMIT, "it has more than %d columns", COLUMNS_MAX);
        return;
    }
    sh_buffer_append(&table->names, field.data, field.len);
    table->ends[table->columns++] = table->names.len;
    if (table->names.err != SH_OK)
        out_refuse(table->out, OUT_LIMIT, "there is not memory enough to read it");
}

static void add_value(struct table *table, size_t column, struct sh_bytes field)
{
    struct out *out = table->out;
    struct sh_bytes name = name_of(table, column);

    if (field.len == 0)
        return;
    if (table->written)
        out_text(out, sh_bytes_of("; "));
    if (name.len > 0) {
        out_text(out, name);
        out_text(out, sh_bytes_of(": "));
    }
    out_text(out, field);
    table->written = true;
}

static void begin_section(struct table *table)
{
    char heading[64];

    (void)snprintf(heading, sizeof(heading), "Rows from %zu", table->row);
    out_heading(table->out, sh_bytes_of(heading));
}

static void on_field(void *data, size_t len, void *arg)
{
    struct table *table = arg;
    struct sh_bytes field = out_trim((struct sh_bytes){data, len});

    if (table->out->code != NULL)
        return;
    if (table->row == 0) {
        add_name(table, field);
        return;
    }
    if (table->column == 0 && table->row % ROWS_A_SECTION == 1)
        begin_section(table);
    add_value(table, table->column++, field);
}

static void on_row(int end, void *arg)
{
    struct table *table = arg;

    (void)end;
    table->row++;
    table->column = 0;
    if (table->written)
        out_line(table->out);
    table->written = false;
}

/* A file of names alone is its names. */
static void names_alone(struct table *table)
{
    for (size_t i = 0; i < table->columns; i++) {
        out_text(table->out, name_of(table, i));
        out_line(table->out);
    }
}

void read_csv(struct sh_bytes text, struct out *out)
{
    struct table *table = sh_alloc(sizeof(*table));
    struct csv_parser parser;
    const char *at = text.data;
    size_t left = text.len;

    if (table == NULL || csv_init(&parser, CSV_EMPTY_IS_NULL) != 0) {
        sh_free(table);
        out_refuse(out, OUT_LIMIT, "there is not memory enough to read it");
        return;
    }
    table->out = out;
    csv_set_delim(&parser, (unsigned char)delimiter_of(text));
    while (left > 0 && out->code == NULL) {
        size_t len = left < STEP_BYTES ? left : STEP_BYTES;
        if (csv_parse(&parser, at, len, on_field, on_row, table) != len)
            out_refuse(out, OUT_DAMAGED, "it is no table: %s",
                       csv_strerror(csv_error(&parser)));
        at += len;
        left -= len;
    }
    if (out->code == NULL && csv_fini(&parser, on_field, on_row, table) != 0)
        out_refuse(out, OUT_DAMAGED, "it is no table");
    if (out->code == NULL && table->row <= 1)
        names_alone(table);
    csv_free(&parser);
    sh_buffer_free(&table->names);
    sh_free(table);
}
