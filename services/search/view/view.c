#include "services/search/view/view.h"

#include <math.h>
#include <sys/mman.h>

#include "services/search/view/view_internal.h"

/* So many passages are put into the text index, or taken out of it, under one hold of the
 * lock: searches wait for milliseconds at most, however long the document is. */
enum { BATCH = 32 };

static pthread_rwlock_t *make_lock(void)
{
    pthread_rwlockattr_t attr;
    pthread_rwlock_t *lock = sh_alloc(sizeof(*lock));
    if (!lock)
        return NULL;
    pthread_rwlockattr_init(&attr);
    /* else searches that follow one another would keep the writer out for ever */
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    int status = pthread_rwlock_init(lock, &attr);
    pthread_rwlockattr_destroy(&attr);
    if (status != 0) {
        sh_free(lock);
        return NULL;
    }
    return lock;
}

struct view_options view_defaults(void)
{
    return (struct view_options){.vectors = vector_defaults(), .text = text_defaults()};
}

enum sh_err view_create(const struct view_options *options, struct view **out)
{
    struct view *view = sh_alloc(sizeof(*view));
    enum sh_err err = SH_NOMEM;

    *out = NULL;
    if (!view)
        return SH_NOMEM;
    view->options = options ? *options : view_defaults();
    view->lock = make_lock();
    if (view->lock)
        err = text_index_create(&view->options.text, &view->text);
    if (err == SH_OK)
        err = columns_create(&view->columns);
    if (err != SH_OK)
        view_free(&view);
    *out = view;
    return err;
}

void view_free(struct view **self)
{
    struct view *view = *self;
    if (!view)
        return;
    for (size_t i = 0; i < view->document_count; i++)
        document_free(&view->documents[i]);
    columns_free(&view->columns);
    text_index_free(&view->text);
    vector_index_free(&view->vectors);
    language_analyzers_free(view->analyzers);
    sh_free(view->documents);
    sh_free(view->buckets);
    sh_free(view->slots);
    sh_free(view->free_slots);
    if (view->lock)
        pthread_rwlock_destroy(view->lock);
    sh_free(view->lock);
    if (view->mapped)
        (void)munmap(view->mapped, view->mapped_len);
    sh_free(view);
    *self = NULL;
}

static bool same_model(const struct view *view, const char *fingerprint,
                       uint32_t dimension)
{
    uint32_t own = view->vectors ? vector_index_dimension(view->vectors) : 0;
    return own == dimension && strcmp(view->fingerprint, fingerprint) == 0;
}

enum sh_err view_set_model(struct view *view, const char *fingerprint, uint32_t dimension,
                           double alpha)
{
    struct vector_index *vectors = NULL;
    enum sh_err err = SH_OK;
    if (strlen(fingerprint) > VIEW_FINGERPRINT || !(alpha >= 0 && alpha <= 1))
        return SH_INVALID;
    bool same = same_model(view, fingerprint, dimension);
    if (!same && dimension > 0)
        err = vector_index_create(dimension, &view->options.vectors, &vectors);
    if (err != SH_OK)
        return err;
    pthread_rwlock_wrlock(view->lock);
    view->alpha = alpha;
    if (!same) {
        struct vector_index *old = view->vectors;
        view->vectors = vectors;
        vectors = old;
        memcpy(view->fingerprint, fingerprint, strlen(fingerprint) + 1);
    }
    pthread_rwlock_unlock(view->lock);
    vector_index_free(&vectors);
    return SH_OK;
}

static enum sh_err make_entries(struct view *view, const struct stored_document *document,
                                struct sh_arena *arena, struct entry **entries)
{
    enum sh_err err = language_analyzer(view->analyzers, document->language);
    *entries = sh_arena_array(arena, document->chunk_count + 1, sizeof(**entries));
    if (!*entries)
        return SH_NOMEM;
    for (size_t i = 0; err == SH_OK && i < document->chunk_count; i++) {
        const struct stored_chunk *chunk = &document->chunks[i];
        const struct sh_bytes fields[TEXT_FIELDS] = {
            [TEXT_TITLE] = document->title,
            [TEXT_HEADING] = chunk->section_title,
            [TEXT_BODY] = chunk->text,
        };
        err = entry_make(view->analyzers[document->language], fields, arena,
                         &(*entries)[i]);
    }
    return err;
}

/* Passages [0, count) leave the indexes and their slots are free. No search sees them. */
static void take_out(struct view *view, const struct stored_document *document,
                     const struct entry *entries, size_t count)
{
    for (size_t i = 0; view->vectors && i < count; i++)
        vector_index_remove(view->vectors, document->chunks[i].slot);
    for (size_t i = 0; i < count;) {
        size_t end = count - i > BATCH ? i + BATCH : count;
        pthread_rwlock_wrlock(view->lock);
        for (; i < end; i++) {
            uint32_t slot = document->chunks[i].slot;
            text_index_remove(view->text, slot, &entries[i]);
            slots_give_back(view, slot);
        }
        pthread_rwlock_unlock(view->lock);
    }
}

/* Passages from *done on, a batch at most, enter the text index. No search sees them:
 * their slots belong to no document yet. */
