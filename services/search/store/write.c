#include "services/search/store/write.h"

#include <stdio.h>

#include "services/search/quality/quality_sql.h"
#include "services/search/quality/signature.h"
#include "services/search/store/statements.h"
#include "shared/pg_array.h"

static void add_step(struct write *write, const struct sh_pg_statement *statement)
{
    write->steps[write->step_count++] = (struct sh_pg_step){
        .statement = statement, .params = &write->params[write->param_count]};
}

/* To the step added last. */
static void add_param(struct write *write, struct sh_pg_param param)
{
    write->params[write->param_count++] = param;
    write->steps[write->step_count - 1].count++;
}

static void add_text(struct write *write, struct sh_bytes text)
{
    if (text.data == NULL)
        text.data = "";
    add_param(write, (struct sh_pg_param){text, false});
}

static void add_text_or_null(struct write *write, struct sh_bytes text)
{
    if (text.len == 0)
        text.data = NULL;
    add_param(write, (struct sh_pg_param){text, false});
}

static struct sh_buffer *new_array(struct write *write, enum sh_pg_array_type type,
                                   size_t count)
{
    struct sh_buffer *array = &write->arrays[write->array_count++];

    sh_pg_array_begin(array, type, count);
    return array;
}

/* Nulls where it was made of no file, so that it has none any more if it had one. */
static void add_file(struct write *write)
{
    const struct record_file none = {0};
    const struct record_file *file =
        write->record->file == NULL ? &none : write->record->file;

    (void)snprintf(write->file_size, sizeof(write->file_size), "%llu",
                   (unsigned long long)file->size);
    (void)snprintf(write->file_pages, sizeof(write->file_pages), "%u",
                   file->pages < INT32_MAX ? file->pages : 0);
    add_text_or_null(write, file->hash);
    add_text_or_null(write, file->name);
    add_text_or_null(write, file->type);
    add_text_or_null(write, sh_bytes_of(file->hash.len > 0 ? write->file_size : NULL));
    add_text_or_null(write, sh_bytes_of(file->pages > 0 ? write->file_pages : NULL));
}

static void add_document(struct write *write)
{
    const struct record *record = write->record;

    (void)snprintf(write->priority, sizeof(write->priority), "%u",
                   (unsigned)record->priority);
    (void)snprintf(write->clearance, sizeof(write->clearance), "%u",
                   (unsigned)record->clearance_level);
    (void)snprintf(write->chunk_total, sizeof(write->chunk_total), "%zu",
                   write->chunk_count);
    add_step(write, &store_document_upsert);
    add_text(write, write->id);
    add_text(write, record->title);
    add_text(write, record->collection);
    add_text_or_null(write, record->department);
    add_text_or_null(write, record->campus);
    add_text_or_null(write, sh_bytes_of(record->priority ? write->priority : NULL));
    add_text(write, sh_bytes_of(write->clearance));
    add_text_or_null(write, record->last_reviewed);
    add_text_or_null(write, record->language);
    add_text(write, record->metadata);
    add_text(write, sh_bytes_of(record->hash));
    add_text(write, sh_bytes_of(write->chunk_total));
    add_file(write);
}

static void add_page(struct sh_buffer *pages, uint32_t page)
{
    if (page == 0 || page > INT32_MAX)
        sh_pg_array_null(pages);
    else
        sh_pg_array_int(pages, page);
}

static void add_sections(struct write *write)
{
    const struct record *record = write->record;
    size_t count = record->section_count;
    struct sh_buffer *titles = new_array(write, SH_PG_ARRAY_TEXT, count);
    struct sh_buffer *texts = new_array(write, SH_PG_ARRAY_TEXT, count);
    struct sh_buffer *pages = new_array(write, SH_PG_ARRAY_INT, count);

    for (size_t i = 0; i < count; i++) {
        sh_pg_array_bytes(titles, record->sections[i].title);
        sh_pg_array_bytes(texts, record->sections[i].text);
        add_page(pages, record->sections[i].page_number);
    }
    add_step(write, &store_sections_insert);
    add_text(write, write->id);
    add_param(write, sh_pg_array_param(titles));
    add_param(write, sh_pg_array_param(texts));
    add_param(write, sh_pg_array_param(pages));
}

/* What stands in front of the passage when it is embedded. */
static struct sh_bytes prefix_of(const struct chunk *chunk)
{
    struct sh_bytes prefix = chunk->embed_text;

    prefix.len -= chunk->text.len <= prefix.len ? chunk->text.len : prefix.len;
    return prefix;
}

