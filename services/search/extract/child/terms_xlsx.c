/* A glossary as the first sheet of an Excel file, by libzip: the shared texts and the
 * sheet are read as streams, bounded whatever the directory says of their lengths. */
#include <stdio.h>
#include <zip.h>

#include "services/search/extract/child/terms_out.h"
#include "services/search/extract/child/xml.h"

enum {
    STEP_BYTES = 32768,
    ENTRIES_MAX = 10000,
    SLACK_BYTES = 4 << 20, /* small files may expand more */
    CELL_BYTES = 65536,
    TEXTS_MAX = 4000000,
};

struct workbook {
    struct terms_out *terms;
    zip_t *zip;
    uint64_t file_len;
    uint64_t expanded;
    struct sh_buffer texts; /* shared ones, one after the other */
    size_t *ends;
    size_t count;
    size_t room;
};

/* --- parts ------------------------------------------------------------------------ */

static bool is_within(struct workbook *book, size_t more)
{
    struct out *out = &book->terms->out;

    book->expanded += more;
    if (book->expanded > book->file_len * out->limits.ratio + SLACK_BYTES)
        out_refuse(out, OUT_LIMIT, "it expands to more than %u times its length",
                   out->limits.ratio);
    return out->code == NULL;
}

static bool pump(struct workbook *book, zip_file_t *part, struct xml *xml)
{
    struct out *out = &book->terms->out;
    char buffer[STEP_BYTES];
    zip_int64_t got = 0;

    while (out->code == NULL && (got = zip_fread(part, buffer, sizeof(buffer))) > 0)
        if (!is_within(book, (size_t)got) ||
            !xml_feed(xml, (struct sh_bytes){buffer, (size_t)got}))
            return false;
    if (got < 0)
        out_refuse(out, OUT_DAMAGED, "what is packed in it is damaged");
    return out->code == NULL;
}

static bool is_plain(const zip_stat_t *about)
{
    return ((about->valid & ZIP_STAT_ENCRYPTION_METHOD) == 0 ||
            about->encryption_method == ZIP_EM_NONE) &&
           ((about->valid & ZIP_STAT_COMP_METHOD) == 0 ||
            about->comp_method == ZIP_CM_STORE || about->comp_method == ZIP_CM_DEFLATE);
}

static void read_part(struct workbook *book, zip_int64_t index,
                      const struct xml_events *events, void *arg)
{
    struct out *out = &book->terms->out;
    zip_stat_t about;
    zip_file_t *part = NULL;
    struct xml xml;

    if (zip_stat_index(book->zip, (zip_uint64_t)index, 0, &about) == 0 &&
        is_plain(&about))
        part = zip_fopen_index(book->zip, (zip_uint64_t)index, 0);
    if (part == NULL) {
        out_refuse(out, OUT_DAMAGED, "what is packed in it cannot be read");
        return;
    }
    if (xml_open(&xml, out, events, arg)) {
        xml_close(&xml, pump(book, part, &xml));
    } else {
        xml_close(&xml, false);
        out_refuse(out, OUT_LIMIT, "there is not memory enough to read it");
    }
    zip_fclose(part);
}

/* --- shared texts ----------------------------------------------------------------- */

struct shared {
    struct workbook *book;
    bool inside; /* of <t> */
    unsigned phonetic;
};

static void shared_start(void *arg, const char *name, const xmlChar **attributes,
                         int count)
{
    struct shared *self = arg;

    (void)attributes;
    (void)count;
    self->phonetic += strcmp(name, "rPh") == 0;
    self->inside = strcmp(name, "t") == 0 && self->phonetic == 0;
}

static void shared_text(void *arg, struct sh_bytes text)
{
    struct shared *self = arg;

    if (self->inside)
        sh_buffer_append(&self->book->texts, text.data, text.len);
}

static void end_text(struct workbook *book)
{
    if (book->count == book->room) {
        size_t room = book->room == 0 ? 1024 : book->room * 2;
        size_t *more = sh_realloc(book->ends, room * sizeof(*more));
        if (more == NULL || room > TEXTS_MAX * (size_t)2) {
            book->ends = more != NULL ? more : book->ends;
            out_refuse(&book->terms->out, OUT_LIMIT, "it has too many texts");
            return;
        }
        book->ends = more;
        book->room = room;
    }
    book->ends[book->count++] = book->texts.len;
}

static void shared_end(void *arg, const char *name)
{
    struct shared *self = arg;

    self->inside = false;
    if (strcmp(name, "rPh") == 0)
        self->phonetic--;
    else if (strcmp(name, "si") == 0)
        end_text(self->book);
}

static const struct xml_events shared_events = {shared_start, shared_end, shared_text};

/* --- the sheet -------------------------------------------------------------------- */

struct sheet {
    struct workbook *book;
    struct terms_table table;
    struct sh_buffer cell;
    size_t column;
    bool shared;
    bool inside; /* of <v> or <t> */
    bool row;
};

