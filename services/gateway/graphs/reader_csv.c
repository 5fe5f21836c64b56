/* Rows by libcsv. The header says what the columns are; a row after an empty line may be
 * another one. */
#include <csv.h>

#include "services/gateway/graphs/csv_header.h"

enum { FIELDS_MAX = 4096, PIECE = 65536 };

struct field {
    size_t start; /* in `text` */
    size_t len;
    bool absent; /* empty, without quotes */
};

struct csv {
    struct graph_reader reader;
    struct csv_parser parser;
    bool opened;
    struct sh_buffer text; /* of the row in hand */
    struct field *fields;
    struct sh_bytes *views; /* the same, once the row is whole */
    size_t count;
    uint64_t row;
    int last_end;   /* the character that ended the row before */
    bool after_gap; /* an empty line was there */
    bool begun;     /* there is a header */
    struct csv_header header;
};

/* --- a row ------------------------------------------------------------------------ */

static void on_header(struct csv *self)
{
    size_t bad;
    enum sh_err err = csv_header_read(self->views, self->count, &self->header, &bad);

    self->begun = true;
    if (err == SH_NOMEM)
        (void)reader_no_memory(&self->reader);
    else if (err != SH_OK)
        (void)reader_broken(&self->reader,
                            "row %llu is no header of nodes (:ID) or relationships "
                            "(:START_ID, :END_ID): see column %zu",
                            (unsigned long long)self->row, bad + 1);
}

