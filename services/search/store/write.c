#include "services/search/store/write.h"

#include <assert.h>

#include "services/search/quality/quality_sql.h"
#include "services/search/quality/signature.h"
#include "services/search/store/statements.h"
#include "shared/pg_array.h"

/* --- steps and their columns ------------------------------------------------------ */

static void add_step(struct write *write, const struct sh_pg_statement *statement)
{
    assert(write->step_count < WRITE_STEPS);
    write->steps[write->step_count++] = (struct sh_pg_step){
        .statement = statement, .params = &write->params[write->param_count]};
}

/* The next parameter of the step added last: `count` values are to follow. */
static struct sh_buffer *add_column(struct write *write, enum sh_pg_array_type type,
                                    size_t count)
{
    assert(write->param_count < WRITE_PARAMS);
    struct sh_buffer *column = &write->arrays[write->param_count++];

    write->steps[write->step_count - 1].count++;
    sh_pg_array_begin(column, type, count);
    return column;
}

static void add_columns(struct write *write, struct sh_buffer **columns,
                        const enum sh_pg_array_type *types, size_t width, size_t count)
{
    for (size_t i = 0; i < width; i++)
        columns[i] = add_column(write, types[i], count);
}

static void put_text_or_null(struct sh_buffer *column, struct sh_bytes text)
{
    if (text.len > 0)
        sh_pg_array_bytes(column, text);
    else
        sh_pg_array_null(column);
}

static void put_positive_or_null(struct sh_buffer *column, uint32_t number)
{
    if (number > 0 && number <= INT32_MAX)
        sh_pg_array_int(column, number);
    else
        sh_pg_array_null(column);
}

static void put_int(struct sh_buffer *column, size_t number)
{
    sh_pg_array_int(column, number <= INT32_MAX ? (uint32_t)number : INT32_MAX);
}

/* --- documents -------------------------------------------------------------------- */

static void add_ids(struct write *write)
{
    struct sh_buffer *ids = add_column(write, SH_PG_ARRAY_TEXT, write->count);

    for (size_t i = 0; i < write->count; i++)
        sh_pg_array_bytes(ids, write->documents[i].id);
}

enum { OF_DOCUMENT = 12, OF_FILE = 5 };

static void put_document(struct sh_buffer *const column[static OF_DOCUMENT],
                         const struct write_document *document)
{
    const struct record *record = document->record;

    sh_pg_array_bytes(column[0], document->id);
    sh_pg_array_bytes(column[1], record->title);
    sh_pg_array_bytes(column[2], record->collection);
    put_text_or_null(column[3], record->department);
    put_text_or_null(column[4], record->campus);
    put_positive_or_null(column[5], record->priority);
    put_int(column[6], record->clearance_level);
    put_text_or_null(column[7], record->last_reviewed);
    put_text_or_null(column[8], record->language);
    sh_pg_array_bytes(column[9], record->metadata);
    sh_pg_array_bytes(column[10], sh_bytes_of(record->hash));
    put_int(column[11], document->chunk_count);
}

/* Nulls where it was made of no file, so that it has none any more if it had one. */
static void put_file(struct sh_buffer *const column[static OF_FILE],
                     const struct record_file *file)
{
    const struct record_file none = {0};

    if (file == NULL)
        file = &none;
    put_text_or_null(column[0], file->hash);
    put_text_or_null(column[1], file->name);
    put_text_or_null(column[2], file->type);
    if (file->hash.len > 0)
        sh_pg_array_double(column[3], (double)file->size); /* exact up to 2^53 */
    else
        sh_pg_array_null(column[3]);
    put_positive_or_null(column[4], file->pages);
}

static void add_documents(struct write *write)
{
    static const enum sh_pg_array_type types[OF_DOCUMENT + OF_FILE] = {
        SH_PG_ARRAY_TEXT, SH_PG_ARRAY_TEXT, SH_PG_ARRAY_TEXT, SH_PG_ARRAY_TEXT,
        SH_PG_ARRAY_TEXT, SH_PG_ARRAY_INT,  SH_PG_ARRAY_INT,  SH_PG_ARRAY_TEXT,
        SH_PG_ARRAY_TEXT, SH_PG_ARRAY_TEXT, SH_PG_ARRAY_TEXT, SH_PG_ARRAY_INT,
        SH_PG_ARRAY_TEXT, SH_PG_ARRAY_TEXT, SH_PG_ARRAY_TEXT, SH_PG_ARRAY_DOUBLE,
        SH_PG_ARRAY_INT};
    struct sh_buffer *columns[OF_DOCUMENT + OF_FILE];

    add_step(write, &store_documents_upsert);
    add_columns(write, columns, types, SH_COUNT(types), write->count);
    for (size_t i = 0; i < write->count; i++) {
        put_document(columns, &write->documents[i]);
        put_file(columns + OF_DOCUMENT, write->documents[i].record->file);
    }
}

