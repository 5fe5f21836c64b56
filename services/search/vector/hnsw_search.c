#include "services/search/vector/hnsw_internal.h"

#include <math.h>
#include <stdlib.h>

#include "shared/clock.h"

enum {
    EXACT_MOST = 2000,   /* never worth a walk */
    CANDIDATE_COST = 30, /* of a place in the pool, in rows of an exact scan: measured */
    /* filters that let fewer than 1 in so many through */
    TWO_STEPS_BELOW = 4,
    SEEDS = 8,
    WIDENINGS = 3,
    DEADLINE_EVERY = 1024,
    PREFETCHED = 256, /* floats of a row */
};

const char *hnsw_strategy_name(enum hnsw_strategy strategy)
{
    static const char *const names[] = {"exact", "graph", "filtered_graph"};
    return names[strategy];
}

struct plan {
    enum hnsw_strategy strategy;
    bool two_steps; /* over those that the filter keeps out */
    uint32_t allowed;
    uint32_t ef;
};

struct job {
    struct hnsw *self;
    const struct hnsw_query *query;
    const struct plan *plan;
    struct scratch *scratch;
    struct sh_arena *arena;
    struct hnsw_result *result;
    uint32_t most; /* hits that there is room for */
};

struct rough { /* a quantised score, with the most that the full one can be */
    float most;
    uint32_t slot;
    uint32_t node;
};

static const float *full_row(const struct job *job, uint32_t slot)
{
    const struct hnsw_rows *rows = job->query->rows;
    return rows ? rows->row(rows->arg, slot) : NULL;
}

static float score_of(const struct job *job, uint32_t slot, uint32_t node)
{
    const float *row = full_row(job, slot);
    if (row)
        return job->self->coder.kernel->row(job->query->vector, row,
                                            job->self->options.dimension);
    return node_product(job->self, &job->scratch->query, node);
}

static bool is_allowed(const struct hnsw_query *query, uint32_t slot)
{
    return !query->allowed || bitmap_has(query->allowed, slot);
}

/* --- the best k ----------------------------------------------------------------------
 */

static bool is_better(const struct leg_hit *a, const struct leg_hit *b)
{
    return a->score > b->score || (a->score == b->score && a->slot < b->slot);
}

/* A heap with the worst of the best on top. */
static void sift(struct leg_hit *hits, size_t at, size_t count)
{
    for (;;) {
        size_t worst = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++) {
            if (is_better(&hits[worst], &hits[child]))
                worst = child;
        }
        if (worst == at)
            return;
        struct leg_hit moved = hits[at];
        hits[at] = hits[worst];
        hits[worst] = moved;
        at = worst;
    }
}

static void keep(struct hnsw_result *result, uint32_t k, struct leg_hit hit)
{
    struct leg_hit *hits = result->hits;
    if (result->count < k) {
        size_t at = result->count++;
        for (; at > 0 && is_better(&hits[(at - 1) / 2], &hit); at = (at - 1) / 2)
            hits[at] = hits[(at - 1) / 2];
        hits[at] = hit;
    } else if (is_better(&hit, &hits[0])) {
        hits[0] = hit;
        sift(hits, 0, k);
    }
}

static void order(struct hnsw_result *result)
{
    struct leg_hit *hits = result->hits;
    for (size_t count = result->count; count > 1; count--) {
        struct leg_hit worst = hits[0];
        hits[0] = hits[count - 1];
        hits[count - 1] = worst;
        sift(hits, 0, count - 1);
    }
}

/* --- one by one ----------------------------------------------------------------------
 */

static void scan_slot(const struct job *job, uint32_t slot)
{
    uint32_t node =
        atomic_load_explicit(slot_node(job->self, slot), memory_order_acquire);
    if (node == 0)
        return;
    job->result->scanned++;
    keep(job->result, job->most, (struct leg_hit){slot, score_of(job, slot, node - 1)});
}

static bool is_late(const struct job *job)
{
    return sh_now_ms() >= job->query->deadline_ms;
}

static void scan_all(const struct job *job, uint32_t slots)
{
    for (uint32_t slot = 0; slot < slots; slot++) {
        if (slot % DEADLINE_EVERY == 0 && is_late(job)) {
            job->result->complete = false;
            return;
        }
        scan_slot(job, slot);
    }
}

/* Rows lie anywhere: those of one word are on their way before the first is needed. */
static void prefetch_rows(const struct job *job, uint32_t base, uint64_t word)
{
    size_t bytes = job->self->options.dimension * sizeof(float);
    for (; word != 0; word &= word - 1) {
        const float *row = full_row(job, base + (uint32_t)__builtin_ctzll(word));
        for (size_t i = 0; row && i < bytes / sizeof(*row) && i < PREFETCHED; i += 16)
            __builtin_prefetch(row + i);
    }
}