static json_t *read_list(struct csv *self, struct sh_bytes text, enum reader_type type)
{
    size_t count;
    struct sh_bytes *parts = reader_split(&self->reader, text, ';', '\\', &count);
    json_t *list = json_array();

    for (size_t i = 0; parts != NULL && i < count; i++)
        if (json_array_append_new(list, reader_value(parts[i], type)) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

/* "Person(42)" where ids have spaces of their own; the empty space is the usual one. */
static struct sh_bytes id_of(struct csv *self, const struct csv_column *column,
                             struct sh_bytes text)
{
    if (column->space.len == 0)
        return text;
    size_t len = column->space.len + 1 + text.len;
    char *id = sh_arena_alloc(&self->reader.arena, len + 1);
    if (id == NULL) {
        (void)reader_no_memory(&self->reader);
        return text;
    }
    memcpy(id, column->space.data, column->space.len);
    id[column->space.len] = '/';
    if (text.len > 0)
        memcpy(id + column->space.len + 1, text.data, text.len);
    return (struct sh_bytes){id, len};
}

struct row {
    struct graph_node_put node;
    struct graph_edge_put edge;
    json_t *properties;
    const char *bad; /* the column that cannot be read */
};

static void take_property(struct csv *self, const struct csv_column *column,
                          struct sh_bytes text, struct row *row)
{
    json_t *value = column->list ? read_list(self, text, column->type)
                                 : reader_value(text, column->type);

    if (json_object_set_new(row->properties, column->name, value) != 0)
        row->bad = column->name;
}

static void take_clearance(struct sh_bytes text, struct row *row)
{
    const char *digit = text.data;

    if (text.len != 1 || *digit < '1' || *digit > '5')
        row->bad = "clearance_level";
    else
        row->node.clearance_level = row->edge.clearance_level = (uint32_t)(*digit - '0');
}

static void take_id(struct csv *self, const struct csv_column *column,
                    struct sh_bytes text, struct row *row)
{
    row->node.id = id_of(self, column, text);
    if (column->name[0] != '\0')
        take_property(self, column, text, row);
}

static void take(struct csv *self, const struct csv_column *column, struct sh_bytes text,
                 struct row *row)
{
    switch (column->role) {
    case CSV_PROPERTY:
        take_property(self, column, text, row);
        break;
    case CSV_ID:
        take_id(self, column, text, row);
        break;
    case CSV_LABEL:
        if (text.len > 0)
            row->node.labels =
                reader_split(&self->reader, text, ';', '\\', &row->node.labels_count);
        break;
    case CSV_EDGE_ID:
        row->edge.id = text;
        break;
    case CSV_START:
        row->edge.from = id_of(self, column, text);
        break;
    case CSV_END:
        row->edge.to = id_of(self, column, text);
        break;
    case CSV_TYPE:
        row->edge.type = text;
        break;
    case CSV_CLEARANCE:
        take_clearance(text, row);
        break;
    case CSV_DEPARTMENT:
        row->node.department = row->edge.department = text;
        row->node.department_said = row->edge.department_said = true;
        break;
    case CSV_IGNORE:
        break;
    }
}

static void hand_out(struct csv *self, struct row *row)
{
    struct graph_reader *reader = &self->reader;

    row->node.line = row->edge.line = self->row;
    if (row->bad != NULL)
        reader_fault(reader, self->row, row->bad, "%.64s is not what its column holds",
                     row->bad);
    else if (self->header.edges)
        reader_edge(reader, &row->edge, row->properties);
    else
        reader_node(reader, &row->node, row->properties);
}

static void on_record(struct csv *self)
{
    struct row row = {.properties = json_object()};

    if (row.properties == NULL) {
        (void)reader_no_memory(&self->reader);
        return;
    }
    if (self->count > self->header.count) {
        reader_fault(&self->reader, self->row, "", "there are more fields than columns");
    } else {
        for (size_t i = 0; i < self->count && row.bad == NULL; i++)
            if (!self->fields[i].absent)
                take(self, &self->header.columns[i], self->views[i], &row);
        if (self->reader.err == SH_OK)
            hand_out(self, &row);
    }
    json_decref(row.properties);
}

/* --- libcsv ----------------------------------------------------------------------- */

static void on_field(void *data, size_t len, void *arg)
{
    struct csv *self = arg;

    if (self->reader.err != SH_OK)
        return;
    if (self->count == FIELDS_MAX || self->text.len + len > READER_RECORD_MAX) {
        (void)reader_broken(&self->reader, "row %llu is too long",
                            (unsigned long long)self->row + 1);
        return;
    }
    self->fields[self->count++] =
        (struct field){.start = self->text.len, .len = len, .absent = data == NULL};
    if (len > 0)
        sh_buffer_append(&self->text, data, len);
}

static void on_gap(struct csv *self, int end)
{
    if (end != '\n' || self->last_end != '\r') /* that is one line end */
        self->after_gap = true;
}

static void on_row(int end, void *arg)
{
    struct csv *self = arg;

    if (self->reader.err != SH_OK)
        return;
    if (self->text.err != SH_OK) {
        (void)reader_no_memory(&self->reader);
        return;
    }
    if (self->count == 0) {
        on_gap(self, end);
        self->last_end = end;
        return;
    }
    self->row++;
    for (size_t i = 0; i < self->count; i++)
        self->views[i] = (struct sh_bytes){
            self->text.data != NULL ? self->text.data + self->fields[i].start : "",
            self->fields[i].len};
    if (!self->begun || (self->after_gap && csv_is_header(self->views, self->count)))
        on_header(self);
    else
        on_record(self);
    self->after_gap = false;
    self->last_end = end;
    self->count = 0;
    sh_buffer_clear(&self->text);
}

/* --- the stream ------------------------------------------------------------------- */

static void close_reader(struct graph_reader *reader)
{
    struct csv *self = (struct csv *)reader;

    if (self->opened)
        csv_free(&self->parser);
    csv_header_free(&self->header);
    sh_buffer_free(&self->text);
    sh_free(self->fields);
    sh_free(self->views);
}

static enum sh_err open_reader(struct graph_reader *reader)
{
    struct csv *self = (struct csv *)reader;

    self->fields = sh_alloc_array(FIELDS_MAX, sizeof(*self->fields));
    self->views = sh_alloc_array(FIELDS_MAX, sizeof(*self->views));
    self->opened = csv_init(&self->parser, CSV_REPALL_NL | CSV_EMPTY_IS_NULL) == 0;
    if (self->fields != NULL && self->views != NULL && self->opened)
        return SH_OK;
    close_reader(reader);
    return SH_NOMEM;
}

/* A byte order mark would be part of the first name. */
static struct sh_bytes without_mark(const struct csv *self, struct sh_bytes piece)
{
    bool first = !self->begun && self->count == 0 && self->text.len == 0;
    bool marked = first && piece.len >= 3 && memcmp(piece.data, "\xef\xbb\xbf", 3) == 0;

    return marked ? (struct sh_bytes){(const char *)piece.data + 3, piece.len - 3}
                  : piece;
}

static enum sh_err feed(struct graph_reader *reader, struct sh_bytes piece)
{
    struct csv *self = (struct csv *)reader;
    struct sh_bytes left = without_mark(self, piece);

    while (left.len > 0 && reader->err == SH_OK) {
        size_t len = left.len < PIECE ? left.len : PIECE;
        if (csv_parse(&self->parser, left.data, len, on_field, on_row, self) != len)
            return csv_error(&self->parser) == CSV_ENOMEM
                       ? reader_no_memory(reader)
                       : reader_broken(reader, "row %llu cannot be read",
                                       (unsigned long long)self->row + 1);
        if (csv_get_buffer_size(&self->parser) > READER_RECORD_MAX)
            return reader_broken(reader, "row %llu has a field that is too long",
                                 (unsigned long long)self->row + 1);
        left = (struct sh_bytes){(const char *)left.data + len, left.len - len};
    }
    return reader->err;
}

static enum sh_err end(struct graph_reader *reader)
{
    struct csv *self = (struct csv *)reader;

    /* strict from here on: a quote that is open would have taken all rows after it */
    csv_set_opts(&self->parser, (unsigned char)(csv_get_opts(&self->parser) | CSV_STRICT |
                                                CSV_STRICT_FINI));
    if (csv_fini(&self->parser, on_field, on_row, self) != 0)
        return reader_broken(reader, "row %llu has a quote that is not closed",
                             (unsigned long long)self->row + 1);
    return reader->err;
}

const struct graph_reader_kind csv_reader = {.size = sizeof(struct csv),
                                             .open = open_reader,
                                             .feed = feed,
                                             .end = end,
                                             .close = close_reader};
