#include "services/search/glossary/export.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "services/search/glossary/terms.h"
#include "services/search/glossary/terms_sql.h"
#include "services/search/glossary/terms_writer.h"
#include "services/search/query/record_call.h"

enum {
    READ_MS = 10000,
    PAGE_ROWS = 500,
    PAGE_STEP = 20,        /* terms of 128 KiB at most, and each byte is six at most */
    PIECE_BYTES = 2 << 20, /* then a piece is long enough */
    ID_BYTES = 256,
    PARAMS = 1 + RECORD_RIGHTS + 4,
};

struct piece { /* on its own: the call may be gone before the worker is done */
    struct exporter *exporter;
    struct sh_rpc_call *call;
    const struct terms_format *format;
    struct terms_writer writer;
    char after[ID_BYTES + 1]; /* the last id that was written; "": none */
    bool begun;
    bool last;
    PGresult *rows;
    struct sh_buffer out;
    struct sh_buffer cursor;
    struct sh_work work;
};

static void destroy(struct piece *self)
{
    PQclear(self->rows);
    sh_buffer_free(&self->out);
    sh_buffer_free(&self->cursor);
    sh_free(self);
}

static void fail(struct piece *self, enum sh_err err)
{
    sh_rpc_fail(self->call, err, NULL, NULL, "%s", sh_err_text(err));
    destroy(self);
}

/* --- the cursor ------------------------------------------------------------------- */

static void write_cursor(struct piece *self)
{
    const struct terms_writer *writer = &self->writer;

    sh_buffer_printf(&self->cursor,
                     "%" PRIu64 " %" PRIu32 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %s",
                     writer->rows, writer->crc, writer->raw, writer->packed,
                     writer->before, self->after);
}

/* False: it is none of ours. */
static bool read_cursor(struct piece *self, struct sh_bytes cursor)
{
    struct terms_writer *writer = &self->writer;
    char text[ID_BYTES + 128];
    int id = 0;

    self->begun = cursor.len > 0;
    if (cursor.len == 0)
        return true;
    if (cursor.len >= sizeof(text))
        return false;
    memcpy(text, cursor.data, cursor.len);
    text[cursor.len] = '\0';
    /* NOLINTNEXTLINE(cert-err34-c): a number that is too large is no cursor of ours */
    if (sscanf(text, "%" SCNu64 " %" SCNu32 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %n",
               &writer->rows, &writer->crc, &writer->raw, &writer->packed,
               &writer->before, &id) != 5 ||
        id == 0 || strlen(text + id) > ID_BYTES)
        return false;
    memcpy(self->after, text + id, strlen(text + id) + 1);
    return true;
}

/* --- a page ----------------------------------------------------------------------- */

static void run_write(struct sh_work *work)
{
    struct piece *self = SH_CONTAINER_OF(work, struct piece, work);
    int count = PQntuples(self->rows);
    int row = 0;
    struct glossary_term terms[PAGE_STEP];

    if (!self->begun)
        self->format->begin(&self->writer, &self->out);
    while (row < count && self->out.len < PIECE_BYTES) {
        int some = 0;
        for (; some < PAGE_STEP && row < count; some++, row++) {
            terms_read(self->rows, row, false, &terms[some]);
            terms[some].highlight = sh_pg_text(self->rows, row, TERM_RELATIONS);
        }
        self->format->page(&self->writer, terms, (size_t)some, &self->out);
    }
    if (row > 0) {
        struct sh_bytes id = sh_pg_text(self->rows, row - 1, TERM_ID);
        (void)snprintf(self->after, sizeof(self->after), "%.*s", (int)id.len,
                       (const char *)id.data);
    }
    self->last = row == count && count < PAGE_ROWS;
    if (self->last)
        self->format->end(&self->writer, &self->out);
    else
        write_cursor(self);
}

static void on_written(struct sh_work *work, enum sh_err err)
{
    struct piece *self = SH_CONTAINER_OF(work, struct piece, work);

    if (err == SH_OK)
        err = self->out.err != SH_OK ? self->out.err : self->cursor.err;
    if (err != SH_OK) {
        fail(self, err);
        return;
    }
    const struct glossary_piece piece = {sh_buffer_bytes(&self->out),
                                         sh_buffer_bytes(&self->cursor)};
    sh_rpc_reply(self->call, glossary_piece_desc(), &piece);
    destroy(self);
}

static void on_rows(void *arg, const struct sh_pg_reply *reply)
{
    struct piece *self = arg;
    enum sh_err err;

    if (record_failed(self->call, reply)) {
        destroy(self);
        return;
    }
    self->rows = PQcopyResult(reply->results[0], PG_COPYRES_ATTRS | PG_COPYRES_TUPLES);
    self->work = (struct sh_work){.run = run_write, .done = on_written};
    err = self->rows == NULL ? SH_NOMEM
                             : sh_workers_submit(self->exporter->workers, &self->work);
    if (err != SH_OK)
        fail(self, err);
}

static void read_page(struct piece *self, const struct glossary_export *asked)
{
    struct sh_pg_param params[PARAMS] = {0};
    struct sh_pg_step step = {&terms_export, params, PARAMS, false};
    struct sh_pg_call call = {.steps = &step,
                              .count = 1,
                              .deadline_ms = record_deadline(self->call, READ_MS),
                              .trace = sh_rpc_call_trace(self->call)};
    char limit[12];
    enum sh_err err = record_rights(self->call, params + 1);

    (void)snprintf(limit, sizeof(limit), "%d", PAGE_ROWS);
    params[0] = terms_text(sh_bytes_of(self->after));
    params[1 + RECORD_RIGHTS] = terms_text_or_null(asked->language);
    params[2 + RECORD_RIGHTS] = terms_text_or_null(asked->domain);
    params[3 + RECORD_RIGHTS] = terms_text_or_null(asked->status);
    params[4 + RECORD_RIGHTS] = terms_text(sh_bytes_of(limit));
    if (err == SH_OK)
        err = sh_pg_run(self->exporter->pg, &call, on_rows, self);
    if (err != SH_OK)
        fail(self, err);
}

void export_handle(void *arg, struct sh_rpc_call *call)
{
    struct piece *self = sh_alloc(sizeof(*self));
    struct glossary_export asked;

    if (self == NULL) {
        record_no_memory(call);
        return;
    }
    self->exporter = arg;
    self->call = call;
    if (sh_rpc_call_decode(call, glossary_export_desc(), &asked) != SH_OK) {
        destroy(self);
        return;
    }
    self->format = terms_format(asked.format);
    if (self->format == NULL || !read_cursor(self, asked.cursor)) {
        sh_rpc_fail(call, SH_INVALID, NULL, "format",
                    "format must be csv, xlsx, json, tbx or skos");
        destroy(self);
        return;
    }
    read_page(self, &asked);
}