static void add_chunks(struct write *write)
{
    size_t count = write->chunk_count;
    struct sh_buffer *headings = new_array(write, SH_PG_ARRAY_TEXT, count);
    struct sh_buffer *texts = new_array(write, SH_PG_ARRAY_TEXT, count);
    struct sh_buffer *prefixes = new_array(write, SH_PG_ARRAY_TEXT, count);
    struct sh_buffer *pages = new_array(write, SH_PG_ARRAY_INT, count);
    struct sh_buffer *tokens = new_array(write, SH_PG_ARRAY_INT, count);
    struct sh_buffer *hashes = new_array(write, SH_PG_ARRAY_BYTEA, count);

    for (size_t i = 0; i < count; i++) {
        const struct chunk *chunk = &write->chunks[i];
        sh_pg_array_bytes(headings, chunk->section_title);
        sh_pg_array_bytes(texts, chunk->text);
        sh_pg_array_bytes(prefixes, prefix_of(chunk));
        add_page(pages, chunk->page_number);
        sh_pg_array_int(tokens, chunk->tokens <= INT32_MAX ? chunk->tokens : INT32_MAX);
        sh_pg_array_bytes(hashes, (struct sh_bytes){write->hashes + i * WRITE_HASH_BYTES,
                                                    WRITE_HASH_BYTES});
    }
    add_step(write, &store_chunks_insert);
    add_text(write, write->id);
    add_param(write, sh_pg_array_param(headings));
    add_param(write, sh_pg_array_param(texts));
    add_param(write, sh_pg_array_param(prefixes));
    add_param(write, sh_pg_array_param(pages));
    add_param(write, sh_pg_array_param(tokens));
    add_param(write, sh_pg_array_param(hashes));
}

static void add_vectors(struct write *write)
{
    size_t count = write->chunk_count - write->pending;
    size_t bytes = write->dimension * sizeof(float);
    struct sh_buffer *ordinals = new_array(write, SH_PG_ARRAY_INT, count);
    struct sh_buffer *vectors = new_array(write, SH_PG_ARRAY_BYTEA, count);

    for (size_t i = 0; i < write->chunk_count; i++) {
        if (!write->have[i])
            continue;
        sh_pg_array_int(ordinals, (uint32_t)i);
        sh_pg_array_bytes(
            vectors, (struct sh_bytes){write->vectors + i * write->dimension, bytes});
    }
    add_step(write, &store_vectors_insert);
    add_text(write, write->id);
    add_param(write, sh_pg_array_param(ordinals));
    add_text(write, sh_bytes_of(write->fingerprint));
    add_param(write, sh_pg_array_param(vectors));
}

static void add_pending(struct write *write)
{
    struct sh_buffer *ordinals = new_array(write, SH_PG_ARRAY_INT, write->pending);

    for (size_t i = 0; i < write->chunk_count; i++)
        if (!write->have[i])
            sh_pg_array_int(ordinals, (uint32_t)i);
    add_step(write, &store_pending_insert);
    add_text(write, write->id);
    add_param(write, sh_pg_array_param(ordinals));
}

static void add_signatures(struct write *write)
{
    struct sh_buffer *signatures =
        new_array(write, SH_PG_ARRAY_BYTEA, write->chunk_count);

    for (size_t i = 0; i < write->chunk_count; i++)
        sh_pg_array_bytes(
            signatures,
            (struct sh_bytes){write->signatures + i * SIGNATURE_BYTES, SIGNATURE_BYTES});
    add_step(write, &quality_signatures_insert);
    add_text(write, write->id);
    add_param(write, sh_pg_array_param(signatures));
}

static void add_report(struct write *write)
{
    add_step(write, &quality_report_put);
    add_text(write, write->id);
    add_text(write, write->report);
}

enum sh_err write_prepare(struct write *write)
{
    write->pending = 0;
    for (size_t i = 0; i < write->chunk_count; i++)
        write->pending += !write->have[i];
    add_document(write);
    add_step(write, &store_sections_drop);
    add_text(write, write->id);
    add_step(write, &store_chunks_drop);
    add_text(write, write->id);
    if (write->record->section_count > 0)
        add_sections(write);
    if (write->chunk_count > 0)
        add_chunks(write);
    if (write->chunk_count > 0 && write->signatures != NULL)
        add_signatures(write);
    if (write->report.len > 0)
        add_report(write);
    if (write->pending < write->chunk_count)
        add_vectors(write);
    if (write->pending > 0)
        add_pending(write);
    add_step(write, &store_xid);
    for (size_t i = 0; i < write->array_count; i++)
        if (write->arrays[i].err != SH_OK)
            return write->arrays[i].err;
    return SH_OK;
}

void write_free(struct write *write)
{
    for (size_t i = 0; i < write->array_count; i++)
        sh_buffer_free(&write->arrays[i]);
    write->array_count = 0;
}