static void add_reports(struct write *write, size_t count)
{
    add_step(write, &quality_reports_put);
    struct sh_buffer *ids = add_column(write, SH_PG_ARRAY_TEXT, count);
    struct sh_buffer *reports = add_column(write, SH_PG_ARRAY_TEXT, count);

    for (size_t i = 0; i < write->count; i++) {
        if (write->documents[i].report.len == 0)
            continue;
        sh_pg_array_bytes(ids, write->documents[i].id);
        sh_pg_array_bytes(reports, write->documents[i].report);
    }
}

/* A document that was there before may have had one. */
static void drop_reports(struct write *write, size_t count)
{
    add_step(write, &quality_reports_drop);
    struct sh_buffer *ids = add_column(write, SH_PG_ARRAY_TEXT, count);

    for (size_t i = 0; i < write->count; i++)
        if (write->documents[i].report.len == 0)
            sh_pg_array_bytes(ids, write->documents[i].id);
}

/* --- sections --------------------------------------------------------------------- */

static void add_sections(struct write *write, size_t count)
{
    static const enum sh_pg_array_type types[] = {SH_PG_ARRAY_TEXT, SH_PG_ARRAY_INT,
                                                  SH_PG_ARRAY_TEXT, SH_PG_ARRAY_TEXT,
                                                  SH_PG_ARRAY_INT};
    struct sh_buffer *columns[SH_COUNT(types)];

    add_step(write, &store_sections_insert);
    add_columns(write, columns, types, SH_COUNT(types), count);
    for (size_t i = 0; i < write->count; i++) {
        const struct record *record = write->documents[i].record;
        for (size_t n = 0; n < record->section_count; n++) {
            sh_pg_array_bytes(columns[0], write->documents[i].id);
            put_int(columns[1], n);
            sh_pg_array_bytes(columns[2], record->sections[n].title);
            sh_pg_array_bytes(columns[3], record->sections[n].text);
            put_positive_or_null(columns[4], record->sections[n].page_number);
        }
    }
}

/* --- chunks ----------------------------------------------------------------------- */

/* What stands in front of the passage when it is embedded. */
static struct sh_bytes prefix_of(const struct chunk *chunk)
{
    struct sh_bytes prefix = chunk->embed_text;

    prefix.len -= chunk->text.len <= prefix.len ? chunk->text.len : prefix.len;
    return prefix;
}

enum { OF_CHUNK = 8 };

static void put_chunks(struct sh_buffer *const column[static OF_CHUNK],
                       const struct write_document *document)
{
    for (size_t i = 0; i < document->chunk_count; i++) {
        const struct chunk *chunk = &document->chunks[i];
        sh_pg_array_bytes(column[0], document->id);
        put_int(column[1], i);
        sh_pg_array_bytes(column[2], chunk->section_title);
        sh_pg_array_bytes(column[3], chunk->text);
        sh_pg_array_bytes(column[4], prefix_of(chunk));
        put_positive_or_null(column[5], chunk->page_number);
        put_int(column[6], chunk->tokens);
        sh_pg_array_bytes(
            column[7],
            (struct sh_bytes){document->hashes + i * WRITE_HASH_BYTES, WRITE_HASH_BYTES});
    }
}

static void add_chunks(struct write *write, size_t count)
{
    static const enum sh_pg_array_type types[OF_CHUNK] = {
        SH_PG_ARRAY_TEXT, SH_PG_ARRAY_INT, SH_PG_ARRAY_TEXT, SH_PG_ARRAY_TEXT,
        SH_PG_ARRAY_TEXT, SH_PG_ARRAY_INT, SH_PG_ARRAY_INT,  SH_PG_ARRAY_BYTEA};
    struct sh_buffer *columns[OF_CHUNK];

    add_step(write, &store_chunks_insert);
    add_columns(write, columns, types, OF_CHUNK, count);
    for (size_t i = 0; i < write->count; i++)
        put_chunks(columns, &write->documents[i]);
}