static enum sh_err put_batch(struct view *view, struct stored_document *document,
                             const struct entry *entries, size_t *done)
{
    size_t left = document->chunk_count - *done;
    size_t end = *done + (left > BATCH ? BATCH : left);
    enum sh_err err = slots_reserve(view, end - *done);
    while (err == SH_OK && *done < end) {
        uint32_t slot = slots_take(view);
        document->chunks[*done].slot = slot;
        err = text_index_add(view->text, slot, &entries[*done]);
        if (err != SH_OK) {
            slots_give_back(view, slot);
            break;
        }
        ++*done;
    }
    return err;
}

/* Without the lock: searches go on. */
static enum sh_err put_vectors(struct view *view, const struct stored_document *document,
                               const struct view_document *from)
{
    enum sh_err err = SH_OK;
    for (size_t i = 0; view->vectors && err == SH_OK && i < document->chunk_count; i++) {
        if (from->chunks[i].vector)
            err = vector_index_set(view->vectors, document->chunks[i].slot,
                                   from->chunks[i].vector);
    }
    return err;
}

static enum sh_err put_in(struct view *view, struct stored_document *document,
                          const struct view_document *from, const struct entry *entries)
{
    size_t done = 0;
    enum sh_err err = SH_OK;
    while (err == SH_OK && done < document->chunk_count) {
        pthread_rwlock_wrlock(view->lock);
        err = put_batch(view, document, entries, &done);
        pthread_rwlock_unlock(view->lock);
    }
    if (err == SH_OK)
        err = put_vectors(view, document, from);
    if (err != SH_OK)
        take_out(view, document, entries, done);
    return err;
}

static bool vectors_are_finite(const struct view *view, const struct view_document *from)
{
    if (!view->vectors)
        return true;
    uint32_t dimension = vector_index_dimension(view->vectors);
    for (size_t i = 0; i < from->chunk_count; i++) {
        const float *vector = from->chunks[i].vector;
        if (vector && !vector_is_finite(vector, dimension))
            return false;
    }
    return true;
}

/* From one moment to the next the new document is there and the old one gone. */
static enum sh_err exchange(struct view *view, struct stored_document *old,
                            struct stored_document *document)
{
    pthread_rwlock_wrlock(view->lock);
    enum sh_err err = documents_reserve(view, document);
    if (err == SH_OK && old)
        documents_unlink(view, old);
    if (err == SH_OK)
        documents_link(view, document);
    pthread_rwlock_unlock(view->lock);
    return err;
}

void view_tend(struct view *view)
{
    struct text_upkeep *upkeep = NULL;
    if (view->vectors)
        vector_index_tend(view->vectors);
    if (text_upkeep_make(view->text, &upkeep) != SH_OK || !upkeep)
        return;
    pthread_rwlock_wrlock(view->lock);
    text_upkeep_apply(upkeep, view->text);
    pthread_rwlock_unlock(view->lock);
    text_upkeep_free(&upkeep);
}

enum sh_err view_put(struct view *view, const struct view_document *from)
{
    struct stored_document *document = NULL;
    struct sh_arena arena = {0};
    struct entry *entries = NULL;
    struct entry *old_entries = NULL;

    if (!vectors_are_finite(view, from))
        return SH_INVALID;
    if (view->loading)
        sh_yield_pause(view->options.vectors.yield);
    enum sh_err err = document_copy(from, &document);
    struct stored_document *old = documents_find(view, from->id);
    if (err == SH_OK)
        err = make_entries(view, document, &arena, &entries);
    if (err == SH_OK && old)
        err = make_entries(view, old, &arena, &old_entries);
    if (err == SH_OK)
        err = put_in(view, document, from, entries);
    if (err != SH_OK)
        goto out;
    err = exchange(view, old, document);
    if (err != SH_OK) {
        take_out(view, document, entries, document->chunk_count);
        goto out;
    }
    document = old; /* what goes now */
    if (old)
        take_out(view, old, old_entries, old->chunk_count);
    view_tend(view);
out:
    document_free(&document);
    sh_arena_free(&arena);
    return err;
}

enum sh_err view_remove(struct view *view, struct sh_bytes id)
{
    struct stored_document *document = documents_find(view, id);
    struct sh_arena arena = {0};
    struct entry *entries = NULL;

    if (!document)
        return SH_NOTFOUND;
    enum sh_err err = make_entries(view, document, &arena, &entries);
    if (err == SH_OK) {
        pthread_rwlock_wrlock(view->lock);
        documents_unlink(view, document);
        pthread_rwlock_unlock(view->lock);
        take_out(view, document, entries, document->chunk_count);
        document_free(&document);
        view_tend(view);
    }
    sh_arena_free(&arena);
    return err;
}

void view_load_begin(struct view *view)
{
    view->loading = true;
    if (view->vectors)
        vector_bulk_begin(view->vectors);
}

enum sh_err view_load_end(struct view *view)
{
    view->loading = false;
    return view->vectors ? vector_bulk_end(view->vectors, 0) : SH_OK;
}

void view_stats(const struct view *view, struct view_stats *out)
{
    pthread_rwlock_rdlock(view->lock);
    *out = (struct view_stats){
        .documents = view->document_count,
        .chunks = view->chunk_count,
        .vectors = view->vectors ? vector_index_count(view->vectors) : 0,
        .bytes = sizeof(*view) + view->document_bytes + text_index_bytes(view->text) +
                 columns_bytes(view->columns) +
                 view->slot_capacity * (sizeof(struct slot) + sizeof(uint32_t)) +
                 (view->document_capacity + view->bucket_count) * sizeof(void *),
    };
    if (view->vectors)
        out->bytes += vector_index_bytes(view->vectors);
    pthread_rwlock_unlock(view->lock);
}
