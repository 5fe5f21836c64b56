#include "services/search/view/view_snapshot_format.h"

static const size_t units[KEPT_SECTIONS] = {
    [KEPT_DOCUMENTS] = sizeof(struct kept_document),
    [KEPT_CHUNKS] = sizeof(struct kept_chunk),
    [KEPT_TEXTS] = 1,
};
const struct sh_sections_kind kept_kind = {.magic = "CairnVew",
                                           .version = VIEW_SNAPSHOT_VERSION,
                                           .foot = sizeof(struct kept_foot),
                                           .sections =
                                               offsetof(struct kept_foot, sections),
                                           .count = KEPT_SECTIONS,
                                           .units = units};

struct writer {
    struct sh_sections out;
    struct kept_foot foot;
};

static void put(struct writer *writer, const void *data, size_t len)
{
    sh_section_put(&writer->out, data, len);
}

static void put_text(struct writer *writer, struct sh_bytes text)
{
    put(writer, text.data, text.len);
}

static void begin(struct writer *writer, enum kept_section_id id)
{
    sh_section_begin(&writer->out, &writer->foot.sections[id]);
}

static void end(struct writer *writer, enum kept_section_id id)
{
    sh_section_end(&writer->out, &writer->foot.sections[id]);
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
        .has_file = document->has_file,
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
    for (int id = 0; id < KEPT_SECTIONS; id++) {
        begin(writer, (enum kept_section_id)id);
        for (size_t i = 0; i < view->document_count; i++)
            puts[id](writer, view->documents[i]);
        end(writer, (enum kept_section_id)id);
    }
}

static void fill_foot(struct kept_foot *foot, const struct view *view, const char *note,
                      const char tag[KEPT_TAG])
{
    memcpy(foot->tag, tag, KEPT_TAG);
    memcpy(foot->fingerprint, view->fingerprint, strlen(view->fingerprint));
    memcpy(foot->note, note, strlen(note));
    foot->dimension = view->vectors ? vector_index_dimension(view->vectors) : 0;
    foot->vectors = view->vectors ? vector_index_count(view->vectors) : 0;
}

enum sh_err kept_write(const struct view *view, const char *note,
                       const char tag[KEPT_TAG], FILE *file)
{
    struct writer writer = {0};
    enum sh_err err = sh_sections_open(file, &writer.out);

    if (err != SH_OK)
        return err;
    put_sections(&writer, view);
    bool fits = kept_slots_fit(writer.foot.slot_count, view->chunk_count);
    fill_foot(&writer.foot, view, note, tag);
    err = sh_sections_close(&writer.out, &kept_kind, &writer.foot);
    return fits ? err : SH_TOOBIG;
}
