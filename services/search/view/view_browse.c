#include "services/search/view/view_browse.h"

#include <stdlib.h>

#include "services/search/view/title_words.h"
#include "services/search/view/view_internal.h"
#include "shared/clock.h"

enum { CLOCK_EVERY = 4096 }; /* documents between two looks at the clock */

enum rank { RANK_NUMBER, RANK_TEXT, RANK_NONE };

struct value {
    enum rank rank;
    double number;
    struct sh_bytes text;
};

struct candidate {
    const struct stored_document *document;
    struct value values[BROWSE_ORDERS];
};

/* The best `room` of all documents: a heap with the worst of them on top. */
struct best {
    const struct view_browse *asked;
    uint32_t hashes[BROWSE_ORDERS]; /* of the keys */
    struct candidate *entries;
    size_t count;
    size_t room;
    uint64_t seen;
    struct title_words words;
    uint64_t looked; /* at documents that pass the filter */
};

/* --- order ------------------------------------------------------------------------ */

static int compare_text(struct sh_bytes a, struct sh_bytes b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len > 0 ? memcmp(a.data, b.data, len) : 0;
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_values(const struct value *a, const struct value *b, bool descending)
{
    int order = 0;

    if (a->rank == RANK_NONE || b->rank == RANK_NONE)
        return (a->rank == RANK_NONE) - (b->rank == RANK_NONE);
    if (a->rank != b->rank)
        order = a->rank < b->rank ? -1 : 1;
    else if (a->rank == RANK_NUMBER)
        order = (a->number > b->number) - (a->number < b->number);
    else
        order = compare_text(a->text, b->text);
    return descending ? -order : order;
}

static int compare(const struct best *best, const struct candidate *a,
                   const struct candidate *b)
{
    int order = 0;

    for (size_t i = 0; order == 0 && i < best->asked->order_count; i++)
        order = compare_values(&a->values[i], &b->values[i],
                               best->asked->orders[i].descending);
    return order != 0 ? order : compare_text(a->document->row.id, b->document->row.id);
}

/* --- values ----------------------------------------------------------------------- */

static struct value metadata_of(const struct metadata *metadata, struct sh_bytes key,
                                uint32_t hash)
{
    for (size_t i = 0; metadata && i < metadata->count; i++) {
        const struct metadata_value *value = &metadata->values[i];
        if (value->hash != hash || !sh_bytes_equal(value->key, key))
            continue;
        if (value->type == METADATA_TEXT)
            return (struct value){.rank = RANK_TEXT, .text = value->text};
        return (struct value){.rank = RANK_NUMBER, .number = value->number};
    }
    return (struct value){.rank = RANK_NONE};
}

static void read_values(const struct best *best, struct candidate *entry)
{
    const struct stored_document *document = entry->document;

    for (size_t i = 0; i < best->asked->order_count; i++) {
        struct sh_bytes key = best->asked->orders[i].key;
        if (sh_bytes_is(key, "id"))
            entry->values[i] = (struct value){RANK_TEXT, 0, document->row.id};
        else if (sh_bytes_is(key, "title"))
            entry->values[i] = (struct value){RANK_TEXT, 0, document->title};
        else
            entry->values[i] = metadata_of(document->values, key, best->hashes[i]);
    }
}

/* --- the heap --------------------------------------------------------------------- */

static void swap(struct candidate *a, struct candidate *b)
{
    struct candidate other = *a;
    *a = *b;
    *b = other;
}

static void rise(struct best *best, size_t at)
{
    struct candidate *entries = best->entries;

    for (; at > 0 && compare(best, &entries[at], &entries[(at - 1) / 2]) > 0;
         at = (at - 1) / 2)
        swap(&entries[at], &entries[(at - 1) / 2]);
}

static void sink(struct best *best, size_t count)
{
    struct candidate *entries = best->entries;
    size_t at = 0;

    for (;;) {
        size_t worst = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++)
            if (compare(best, &entries[child], &entries[worst]) > 0)
                worst = child;
        if (worst == at)
            return;
        swap(&entries[at], &entries[worst]);
        at = worst;
    }
}