static void scan_allowed(const struct job *job, uint32_t slots)
{
    const struct bitmap *allowed = job->query->allowed;
    for (uint32_t i = 0; i < bitmap_words(allowed->bits) && i * 64 < slots; i++) {
        uint64_t word = allowed->words[i];
        if (i % (DEADLINE_EVERY / 64) == 0 && is_late(job)) {
            job->result->complete = false;
            return;
        }
        if (slots - i * 64 < 64)
            word &= (UINT64_C(1) << (slots - i * 64)) - 1;
        prefetch_rows(job, i * 64, word);
        for (; word != 0; word &= word - 1)
            scan_slot(job, i * 64 + (uint32_t)__builtin_ctzll(word));
    }
}

/* What rounding to int8 can change in a product of unit vectors: half a step in every
 * component on both sides, and a little for the arithmetic. */
static float rounding(const struct job *job, uint32_t node)
{
    float half = 0.501F * sqrtf((float)job->self->options.dimension);
    float mine = half * job->scratch->query.scale;
    return mine + (1 + mine) * half * node_head(job->self, node)->scale + 1e-5F;
}

/* The slots of a word, the least that their scores can be kept. */
static size_t scan_word(const struct job *job, uint32_t base, uint64_t word,
                        struct rough *found)
{
    size_t count = 0;
    for (; word != 0; word &= word - 1) {
        uint32_t slot = base + (uint32_t)__builtin_ctzll(word);
        uint32_t node =
            atomic_load_explicit(slot_node(job->self, slot), memory_order_acquire);
        if (node == 0)
            continue;
        found[count++] = (struct rough){0, slot, node - 1};
        for (size_t i = 0; i < job->self->links_at && i < PREFETCHED; i += 64)
            __builtin_prefetch(node_at(job->self, node - 1) + i);
    }
    for (size_t i = 0; i < count; i++) {
        float score = node_product(job->self, &job->scratch->query, found[i].node);
        float error = rounding(job, found[i].node);
        found[i].most = score + error;
        keep(job->result, job->most, (struct leg_hit){found[i].slot, score - error});
    }
    job->result->scanned += count;
    return count;
}

/* By quantised scores first: only those that may be among the best need full rows, and
 * the answer is the same. */
static void scan_twice(const struct job *job, uint32_t slots, struct rough *found)
{
    const struct bitmap *allowed = job->query->allowed;
    struct hnsw_result *result = job->result;
    size_t count = 0;
    for (uint32_t i = 0; i < bitmap_words(allowed->bits) && i * 64 < slots; i++) {
        uint64_t word = allowed->words[i];
        if (i % (DEADLINE_EVERY / 64) == 0 && is_late(job)) {
            result->complete = false;
            break;
        }
        if (slots - i * 64 < 64)
            word &= (UINT64_C(1) << (slots - i * 64)) - 1;
        count += scan_word(job, i * 64, word, &found[count]);
    }
    float least = result->count == job->most ? result->hits[0].score : -INFINITY;
    result->count = 0;
    for (size_t i = 0; i < count; i++) {
        if (found[i].most >= least)
            keep(result, job->most,
                 (struct leg_hit){found[i].slot,
                                  score_of(job, found[i].slot, found[i].node)});
    }
}

static void scan_filtered(const struct job *job, uint32_t slots)
{
    struct rough *found = NULL;
    if (job->query->rows && job->self->options.kind == CODE_INT8)
        found = sh_arena_array(job->arena, bitmap_count(job->query->allowed) + (size_t)1,
                               sizeof(*found));
    if (found)
        scan_twice(job, slots, found);
    else
        scan_allowed(job, slots);
}

static void scan(const struct job *job)
{
    struct hnsw_result *result = job->result;
    uint32_t slots = atomic_load_explicit(&job->self->slot_count, memory_order_acquire);
    result->strategy = HNSW_EXACT;
    result->ef = 0;
    result->count = 0;
    if (job->query->allowed)
        scan_filtered(job, slots);
    else
        scan_all(job, slots);
    order(result);
}

/* --- by the graph --------------------------------------------------------------------
 */

/* Allowed places all over the set, so that one far from the query is found too. */
static void seed_allowed(struct walk *walk, const struct job *job)
{
    const struct bitmap *allowed = job->query->allowed;
    uint32_t slots = atomic_load_explicit(&job->self->slot_count, memory_order_acquire);
    uint32_t bits = allowed->bits < slots ? allowed->bits : slots;
    size_t words = bits / 64;
    for (size_t seed = 0; seed < SEEDS; seed++) {
        for (size_t i = words * seed / SEEDS; i < words * (seed + 1) / SEEDS; i++) {
            if (allowed->words[i] == 0)
                continue;
            uint32_t slot =
                (uint32_t)i * 64 + (uint32_t)__builtin_ctzll(allowed->words[i]);
            uint32_t node = atomic_load(slot_node(job->self, slot));
            if (node != 0)
                walk_seed(walk, node - 1);
            break;
        }
    }
}

static void collect(const struct job *job, const struct walk *walk)
{
    struct hnsw_result *result = job->result;
    uint32_t k = job->most;
    uint32_t rescored = 2 * k + walk->ef / 8;
    const struct seen *pool = walk->scratch->pool;
    result->count = 0;
    uint32_t taken = 0;
    for (uint32_t i = 0; i < walk->count && taken < rescored; i++) {
        uint32_t slot = atomic_load_explicit(node_slot(job->self, pool[i].node),
                                             memory_order_relaxed);
        /* not removed, replaced or on its way in */
        if (atomic_load_explicit(slot_node(job->self, slot), memory_order_acquire) !=
                pool[i].node + 1 ||
            !is_allowed(job->query, slot))
            continue;
        taken++;
        keep(result, k, (struct leg_hit){slot, score_of(job, slot, pool[i].node)});
    }
    order(result);
}

