#include "services/search/text/terms.h"
#include "services/search/view/view_snapshot_format.h"

struct reader {
    struct sh_bytes bytes;
    struct kept_foot foot;
    struct sh_bytes sections[KEPT_SECTIONS];
    struct view *view;
    const struct kept_chunk *chunks; /* those that are left */
    size_t chunks_left;
    struct sh_bytes texts; /* what is left of them */
};

/* --- the frame -------------------------------------------------------------------- */

static bool is_text(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}

enum sh_err kept_read_foot(struct sh_bytes bytes, struct kept_foot *foot)
{
    bool known = sh_sections_foot(&kept_kind, bytes, foot) &&
                 is_text(foot->fingerprint, sizeof(foot->fingerprint)) &&
                 is_text(foot->note, sizeof(foot->note));
    return known ? SH_OK : SH_MALFORMED;
}

static enum sh_err read_frame(struct reader *reader)
{
    enum sh_err err = kept_read_foot(reader->bytes, &reader->foot);
    if (err == SH_OK &&
        !sh_sections_read(&kept_kind, reader->bytes, &reader->foot, reader->sections))
        err = SH_MALFORMED;
    if (err != SH_OK)
        return err;
    reader->chunks = reader->sections[KEPT_CHUNKS].data;
    reader->chunks_left = reader->sections[KEPT_CHUNKS].len / sizeof(*reader->chunks);
    reader->texts = reader->sections[KEPT_TEXTS];
    return kept_slots_fit(reader->foot.slot_count, reader->chunks_left) ? SH_OK
                                                                        : SH_MALFORMED;
}

/* --- documents -------------------------------------------------------------------- */

/* What fits no more is empty, and marks the whole as wrong. */
static struct sh_bytes take(struct reader *reader, uint32_t len, bool *fits)
{
    struct sh_bytes text = {reader->texts.data, len};
    if (len > reader->texts.len) {
        *fits = false;
        return (struct sh_bytes){"", 0};
    }
    reader->texts.data = (const char *)text.data + len;
    reader->texts.len -= len;
    return text;
}

static bool take_chunks(struct reader *reader, struct stored_document *document)
{
    struct view *view = reader->view;
    struct sh_bytes heading = {0};
    bool fits = true;
    for (size_t i = 0; fits && i < document->chunk_count; i++) {
        const struct kept_chunk *kept = &reader->chunks[i];
        if (kept->slot >= view->slot_count || view->slots[kept->slot].document)
            return false;
        if (kept->heading != KEPT_SAME)
            heading = take(reader, kept->heading, &fits);
        else if (i == 0)
            return false;
        document->chunks[i] = (struct stored_chunk){
            .section_title = heading,
            .chunk_id = take(reader, kept->id, &fits),
            .text = take(reader, kept->text, &fits),
            .page_number = kept->page_number,
            .ordinal = kept->ordinal,
            .slot = kept->slot,
        };
        view->slots[kept->slot].document = document; /* taken; linked soon */
    }
    reader->chunks += document->chunk_count;
    reader->chunks_left -= document->chunk_count;
    return fits;
}

static bool fill(struct reader *reader, const struct kept_document *kept,
                 struct stored_document *document)
{
    bool fits = true;
    document->row = (struct filter_row){
        .id = take(reader, kept->id, &fits),
        .collection = take(reader, kept->collection, &fits),
        .department = take(reader, kept->department, &fits),
        .campus = take(reader, kept->campus, &fits),
        .priority = kept->priority,
        .clearance_level = kept->clearance_level,
    };
    document->title = take(reader, kept->title, &fits);
    document->metadata = take(reader, kept->metadata, &fits);
    document->hash = terms_hash(document->row.id);
    document->chunk_count = kept->chunk_count;
    document->has_file = kept->has_file == 1;
    return fits && document->row.id.len > 0 && kept->has_file <= 1 &&
           kept->clearance_level >= 1 && kept->clearance_level <= 5 &&
           !documents_find(reader->view, document->row.id) &&
           take_chunks(reader, document);
}

/* After it the document can be linked. */
static enum sh_err complete(struct reader *reader, struct stored_document *document)
{
    enum sh_err err = metadata_parse(document->metadata, &document->values);
    if (err != SH_OK)
        return err == SH_NOMEM ? err : SH_MALFORMED;
    document->row.metadata = document->values;
    document->language = language_in(document->values);
    document->bytes = sizeof(*document) +
                      document->chunk_count * sizeof(document->chunks[0]) +
                      metadata_bytes(document->values);
    return documents_reserve(reader->view, document);
}

static enum sh_err read_document(struct reader *reader, const struct kept_document *kept)
{
    if (kept->chunk_count > reader->chunks_left)
        return SH_MALFORMED;
    struct stored_document *document =
        sh_alloc(sizeof(*document) + kept->chunk_count * sizeof(document->chunks[0]));
    if (!document)
        return SH_NOMEM;
    enum sh_err err = SH_MALFORMED;
    if (fill(reader, kept, document))
        err = complete(reader, document);
    if (err == SH_OK)
        documents_link(reader->view, document);
    else
        document_free(&document);
    return err;
}

static enum sh_err read_documents(struct reader *reader)
{
    struct sh_bytes section = reader->sections[KEPT_DOCUMENTS];
    const struct kept_document *kept = section.data;
    size_t count = section.len / sizeof(*kept);
    enum sh_err err = SH_OK;
    for (size_t i = 0; err == SH_OK && i < count; i++)
        err = read_document(reader, &kept[i]);
    if (err == SH_OK && (reader->chunks_left > 0 || reader->texts.len > 0))
        err = SH_MALFORMED;
    return err;
}

enum sh_err kept_read(struct sh_bytes bytes, struct view *view)
{
    struct reader reader = {.bytes = bytes, .view = view};
    enum sh_err err = read_frame(&reader);
    if (err == SH_OK)
        err = slots_reserve(view, reader.foot.slot_count);
    if (err != SH_OK)
        return err;
    for (uint32_t i = 0; i < reader.foot.slot_count; i++)
        (void)slots_take(view); /* they come in order */
    err = read_documents(&reader);
    for (uint32_t slot = view->slot_count; err == SH_OK && slot-- > 0;)
        if (!view->slots[slot].document)
            slots_give_back(view, slot);
    return err;
}
