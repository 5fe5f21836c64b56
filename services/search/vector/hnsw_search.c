#include "services/search/vector/hnsw_search.h"

enum { SEEDS = 64, WIDENINGS = 3, SPARE = 32 };

const char *hnsw_strategy_name(enum hnsw_strategy strategy)
{
    static const char *const names[] = {"exact", "graph", "filtered_graph"};
    return names[strategy];
}

static bool is_allowed(const struct hnsw_query *query, uint32_t slot)
{
    return !query->allowed || bitmap_has(query->allowed, slot);
}

/* --- by the graph ----------------------------------------------------------------- */

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

static uint32_t slot_at(const struct job *job, const struct seen *seen)
{
    return atomic_load_explicit(node_slot(job->self, seen->node), memory_order_relaxed);
}

/* How many passed. */
static uint32_t collect(const struct job *job, const struct walk *walk)
{
    struct hnsw_result *result = job->result;
    uint32_t k = job->most;
    /* codes are nearly right: who is among the best is so by them too, or nearly so */
    uint32_t rescored = k + (k < SPARE ? k : SPARE) + walk->ef / 8;
    const struct seen *pool = walk->scratch->pool;
    result->count = 0;
    uint32_t taken = 0;
    for (uint32_t i = 0; i < walk->count; i++) {
        uint32_t slot = slot_at(job, &pool[i]);
        if (i + ROWS_AHEAD < walk->count && taken + ROWS_AHEAD < rescored)
            full_prefetch(job, slot_at(job, &pool[i + ROWS_AHEAD]));
        /* not removed, replaced or on its way in */
        if (atomic_load_explicit(slot_node(job->self, slot), memory_order_acquire) !=
                pool[i].node + 1 ||
            !is_allowed(job->query, slot))
            continue;
        if (taken++ < rescored)
            best_keep(job, (struct leg_hit){slot, full_score(job, slot, pool[i].node)});
    }
    best_order(job);
    return taken;
}

static uint32_t walk_graph(const struct job *job, uint32_t ef)
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
        return 0;
    uint32_t start = walk_descend(&walk, (uint32_t)entry, entry_level(entry), 1);
    walk_stamp(job->scratch);
    walk_seed(&walk, start);
    if (job->plan->two_steps)
        seed_allowed(&walk, job);
    walk_run(&walk);
    result->scanned += walk.scanned;
    result->complete = !walk.cut;
    return collect(job, &walk);
}

/* Removed ones in the way, an island, or a filter that lets through what is far: wider,
 * and in the end one by one, so that none is missing. */
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
        uint32_t passed = walk_graph(job, ef);
        if (!result->complete || (passed >= k && passed >= plan->wanted))
            return SH_OK;
    }
    return scan_run(job);
}

enum sh_err search_by(struct hnsw *self, const struct hnsw_query *query,
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
        err = scan_run(&job);
    else if (k > 0)
        err = search_graph(&job);
    walk_end(self, seat);
    return err;
}

enum sh_err hnsw_search(struct hnsw *self, const struct hnsw_query *query,
                        struct sh_arena *arena, struct hnsw_result *result)
{
    struct plan plan = plan_make(self, query);
    return search_by(self, query, &plan, arena, result);
}

enum sh_err hnsw_scan(struct hnsw *self, const struct hnsw_query *query,
                      struct sh_arena *arena, struct hnsw_result *result)
{
    const struct plan plan = {.strategy = HNSW_EXACT, .ef = 1};
    return search_by(self, query, &plan, arena, result);
}