static void offer(struct best *best, const struct stored_document *document)
{
    struct candidate entry = {.document = document};

    best->seen++;
    if (best->room == 0)
        return;
    read_values(best, &entry);
    if (best->count < best->room) {
        best->entries[best->count] = entry;
        rise(best, best->count++);
    } else if (compare(best, &entry, &best->entries[0]) < 0) {
        best->entries[0] = entry;
        sink(best, best->count);
    }
}

/* Ends with the first of the order in front. */
static void sort(struct best *best)
{
    for (size_t left = best->count; left > 1; left--) {
        swap(&best->entries[0], &best->entries[left - 1]);
        sink(best, left - 1);
    }
}

/* --- documents -------------------------------------------------------------------- */

/* Filters are by document, so each shows once: by its first passage. */
static enum sh_err take_documents(const struct view *view, const struct bitmap *allowed,
                                  uint64_t deadline_ms, struct best *best)
{
    bool fits = false;

    for (uint32_t number = 0; number < view->slot_count; number++) {
        const struct slot *slot = &view->slots[number];
        if (!bitmap_has(allowed, number) || !slot->document ||
            slot->chunk != &slot->document->chunks[0])
            continue;
        enum sh_err err = title_words_fit(&best->words, slot->document->title,
                                          slot->document->row.id, &fits);
        if (err != SH_OK)
            return err;
        if (fits)
            offer(best, slot->document);
        if (++best->looked % CLOCK_EVERY == 0 && sh_now_ms() >= deadline_ms)
            return SH_TIMEOUT;
    }
    return SH_OK;
}

static enum sh_err copy_page(const struct best *best, struct sh_arena *arena,
                             struct view_browsed *out)
{
    size_t first = best->asked->offset;
    size_t count = best->count > first ? best->count - first : 0;

    out->total = best->seen;
    out->ids = sh_arena_array(arena, count + 1, sizeof(*out->ids));
    if (out->ids == NULL)
        return SH_NOMEM;
    for (; out->count < count; out->count++) {
        struct sh_bytes id = best->entries[first + out->count].document->row.id;
        out->ids[out->count] = sh_arena_copy(arena, id);
        if (out->ids[out->count].data == NULL)
            return SH_NOMEM;
    }
    return SH_OK;
}

static enum sh_err look(const struct view *view, const struct filter *filter,
                        struct sh_arena *scratch, struct best *best)
{
    struct selection found;
    uint64_t deadline_ms = best->asked->deadline_ms;
    enum sh_err err = columns_select(view->columns, filter, view->slot_count, deadline_ms,
                                     scratch, &found);

    return err == SH_OK ? take_documents(view, &found.allowed, deadline_ms, best) : err;
}

enum sh_err view_browse(const struct view *view, const struct view_browse *asked,
                        struct sh_arena *arena, struct view_browsed *out,
                        struct view_problem *problem)
{
    struct sh_arena scratch = {0};
    struct filter_problem found = {{0}, {0}};
    struct filter *filter = NULL;
    struct best best = {.asked = asked, .room = asked->offset + asked->limit};
    enum sh_err err =
        filter_compile(asked->filters, asked->caller, &scratch, &filter, &found);

    *out = (struct view_browsed){0};
    if (err == SH_INVALID || err == SH_FORBIDDEN)
        problem_set(problem, found.field, found.message);
    if (err == SH_OK) {
        err = title_words_make(asked->title, &scratch, &best.words);
        if (err == SH_INVALID)
            problem_set(problem, "title", "title is not UTF-8");
    }
    best.entries = sh_alloc_array(best.room + 1, sizeof(*best.entries));
    if (err == SH_OK && best.entries == NULL)
        err = SH_NOMEM;
    for (size_t i = 0; i < asked->order_count; i++)
        best.hashes[i] = metadata_hash(asked->orders[i].key);
    if (err == SH_OK) {
        pthread_rwlock_rdlock(view->lock);
        err = look(view, filter, &scratch, &best);
        sort(&best);
        if (err == SH_OK)
            err = copy_page(&best, arena, out);
        pthread_rwlock_unlock(view->lock);
    }
    sh_free(best.entries);
    sh_arena_free(&scratch);
    return err;
}
