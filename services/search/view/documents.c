#include "services/search/text/terms.h"
#include "services/search/view/view_internal.h"

/* --- copies ----------------------------------------------------------------------- */

static size_t texts_of(const struct view_document *from)
{
    size_t bytes = from->id.len + from->title.len + from->collection.len +
                   from->department.len + from->campus.len + from->metadata.len;
    for (size_t i = 0; i < from->chunk_count; i++) {
        const struct view_chunk *chunk = &from->chunks[i];
        bytes += chunk->chunk_id.len + chunk->section_title.len + chunk->text.len;
    }
    return bytes;
}

static struct sh_bytes keep(char **at, struct sh_bytes bytes)
{
    struct sh_bytes kept = {*at, bytes.len};
    if (bytes.len > 0)
        memcpy(*at, bytes.data, bytes.len);
    *at += bytes.len;
    return kept;
}

static void copy_chunks(const struct view_document *from, struct stored_document *to,
                        char *at)
{
    struct sh_bytes heading = {0};
    for (size_t i = 0; i < from->chunk_count; i++) {
        const struct view_chunk *chunk = &from->chunks[i];
        if (!sh_bytes_equal(heading, chunk->section_title))
            heading = keep(&at, chunk->section_title);
        to->chunks[i] = (struct stored_chunk){
            .chunk_id = keep(&at, chunk->chunk_id),
            .section_title = heading,
            .text = keep(&at, chunk->text),
            .page_number = chunk->page_number,
            .ordinal = chunk->ordinal,
            .slot = UINT32_MAX,
        };
    }
}

enum sh_err document_copy(const struct view_document *from, struct stored_document **out)
{
    struct metadata *values = NULL;
    *out = NULL;
    if (from->id.len == 0 || from->clearance_level < 1 || from->clearance_level > 5)
        return SH_INVALID;
    enum sh_err err = metadata_parse(from->metadata, &values);
    if (err != SH_OK)
        return err;
    size_t head = sizeof(**out) + from->chunk_count * sizeof((*out)->chunks[0]);
    size_t bytes = head + texts_of(from);
    struct stored_document *to = sh_alloc(bytes + 1);
    if (!to) {
        sh_free(values);
        return SH_NOMEM;
    }
    char *at = (char *)to + head;
    to->row = (struct filter_row){
        .id = keep(&at, from->id),
        .collection = keep(&at, from->collection),
        .department = keep(&at, from->department),
        .campus = keep(&at, from->campus),
        .priority = from->priority,
        .clearance_level = from->clearance_level,
        .metadata = values,
    };
    to->title = keep(&at, from->title);
    to->metadata = keep(&at, from->metadata);
    to->values = values;
    to->language = language_in(values);
    to->has_file = from->has_file;
    to->bytes = bytes + metadata_bytes(values);
    to->hash = terms_hash(to->row.id);
    to->chunk_count = from->chunk_count;
    copy_chunks(from, to, at);
    *out = to;
    return SH_OK;
}

void document_free(struct stored_document **document)
{
    if (!*document)
        return;
    sh_free((*document)->values);
    sh_free(*document);
    *document = NULL;
}

/* --- the table -------------------------------------------------------------------- */

static struct stored_document **bucket_of(const struct view *view, uint32_t hash)
{
    return &view->buckets[hash & (view->bucket_count - 1)];
}

struct stored_document *documents_find(const struct view *view, struct sh_bytes id)
{
    if (view->bucket_count == 0)
        return NULL;
    uint32_t hash = terms_hash(id);
    struct stored_document *document = *bucket_of(view, hash);
    while (document && (document->hash != hash || !sh_bytes_equal(document->row.id, id)))
        document = document->next;
    return document;
}

static void push(struct view *view, struct stored_document *document)
{
    struct stored_document **bucket = bucket_of(view, document->hash);
    document->next = *bucket;
    *bucket = document;
}

static enum sh_err grow_buckets(struct view *view)
{
    size_t count = view->bucket_count ? view->bucket_count * 2 : 256;
    struct stored_document **buckets = sh_alloc_array(count, sizeof(struct view *));
    if (!buckets)
        return SH_NOMEM;
    sh_free(view->buckets);
    view->buckets = buckets;
    view->bucket_count = count;
    for (size_t i = 0; i < view->document_count; i++)
        push(view, view->documents[i]);
    return SH_OK;
}

static enum sh_err enter_columns(struct view *view, struct stored_document *document)
{
    const struct slot_list slots = {&document->chunks[0].slot,
                                    sizeof(document->chunks[0]), document->chunk_count};
    return columns_put(view->columns, &document->row, &slots, &document->number);
}

enum sh_err documents_reserve(struct view *view, struct stored_document *document)
{
    enum sh_err err = SH_OK;
    if (view->document_count == view->document_capacity) {
        size_t capacity = view->document_capacity + view->document_capacity / 2 + 64;
        struct stored_document **documents =
            sh_realloc(view->documents, capacity * sizeof(struct stored_document *));
        if (!documents)
            return SH_NOMEM;
        view->documents = documents;
        view->document_capacity = capacity;
    }
    if (view->document_count >= view->bucket_count)
        err = grow_buckets(view);
    return err == SH_OK ? enter_columns(view, document) : err;
}

void documents_link(struct view *view, struct stored_document *document)
{
    document->index = view->document_count;
    view->languages[document->language]++;
    view->documents[view->document_count++] = document;
    push(view, document);
    for (size_t i = 0; i < document->chunk_count; i++)
        view->slots[document->chunks[i].slot] =
            (struct slot){document, &document->chunks[i]};
    view->chunk_count += document->chunk_count;
    view->document_bytes += document->bytes;
}

void documents_unlink(struct view *view, struct stored_document *document)
{
    struct stored_document **at = bucket_of(view, document->hash);
    while (*at != document)
        at = &(*at)->next;
    *at = document->next;
    view->documents[document->index] = view->documents[--view->document_count];
    view->documents[document->index]->index = document->index;
    for (size_t i = 0; i < document->chunk_count; i++)
        view->slots[document->chunks[i].slot] = (struct slot){0};
    columns_remove(view->columns, &document->row, document->number);
    view->languages[document->language]--;
    view->chunk_count -= document->chunk_count;
    view->document_bytes -= document->bytes;
}

/* --- slots ------------------------------------------------------------------------ */

enum sh_err slots_reserve(struct view *view, size_t count)
{
    uint64_t needed = (uint64_t)view->slot_count + count;
    needed -= needed < view->free_count ? needed : view->free_count;
    if (needed > UINT32_MAX / 4)
        return SH_TOOBIG;
    if (needed > view->slot_capacity) {
        uint32_t capacity = (uint32_t)(needed + needed / 2 + 256);
        struct slot *slots = sh_realloc(view->slots, capacity * sizeof(*slots));
        if (!slots)
            return SH_NOMEM;
        view->slots = slots;
        uint32_t *free_slots =
            sh_realloc(view->free_slots, capacity * sizeof(*free_slots));
        if (!free_slots)
            return SH_NOMEM;
        view->free_slots = free_slots;
        view->slot_capacity = capacity;
    }
    return SH_OK;
}

uint32_t slots_take(struct view *view)
{
    uint32_t slot =
        view->free_count > 0 ? view->free_slots[--view->free_count] : view->slot_count++;
    view->slots[slot] = (struct slot){0};
    return slot;
}

void slots_give_back(struct view *view, uint32_t slot)
{
    view->free_slots[view->free_count++] = slot;
}
