#include "services/search/filter/gather.h"

#include "services/search/filter/dense.h"
#include "shared/clock.h"

enum { CLOCK_EVERY = 4096 }; /* sets between looks at the clock */

void picked_drop(struct picked *picked)
{
    if (picked->own)
        roaring_bitmap_free(picked->own);
    *picked = (struct picked){0};
}

enum sh_err picked_keep(struct picked *picked, roaring_bitmap_t *own)
{
    picked_drop(picked);
    *picked = (struct picked){own, own};
    return own ? SH_OK : SH_NOMEM;
}

enum sh_err gather_tick(struct gather *gather)
{
    struct select *select = gather->select;
    if (++select->ticks % CLOCK_EVERY != 0)
        return SH_OK;
    return sh_now_ms() >= select->deadline_ms ? SH_TIMEOUT : SH_OK;
}

enum sh_err gather_bitmap(struct gather *gather, const roaring_bitmap_t *set)
{
    if (gather->set_count == gather->set_capacity) {
        size_t capacity = gather->set_capacity ? gather->set_capacity * 2 : 8;
        const roaring_bitmap_t **sets =
            sh_realloc(gather->sets, capacity * sizeof(const void *));
        if (!sets)
            return SH_NOMEM;
        gather->sets = sets;
        gather->set_capacity = capacity;
    }
    gather->sets[gather->set_count++] = set;
    return SH_OK;
}

static void add_document(struct select *select, uint32_t document)
{
    uint32_t count = 0;
    const struct slot_run *runs = places_runs(&select->columns->places, document, &count);
    for (uint32_t i = 0; i < count; i++)
        dense_add_run(&select->dense, runs[i].first, runs[i].count);
}

/* The documents at hand become words. */
static enum sh_err flush(struct gather *gather)
{
    struct select *select = gather->select;
    if (!select->dense.words)
        select->dense.words = sh_arena_array(
            select->arena, dense_words(select->dense.bits) + 1, sizeof(uint64_t));
    if (!select->dense.words)
        return SH_NOMEM;
    for (uint32_t i = 0; i < gather->document_count; i++)
        add_document(select, gather->documents[i]);
    gather->document_count = 0;
    gather->dense = true;
    return SH_OK;
}

/* Where they lie is fetched from memory while more of them come. */
static enum sh_err gather_documents(struct gather *gather, const uint32_t *documents,
                                    uint32_t count)
{
    const struct place *places = gather->select->columns->places.items;
    for (uint32_t i = 0; i < count; i++) {
        if (gather->document_count == GATHER_EARLY) {
            enum sh_err err = flush(gather);
            if (err != SH_OK)
                return err;
        }
        __builtin_prefetch(&places[documents[i]]);
        gather->documents[gather->document_count++] = documents[i];
    }
    return SH_OK;
}

enum sh_err gather_set(struct gather *gather, const struct slot_set *set)
{
    enum sh_err err = gather_tick(gather);
    if (err != SH_OK)
        return err;
    return slot_set_is_many(set)
               ? gather_bitmap(gather, set->many->slots)
               : gather_documents(gather, slot_set_documents(set), set->count);
}

static roaring_bitmap_t *of_documents(const struct gather *gather)
{
    const struct places *places = &gather->select->columns->places;
    roaring_bitmap_t *slots = roaring_bitmap_create();
    for (uint32_t i = 0; slots && i < gather->document_count; i++) {
        uint32_t count = 0;
        const struct slot_run *runs = places_runs(places, gather->documents[i], &count);
        for (uint32_t n = 0; n < count; n++)
            roaring_bitmap_add_range_closed(slots, runs[n].first,
                                            runs[n].first + (runs[n].count - 1));
    }
    return slots;
}

/* Few slots matter: what is in them of each bitmap, instead of each bitmap whole. */
static roaring_bitmap_t *unite_within(const struct gather *gather)
{
    roaring_bitmap_t *slots = roaring_bitmap_create();
    for (size_t i = 0; slots && i < gather->set_count; i++) {
        roaring_bitmap_t *part = roaring_bitmap_and(gather->sets[i], gather->within);
        if (!part) {
            roaring_bitmap_free(slots);
            return NULL;
        }
        roaring_bitmap_or_inplace(slots, part);
        roaring_bitmap_free(part);
    }
    return slots;
}

static roaring_bitmap_t *unite(const struct gather *gather)
{
    uint64_t slots = gather->select->dense.bits;
    if (gather->within &&
        roaring_bitmap_get_cardinality(gather->within) < slots / GATHER_FEW)
        return unite_within(gather);
    return roaring_bitmap_or_many(gather->set_count, gather->sets);
}

enum sh_err gather_end(struct gather *gather, enum sh_err err, struct picked *out)
{
    roaring_bitmap_t *rare = NULL;
    if (err == SH_OK && gather->dense) {
        err = flush(gather);
        if (err == SH_OK)
            err = dense_take(&gather->select->dense, &rare);
    } else if (err == SH_OK && (gather->document_count > 0 || gather->set_count == 0)) {
        rare = of_documents(gather);
        err = rare ? SH_OK : SH_NOMEM;
    }
    if (err == SH_OK && rare && gather->set_count > 0)
        err = gather_bitmap(gather, rare);
    if (err == SH_OK && gather->set_count == 0) {
        *out = (struct picked){rare, rare};
        rare = NULL;
    } else if (err == SH_OK && gather->set_count == 1) {
        *out = (struct picked){.set = gather->sets[0]};
    } else if (err == SH_OK) {
        err = picked_keep(out, unite(gather));
    }
    if (rare)
        roaring_bitmap_free(rare);
    sh_free(gather->sets);
    return err;
}
