#include <xxhash.h>

#include "services/search/view/view_snapshot_format.h"

struct writer {
    FILE *file;
    XXH3_state_t *sum;
    uint64_t at;
    bool failed;
    struct kept_foot foot;
};

static void put(struct writer *writer, const void *data, size_t len)
{
    if (len == 0 || writer->failed)
        return;
    writer->failed = fwrite(data, 1, len, writer->file) != len ||
                     XXH3_64bits_update(writer->sum, data, len) != XXH_OK;
    writer->at += len;
}

static void put_text(struct writer *writer, struct sh_bytes text)
{
    put(writer, text.data, text.len);
}

static void pad(struct writer *writer)
{
    static const char zeros[8];
    put(writer, zeros, (size_t)(8 - writer->at % 8) % 8);
}

static void begin(struct writer *writer, enum kept_section_id id)
{
    pad(writer);
    if (XXH3_64bits_reset(writer->sum) != XXH_OK)
        writer->failed = true;
    writer->foot.sections[id].start = writer->at;
}

static void end(struct writer *writer, enum kept_section_id id)
{
    struct kept_section *section = &writer->foot.sections[id];
    section->len = writer->at - section->start;
    section->sum = XXH3_64bits_digest(writer->sum);
}

/* Passages under one heading share its text in memory, and in the file. */
static bool same_heading(const struct stored_document *document, size_t i)
{
    return i > 0 && document->chunks[i].section_title.data ==
                        document->chunks[i - 1].section_title.data;
}

static void put_document(struct writer *writer, const struct stored_document *document)
{
    const struct filter_row *row = &document->row;
    const struct kept_document kept = {
        .id = (uint32_t)row->id.len,
        .collection = (uint32_t)row->collection.len,
        .department = (uint32_t)row->department.len,
        .campus = (uint32_t)row->campus.len,
        .title = (uint32_t)document->title.len,
        .metadata = (uint32_t)document->metadata.len,
        .priority = row->priority,
        .clearance_level = row->clearance_level,
        .chunk_count = (uint32_t)document->chunk_count,
    };
    put(writer, &kept, sizeof(kept));
}

static void put_chunks(struct writer *writer, const struct stored_document *document)
{
    for (size_t i = 0; i < document->chunk_count; i++) {
        const struct stored_chunk *chunk = &document->chunks[i];
        const struct kept_chunk kept = {
            .slot = chunk->slot,
            .page_number = chunk->page_number,
            .ordinal = chunk->ordinal,
            .heading = same_heading(document, i) ? KEPT_SAME
                                                 : (uint32_t)chunk->section_title.len,
            .id = (uint32_t)chunk->chunk_id.len,
            .text = (uint32_t)chunk->text.len,
        };
        put(writer, &kept, sizeof(kept));
        if (chunk->slot >= writer->foot.slot_count)
            writer->foot.slot_count = chunk->slot + 1;
    }
}

static void put_texts(struct writer *writer, const struct stored_document *document)
{
    put_text(writer, document->row.id);
    put_text(writer, document->row.collection);
    put_text(writer, document->row.department);
    put_text(writer, document->row.campus);
    put_text(writer, document->title);
    put_text(writer, document->metadata);
    for (size_t i = 0; i < document->chunk_count; i++) {
        const struct stored_chunk *chunk = &document->chunks[i];
        if (!same_heading(document, i))
            put_text(writer, chunk->section_title);
        put_text(writer, chunk->chunk_id);
        put_text(writer, chunk->text);
    }
}

static void put_sections(struct writer *writer, const struct view *view)
{
    static void (*const puts[KEPT_SECTIONS])(struct writer *,
                                             const struct stored_document *) = {
        [KEPT_DOCUMENTS] = put_document,
        [KEPT_CHUNKS] = put_chunks,
        [KEPT_TEXTS] = put_texts,
    };
    for (int id = 0; id < KEPT_SECTIONS && !writer->failed; id++) {
        begin(writer, (enum kept_section_id)id);
        for (size_t i = 0; i < view->document_count && !writer->failed; i++)
            puts[id](writer, view->documents[i]);
        end(writer, (enum kept_section_id)id);
    }
}

static void put_foot(struct writer *writer, const struct view *view, const char *note,
                     const char tag[KEPT_TAG])
{
    struct kept_foot *foot = &writer->foot;
    pad(writer);
    memcpy(foot->magic, KEPT_MAGIC, sizeof(foot->magic));
    foot->version = VIEW_SNAPSHOT_VERSION;
    foot->order = KEPT_ORDER;
    memcpy(foot->tag, tag, KEPT_TAG);
    memcpy(foot->fingerprint, view->fingerprint, strlen(view->fingerprint));
    memcpy(foot->note, note, strlen(note));
    foot->dimension = view->vectors ? vector_index_dimension(view->vectors) : 0;
    foot->vectors = view->vectors ? vector_index_count(view->vectors) : 0;
    foot->sum = XXH3_64bits(foot, offsetof(struct kept_foot, sum));
    put(writer, foot, sizeof(*foot));
}

enum sh_err kept_write(const struct view *view, const char *note,
                       const char tag[KEPT_TAG], FILE *file)
{
    struct writer writer = {.file = file, .sum = XXH3_createState()};
    if (!writer.sum)
        return SH_NOMEM;
    put_sections(&writer, view);
    bool fits = kept_slots_fit(writer.foot.slot_count, view->chunk_count);
    put_foot(&writer, view, note, tag);
    XXH3_freeState(writer.sum);
    if (!fits)
        return SH_TOOBIG;
    return writer.failed || fflush(file) != 0 ? SH_IO : SH_OK;
}
