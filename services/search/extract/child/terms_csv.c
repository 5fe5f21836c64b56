/* A glossary as a table: the first row has names of fields; a column of another name is
 * not read. CSV as RFC 4180, by libcsv; the delimiter is that of the first row. */
#include <csv.h>
#include <strings.h>

#include "services/search/extract/child/terms_out.h"

enum { STEP_BYTES = 65536, COLUMNS_MAX = 256, LINKS_FROM = 100 };

/* Other names that tables have for the fields. */
static const struct {
    const char *name;
    enum terms_field field;
} aliases[] = {{"lang", TERMS_language},         {"locale", TERMS_language},
               {"pos", TERMS_part_of_speech},    {"subject", TERMS_domain},
               {"subject_field", TERMS_domain},  {"meaning", TERMS_definition},
               {"description", TERMS_definition}};

/* Columns of relations: ids, a bar between them. */
static const char *const links[] = {"SYNONYM_OF", "BROADER",        "NARROWER",
                                    "RELATED",    "TRANSLATION_OF", "ABBREVIATION_OF"};

static bool is_name(struct sh_bytes text, const char *name)
{
    return text.len == strlen(name) && strncasecmp(text.data, name, text.len) == 0;
}

static int kind_of(struct sh_bytes name)
{
    for (int i = 0; i < TERMS_FIELD_COUNT; i++)
        if (is_name(name, terms_field_names[i]))
            return i;
    for (size_t i = 0; i < SH_COUNT(aliases); i++)
        if (is_name(name, aliases[i].name))
            return (int)aliases[i].field;
    for (size_t i = 0; i < SH_COUNT(links); i++)
        if (is_name(name, links[i]))
            return LINKS_FROM + (int)i;
    return -1;
}

static void add_links(struct terms_out *terms, const char *type, struct sh_bytes text)
{
    const char *at = text.data;
    size_t begin = 0;

    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && at[i] != '|')
            continue;
        terms_link(terms, type, out_trim((struct sh_bytes){at + begin, i - begin}));
        begin = i + 1;
    }
}

/* What was written so that no program takes it for a formula. */
static struct sh_bytes unquoted(struct sh_bytes text)
{
    const char *at = text.data;

    if (text.len < 2 || at[0] != '\'' || strchr("=+-@\t\r'", at[1]) == NULL)
        return text;
    return (struct sh_bytes){at + 1, text.len - 1};
}

void terms_cell(struct terms_table *table, size_t column, struct sh_bytes text)
{
    int kind;

    if (column >= COLUMNS_MAX)
        return;
    if (table->row == 0) {
        table->kinds[column] = kind_of(out_trim(text));
        table->columns = column + 1 > table->columns ? column + 1 : table->columns;
        return;
    }
    if (!table->any)
        terms_begin(table->terms, table->row + 1);
    table->any = table->any || out_trim(text).len > 0;
    kind = column < table->columns ? table->kinds[column] : -1;
    if (kind >= LINKS_FROM)
        add_links(table->terms, links[kind - LINKS_FROM], text);
    else if (kind >= 0)
        terms_set(table->terms, (enum terms_field)kind,
                  table->quoted ? unquoted(text) : text);
}

void terms_row_end(struct terms_table *table)
{
    bool has_term = false;

    if (table->row == 0) {
        for (size_t i = 0; i < table->columns; i++)
            has_term = has_term || table->kinds[i] == TERMS_term;
        if (!has_term)
            out_refuse(&table->terms->out, OUT_DAMAGED,
                       "its first row does not name a column \"term\"");
    } else if (table->any) {
        terms_end(table->terms);
    }
    table->row++;
    table->any = false;
    table->column = 0;
}

/* --- CSV -------------------------------------------------------------------------- */

static void on_field(void *text, size_t len, void *arg)
{
    struct terms_table *table = arg;

    terms_cell(table, table->column++, (struct sh_bytes){text, len});
}

static void on_row(int end, void *arg)
{
    (void)end;
    terms_row_end(arg);
}

static unsigned char delimiter_of(struct sh_bytes file)
{
    static const char all[] = {',', ';', '\t'};
    const char *at = file.data;
    size_t best = 0;
    char found = ',';

    for (size_t d = 0; d < SH_COUNT(all); d++) {
        size_t count = 0;
        for (size_t i = 0; i < file.len && at[i] != '\n'; i++)
            count += at[i] == all[d];
        if (count > best) {
            best = count;
            found = all[d];
        }
    }
    return (unsigned char)found;
}

static struct sh_bytes without_mark(struct sh_bytes file)
{
    if (file.len >= 3 && memcmp(file.data, "\xef\xbb\xbf", 3) == 0)
        return (struct sh_bytes){(const char *)file.data + 3, file.len - 3};
    return file;
}

void terms_read_csv(struct sh_bytes file, struct terms_out *terms)
{
    struct terms_table table = {.terms = terms, .quoted = true};
    struct csv_parser parser;
    size_t at = 0;

    file = without_mark(file);
    if (csv_init(&parser, CSV_APPEND_NULL) != 0) {
        out_refuse(&terms->out, OUT_LIMIT, "there is not memory enough to read it");
        return;
    }
    csv_set_delim(&parser, delimiter_of(file));
    while (at < file.len && terms->out.code == NULL) {
        size_t len = file.len - at < STEP_BYTES ? file.len - at : STEP_BYTES;
        if (csv_parse(&parser, (const char *)file.data + at, len, on_field, on_row,
                      &table) != len)
            out_refuse(&terms->out, OUT_DAMAGED, "it is no table");
        at += len;
    }
    /* strict from here on: a quote that is open has taken all rows after it */
    csv_set_opts(&parser, CSV_APPEND_NULL | CSV_STRICT | CSV_STRICT_FINI);
    if (terms->out.code == NULL && csv_fini(&parser, on_field, on_row, &table) != 0)
        out_refuse(&terms->out, OUT_DAMAGED, "row %zu has a quote that is not closed",
                   table.row + 1);
    csv_free(&parser);
}