static void add_signatures(struct write *write, size_t count)
{
    static const enum sh_pg_array_type types[] = {SH_PG_ARRAY_TEXT, SH_PG_ARRAY_INT,
                                                  SH_PG_ARRAY_BYTEA};
    struct sh_buffer *columns[SH_COUNT(types)];

    add_step(write, &quality_signatures_insert);
    add_columns(write, columns, types, SH_COUNT(types), count);
    for (size_t i = 0; i < write->count; i++) {
        const struct write_document *document = &write->documents[i];
        for (size_t n = 0; document->signatures != NULL && n < document->chunk_count;
             n++) {
            sh_pg_array_bytes(columns[0], document->id);
            put_int(columns[1], n);
            sh_pg_array_bytes(
                columns[2], (struct sh_bytes){document->signatures + n * SIGNATURE_BYTES,
                                              SIGNATURE_BYTES});
        }
    }
}

/* --- vectors ---------------------------------------------------------------------- */

/* The chunks that have a vector, or those that have none. */
static void put_places(struct sh_buffer *ids, struct sh_buffer *ordinals,
                       const struct write_document *document, bool having)
{
    for (size_t i = 0; i < document->chunk_count; i++) {
        if (document->have[i] != having)
            continue;
        sh_pg_array_bytes(ids, document->id);
        put_int(ordinals, i);
    }
}

static void add_vectors(struct write *write, size_t count)
{
    size_t bytes = write->dimension * sizeof(float);

    add_step(write, &store_vectors_insert);
    struct sh_buffer *ids = add_column(write, SH_PG_ARRAY_TEXT, count);
    struct sh_buffer *ordinals = add_column(write, SH_PG_ARRAY_INT, count);
    struct sh_buffer *vectors = add_column(write, SH_PG_ARRAY_BYTEA, count);
    struct sh_buffer *model = add_column(write, SH_PG_ARRAY_TEXT, 1);

    for (size_t i = 0; i < write->count; i++) {
        const struct write_document *document = &write->documents[i];
        put_places(ids, ordinals, document, true);
        for (size_t n = 0; n < document->chunk_count; n++)
            if (document->have[n])
                sh_pg_array_bytes(
                    vectors,
                    (struct sh_bytes){document->vectors + n * write->dimension, bytes});
    }
    sh_pg_array_bytes(model, sh_bytes_of(write->fingerprint));
}

static void add_pending(struct write *write, size_t count)
{
    add_step(write, &store_pending_insert);
    struct sh_buffer *ids = add_column(write, SH_PG_ARRAY_TEXT, count);
    struct sh_buffer *ordinals = add_column(write, SH_PG_ARRAY_INT, count);

    for (size_t i = 0; i < write->count; i++)
        put_places(ids, ordinals, &write->documents[i], false);
}

/* --- the whole -------------------------------------------------------------------- */

size_t write_pending(const struct write_document *document)
{
    size_t count = 0;

    for (size_t i = 0; i < document->chunk_count; i++)
        count += !document->have[i];
    return count;
}

struct totals {
    size_t sections;
    size_t chunks;
    size_t signatures;
    size_t reports;
    size_t pending;
};

static struct totals count_rows(const struct write *write)
{
    struct totals totals = {0};

    for (size_t i = 0; i < write->count; i++) {
        const struct write_document *document = &write->documents[i];
        totals.sections += document->record->section_count;
        totals.chunks += document->chunk_count;
        totals.signatures += document->signatures != NULL ? document->chunk_count : 0;
        totals.reports += document->report.len > 0;
        totals.pending += write_pending(document);
    }
    return totals;
}

/* The buffers do not move any more. */
static enum sh_err settle(struct write *write)
{
    for (size_t i = 0; i < write->param_count; i++) {
        if (write->arrays[i].err != SH_OK)
            return write->arrays[i].err;
        write->params[i] = sh_pg_array_param(&write->arrays[i]);
    }
    return SH_OK;
}

enum sh_err write_prepare(struct write *write)
{
    const struct totals totals = count_rows(write);

    add_documents(write);
    add_step(write, &store_sections_drop);
    add_ids(write);
    add_step(write, &store_chunks_drop);
    add_ids(write);
    if (totals.sections > 0)
        add_sections(write, totals.sections);
    if (totals.chunks > 0)
        add_chunks(write, totals.chunks);
    if (totals.signatures > 0)
        add_signatures(write, totals.signatures);
    if (totals.reports > 0)
        add_reports(write, totals.reports);
    if (totals.reports < write->count)
        drop_reports(write, write->count - totals.reports);
    if (totals.pending < totals.chunks)
        add_vectors(write, totals.chunks - totals.pending);
    if (totals.pending > 0)
        add_pending(write, totals.pending);
    add_step(write, &store_xid);
    return settle(write);
}

void write_free(struct write *write)
{
    for (size_t i = 0; i < write->param_count; i++)
        sh_buffer_free(&write->arrays[i]);
    write->param_count = 0;
}