/* "BC12" is column 54. Without it: the next one. */
static size_t column_of(struct sh_bytes place, size_t next)
{
    const char *at = place.data;
    size_t column = 0;

    for (size_t i = 0; i < place.len && i < 4 && at[i] >= 'A' && at[i] <= 'Z'; i++)
        column = column * 26 + (size_t)(at[i] - 'A') + 1;
    return column == 0 ? next : column - 1;
}

static void sheet_start(void *arg, const char *name, const xmlChar **attributes,
                        int count)
{
    struct sheet *self = arg;

    self->inside = strcmp(name, "v") == 0 || strcmp(name, "t") == 0;
    if (strcmp(name, "row") == 0) {
        self->row = true;
        self->table.column = 0;
    } else if (strcmp(name, "c") == 0) {
        struct sh_bytes type = xml_attribute(attributes, count, "t");
        self->shared = sh_bytes_is(type, "s");
        self->column =
            column_of(xml_attribute(attributes, count, "r"), self->table.column);
        self->table.column = self->column + 1;
        sh_buffer_clear(&self->cell);
    }
}

static void sheet_text(void *arg, struct sh_bytes text)
{
    struct sheet *self = arg;

    if (self->inside && self->cell.len + text.len <= 2 * (size_t)CELL_BYTES)
        sh_buffer_append(&self->cell, text.data, text.len);
}

static struct sh_bytes shared_at(const struct workbook *book, struct sh_bytes number)
{
    const char *at = number.data;
    size_t index = 0;

    for (size_t i = 0; i < number.len && i < 9; i++) {
        if (at[i] < '0' || at[i] > '9')
            return (struct sh_bytes){0};
        index = index * 10 + (size_t)(at[i] - '0');
    }
    if (number.len == 0 || index >= book->count)
        return (struct sh_bytes){0};
    size_t begin = index == 0 ? 0 : book->ends[index - 1];
    return (struct sh_bytes){book->texts.data + begin, book->ends[index] - begin};
}

static void sheet_end(void *arg, const char *name)
{
    struct sheet *self = arg;
    struct sh_bytes cell = sh_buffer_bytes(&self->cell);

    self->inside = false;
    if (strcmp(name, "c") == 0) {
        if (self->shared)
            cell = shared_at(self->book, out_trim(cell));
        if (cell.len > 0)
            terms_cell(&self->table, self->column, cell);
        sh_buffer_clear(&self->cell);
    } else if (strcmp(name, "row") == 0 && self->row) {
        self->row = false;
        terms_row_end(&self->table);
    }
}

static const struct xml_events sheet_events = {sheet_start, sheet_end, sheet_text};

/* --- the whole -------------------------------------------------------------------- */

/* sheet1.xml, or else the first one that there is; < 0: none. */
static zip_int64_t first_sheet(zip_t *zip)
{
    static const char folder[] = "xl/worksheets/";
    zip_int64_t found = zip_name_locate(zip, "xl/worksheets/sheet1.xml", 0);
    zip_int64_t count = zip_get_num_entries(zip, 0);

    for (zip_int64_t i = 0; found < 0 && i < count; i++) {
        const char *name = zip_get_name(zip, (zip_uint64_t)i, 0);
        size_t len = name == NULL ? 0 : strlen(name);
        if (len > 4 && strncmp(name, folder, sizeof(folder) - 1) == 0 &&
            strcmp(name + len - 4, ".xml") == 0)
            found = i;
    }
    return found;
}

static void read_book(struct workbook *book)
{
    struct out *out = &book->terms->out;
    struct shared shared = {.book = book};
    struct sheet sheet = {.book = book, .table = {.terms = book->terms}};
    zip_int64_t texts = zip_name_locate(book->zip, "xl/sharedStrings.xml", 0);
    zip_int64_t index = first_sheet(book->zip);

    if (zip_get_num_entries(book->zip, 0) > ENTRIES_MAX)
        out_refuse(out, OUT_LIMIT, "it holds more than %d parts", ENTRIES_MAX);
    else if (index < 0)
        out_refuse(out, OUT_TYPE, "it is an archive, but no Excel file");
    if (out->code == NULL && texts >= 0)
        read_part(book, texts, &shared_events, &shared);
    if (out->code == NULL && book->texts.err == SH_OK)
        read_part(book, index, &sheet_events, &sheet);
    if (book->texts.err != SH_OK || sheet.cell.err != SH_OK)
        out_refuse(out, OUT_LIMIT, "there is not memory enough to read it");
    sh_buffer_free(&sheet.cell);
}

void terms_read_xlsx(struct sh_bytes file, struct terms_out *terms)
{
    struct workbook book = {.terms = terms, .file_len = file.len};
    zip_error_t problem;
    zip_source_t *source;

    zip_error_init(&problem);
    source = zip_source_buffer_create(file.data, file.len, 0, &problem);
    if (source != NULL)
        book.zip = zip_open_from_source(source, ZIP_RDONLY, &problem);
    if (book.zip == NULL) {
        zip_source_free(source);
        out_refuse(&terms->out, OUT_DAMAGED, "it is damaged or not whole");
    } else {
        read_book(&book);
        zip_discard(book.zip);
    }
    zip_error_fini(&problem);
    sh_buffer_free(&book.texts);
    sh_free(book.ends);
}
