#include "services/search/fusion/group.h"

#include <stdlib.h>

struct pooled { /* a passage of the pool */
    struct group_passage passage;
    uint32_t slot;
    uint32_t rank;
};

struct tally { /* results of a document */
    const void *document;
    uint32_t count;
};

struct maker {
    const struct fusion_result *fused;
    const struct group_options *options;
    struct sh_arena *arena;
    struct group *merged[GROUP_POOL]; /* by rank, of the best passage; NULL: not the best
                                         of its result */
    size_t pool;
    struct tally *tallies; /* a hash table */
    size_t tally_size;
};

/* --- neighbours ------------------------------------------------------------------- */

static int by_document_and_ordinal(const void *a, const void *b)
{
    const struct pooled *left = a;
    const struct pooled *right = b;
    uintptr_t one = (uintptr_t)left->passage.document;
    uintptr_t two = (uintptr_t)right->passage.document;
    if (one != two)
        return one < two ? -1 : 1;
    return (left->passage.ordinal > right->passage.ordinal) -
           (left->passage.ordinal < right->passage.ordinal);
}

/* How many of them from `first` on are one result. */
static size_t run_of(const struct maker *maker, const struct pooled *pool, size_t first)
{
    size_t count = 1;
    size_t bytes = pool[first].passage.bytes;
    while (count < GROUP_MOST && first + count < maker->pool) {
        const struct group_passage *last = &pool[first + count - 1].passage;
        const struct group_passage *next = &pool[first + count].passage;
        bytes += next->bytes;
        if (next->document != last->document || next->ordinal != last->ordinal + 1 ||
            bytes > GROUP_BYTES)
            break;
        count++;
    }
    return count;
}

static enum sh_err add_run(struct maker *maker, const struct pooled *run, size_t count)
{
    struct group *group = sh_arena_alloc(maker->arena, sizeof(*group));
    uint32_t *slots = sh_arena_array(maker->arena, count, sizeof(*slots));
    uint32_t best = UINT32_MAX;
    if (!group || !slots)
        return SH_NOMEM;
    for (size_t i = 0; i < count; i++) {
        slots[i] = run[i].slot;
        best = run[i].rank < best ? run[i].rank : best;
    }
    *group = (struct group){&maker->fused->hits[best], slots, (uint32_t)count};
    maker->merged[best] = group;
    return SH_OK;
}

static enum sh_err merge_pool(struct maker *maker)
{
    struct pooled pool[GROUP_POOL] = {{.rank = 0}};
    enum sh_err err = SH_OK;
    maker->pool = maker->fused->count < GROUP_POOL ? maker->fused->count : GROUP_POOL;
    for (uint32_t i = 0; i < maker->pool; i++) {
        uint32_t slot = maker->fused->hits[i].slot;
        pool[i] =
            (struct pooled){maker->options->passage(maker->options->arg, slot), slot, i};
    }
    qsort(pool, maker->pool, sizeof(*pool), by_document_and_ordinal);
    for (size_t i = 0; err == SH_OK && i < maker->pool;) {
        size_t count = run_of(maker, pool, i);
        err = add_run(maker, &pool[i], count);
        i += count;
    }
    return err;
}

/* --- so many of a document -------------------------------------------------------- */

static enum sh_err make_tallies(struct maker *maker)
{
    maker->tally_size = 16;
    while (maker->tally_size < 2 * maker->fused->count)
        maker->tally_size *= 2;
    maker->tallies =
        sh_arena_array(maker->arena, maker->tally_size, sizeof(*maker->tallies));
    return maker->tallies ? SH_OK : SH_NOMEM;
}

static bool has_room(struct maker *maker, uint32_t slot)
{
    const struct group_options *options = maker->options;
    if (options->per_document == 0)
        return true;
    const void *document = options->passage(options->arg, slot).document;
    size_t mask = maker->tally_size - 1;
    size_t i = (size_t)(((uint64_t)(uintptr_t)document * 0x9e3779b97f4a7c15U) >> 32);
    while (maker->tallies[i & mask].document &&
           maker->tallies[i & mask].document != document)
        i++;
    struct tally *tally = &maker->tallies[i & mask];
    tally->document = document;
    return tally->count++ < options->per_document;
}

/* --- all of it -------------------------------------------------------------------- */

/* False: a better passage stands for its result. */
static bool group_at(const struct maker *maker, size_t rank, struct group *group)
{
    const struct fusion_hit *hit = &maker->fused->hits[rank];
    if (rank < maker->pool && !maker->merged[rank])
        return false;
    *group =
        rank < maker->pool ? *maker->merged[rank] : (struct group){hit, &hit->slot, 1};
    return true;
}

enum sh_err groups_make(const struct fusion_result *fused,
                        const struct group_options *options, size_t most,
                        struct sh_arena *arena, struct groups *out)
{
    struct maker maker = {.fused = fused, .options = options, .arena = arena};
    size_t bound = most < fused->count ? most : fused->count;
    enum sh_err err;
    *out = (struct groups){0};
    if (bound == 0)
        return SH_OK;
    out->items = sh_arena_array(arena, bound, sizeof(*out->items));
    err = out->items ? SH_OK : SH_NOMEM;
    if (err == SH_OK && options->merge)
        err = merge_pool(&maker);
    if (err == SH_OK && options->per_document > 0)
        err = make_tallies(&maker);
    for (size_t rank = 0; err == SH_OK && rank < fused->count && out->count < bound;
         rank++) {
        if (group_at(&maker, rank, &out->items[out->count]) &&
            has_room(&maker, fused->hits[rank].slot))
            out->count++;
    }
    return err;
}