static void walk_graph(const struct job *job, uint32_t ef)
{
    struct hnsw_result *result = job->result;
    uint64_t entry = atomic_load(&job->self->entry);
    struct walk walk = {.self = job->self,
                        .scratch = job->scratch,
                        .query = &job->scratch->query,
                        .ef = ef,
                        .allowed = job->plan->two_steps ? job->query->allowed : NULL,
                        .deadline_ms = job->query->deadline_ms};
    result->ef = ef;
    result->count = 0;
    if (entry == 0)
        return;
    uint32_t start = walk_descend(&walk, (uint32_t)entry, entry_level(entry), 1);
    walk_stamp(job->scratch);
    walk_seed(&walk, start);
    if (job->plan->two_steps)
        seed_allowed(&walk, job);
    walk_run(&walk);
    collect(job, &walk);
    result->scanned += walk.scanned;
    result->complete = !walk.cut;
}

/* Removed nodes take places in the pool too. */
static uint32_t with_dead(const struct hnsw *self, uint64_t ef, uint64_t live)
{
    uint64_t dead = hnsw_dead(self);
    if (dead > 0)
        ef += ef * dead / (live + 1) + 16;
    return (uint32_t)(ef < live + dead ? ef : live + dead);
}

static struct plan make_plan(const struct hnsw *self, const struct hnsw_query *query)
{
    uint64_t live = hnsw_count(self);
    uint64_t allowed = live;
    uint64_t ef = query->ef > query->k ? query->ef : query->k;
    if (query->allowed && query->allowed_count < live)
        allowed = query->allowed_count;
    struct plan plan = {.strategy = HNSW_GRAPH, .allowed = (uint32_t)allowed};
    /* the share that a filter keeps out costs both kinds of walk alike */
    uint64_t cost = ef * CANDIDATE_COST * live / (allowed + 1);
    if (allowed < live) {
        plan.strategy = HNSW_FILTERED_GRAPH;
        plan.two_steps = allowed < live / TWO_STEPS_BELOW;
    }
    if (allowed <= EXACT_MOST || allowed <= cost)
        plan.strategy = HNSW_EXACT;
    else if (allowed < live && !plan.two_steps)
        ef = ef * live / allowed; /* until enough have passed the filter */
    plan.ef = plan.strategy == HNSW_EXACT ? 1 : with_dead(self, ef, live);
    return plan;
}

/* Removed ones in the way, or an island: wider, and in the end one by one, so that none
 * is missing. */
static enum sh_err search_graph(const struct job *job)
{
    const struct plan *plan = job->plan;
    struct hnsw_result *result = job->result;
    uint32_t k = job->query->k < plan->allowed ? job->query->k : plan->allowed;
    uint32_t ef = plan->ef;
    for (int tries = 0; tries < WIDENINGS; tries++, ef *= 2) {
        enum sh_err err = walk_widen(job->scratch, ef);
        if (err != SH_OK)
            return err;
        result->strategy = plan->strategy;
        walk_graph(job, ef);
        if (!result->complete || result->count >= k)
            return SH_OK;
    }
    scan(job);
    return SH_OK;
}

static enum sh_err run(struct hnsw *self, const struct hnsw_query *query,
                       const struct plan *plan, struct sh_arena *arena,
                       struct hnsw_result *result)
{
    struct job job = {
        .self = self, .query = query, .plan = plan, .arena = arena, .result = result};
    uint32_t seat = 0;
    size_t slots = atomic_load_explicit(&self->slot_count, memory_order_acquire);
    size_t k = query->k < slots ? query->k : slots;
    *result = (struct hnsw_result){.complete = true};
    result->hits = sh_arena_array(arena, k + 1, sizeof(struct leg_hit));
    if (!result->hits)
        return SH_NOMEM;
    job.most = (uint32_t)k;
    enum sh_err err = walk_begin(self, plan->ef, &seat);
    if (err != SH_OK)
        return err;
    job.scratch = &self->scratch[seat];
    coder_query(&self->coder, query->vector, &job.scratch->query);
    if (k > 0 && plan->strategy == HNSW_EXACT)
        scan(&job);
    else if (k > 0)
        err = search_graph(&job);
    walk_end(self, seat);
    return err;
}

enum sh_err hnsw_search(struct hnsw *self, const struct hnsw_query *query,
                        struct sh_arena *arena, struct hnsw_result *result)
{
    struct plan plan = make_plan(self, query);
    return run(self, query, &plan, arena, result);
}

enum sh_err hnsw_scan(struct hnsw *self, const struct hnsw_query *query,
                      struct sh_arena *arena, struct hnsw_result *result)
{
    const struct plan plan = {.strategy = HNSW_EXACT, .ef = 1};
    return run(self, query, &plan, arena, result);
}
