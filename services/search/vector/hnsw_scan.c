/* The exact answer. Every allowed row is scored by its code first, which is a fifth of
 * the memory to read; the full row is read only where the bounds of the rounding leave it
 * open whether it is among the best, so the answer is that of the full rows. */
#include "services/search/vector/hnsw_search.h"

enum {
    AHEAD = 32, /* codes on their way to the cache; a power of two */
    ROWS_AHEAD = 4,
    LINE = 64,
    PREFETCHED = 16 * LINE,
    DEADLINE_WORDS = 16, /* of 64 slots */
};

struct rough {
    float most; /* that its full score can be */
    uint32_t slot;
    uint32_t node;
};

struct scan {
    const struct job *job;
    /* a rounded score is off by offset + factor · the row's scale at most */
    float offset;
    float factor;
    struct rough ahead[AHEAD];
    uint32_t ahead_first;
    uint32_t ahead_end;
    struct rough *open; /* may be among the best; in the arena */
    size_t open_count;
    size_t open_room;
};

/* int8: half a step in every component on both sides; f16: half a unit in the last place
 * of the row. A little more is for the arithmetic. */
static void bound_rounding(struct scan *scan)
{
    const struct hnsw *self = scan->job->self;
    float half = 0.501F * sqrtf((float)self->options.dimension);
    float mine = half * scan->job->scratch->query.scale;
    scan->factor = 0;
    scan->offset = 1e-5F;
    if (!scan->job->query->rows)
        scan->offset = 0;
    else if (self->options.kind == CODE_F16)
        scan->offset = 6e-4F;
    else if (self->options.kind == CODE_INT8) {
        scan->offset = mine + 1e-5F;
        scan->factor = (1 + mine) * half;
    }
}

static void drop_beaten(struct scan *scan)
{
    float least = best_least(scan->job);
    size_t kept = 0;
    for (size_t i = 0; i < scan->open_count; i++) {
        if (scan->open[i].most >= least)
            scan->open[kept++] = scan->open[i];
    }
    scan->open_count = kept;
}

static enum sh_err make_room(struct scan *scan)
{
    drop_beaten(scan);
    if (scan->open_count < scan->open_room / 2)
        return SH_OK;
    size_t room = 2 * scan->open_room + 2 * (size_t)scan->job->most + 512;
    struct rough *open = sh_arena_array(scan->job->arena, room, sizeof(*open));
    if (!open)
        return SH_NOMEM;
    if (scan->open_count > 0)
        memcpy(open, scan->open, scan->open_count * sizeof(*open));
    scan->open = open;
    scan->open_room = room;
    return SH_OK;
}

static enum sh_err score(struct scan *scan, struct rough row)
{
    const struct job *job = scan->job;
    float rough = node_product(job->self, &job->scratch->query, row.node);
    float error = scan->offset + scan->factor * node_head(job->self, row.node)->scale;
    row.most = rough + error;
    if (row.most < best_least(job))
        return SH_OK;
    if (scan->open_count == scan->open_room) {
        enum sh_err err = make_room(scan);
        if (err != SH_OK)
            return err;
    }
    scan->open[scan->open_count++] = row;
    best_keep(job, (struct leg_hit){row.slot, rough - error});
    return SH_OK;
}

static enum sh_err score_ahead(struct scan *scan, uint32_t left)
{
    enum sh_err err = SH_OK;
    while (err == SH_OK && scan->ahead_end - scan->ahead_first > left)
        err = score(scan, scan->ahead[scan->ahead_first++ % AHEAD]);
    return err;
}

static enum sh_err scan_word(struct scan *scan, uint32_t base, uint64_t word)
{
    const struct hnsw *self = scan->job->self;
    enum sh_err err = SH_OK;
    for (; err == SH_OK && word != 0; word &= word - 1) {
        uint32_t slot = base + (uint32_t)__builtin_ctzll(word);
        uint32_t node = atomic_load_explicit(slot_node(self, slot), memory_order_acquire);
        if (node == 0)
            continue;
        const char *record = node_at(self, node - 1);
        for (size_t i = 0; i < self->links_at && i < PREFETCHED; i += LINE)
            __builtin_prefetch(record + i);
        scan->ahead[scan->ahead_end++ % AHEAD] = (struct rough){0, slot, node - 1};
        err = score_ahead(scan, AHEAD - 1);
        scan->job->result->scanned++;
    }
    return err;
}

static enum sh_err scan_words(struct scan *scan)
{
    const struct job *job = scan->job;
    const struct bitmap *allowed = job->query->allowed;
    uint32_t slots = atomic_load_explicit(&job->self->slot_count, memory_order_acquire);
    uint32_t bits = allowed && allowed->bits < slots ? allowed->bits : slots;
    enum sh_err err = SH_OK;
    for (uint32_t i = 0; err == SH_OK && i < bitmap_words(bits); i++) {
        uint64_t word = allowed ? allowed->words[i] : UINT64_MAX;
        if (i % DEADLINE_WORDS == 0 && is_late(job)) {
            job->result->complete = false;
            break;
        }
        if (bits - i * 64 < 64)
            word &= (UINT64_C(1) << (bits - i * 64)) - 1;
        err = scan_word(scan, i * 64, word);
    }
    return err == SH_OK ? score_ahead(scan, 0) : err;
}

static void prefetch_row(const struct scan *scan, size_t at)
{
    if (at >= scan->open_count)
        return;
    const char *row = (const char *)full_row(scan->job, scan->open[at].slot);
    size_t bytes = scan->job->self->options.dimension * sizeof(float);
    for (size_t i = 0; row && i < bytes && i < PREFETCHED; i += LINE)
        __builtin_prefetch(row + i);
}

/* The rounded scores have done their work: the full ones count. */
static void score_open(struct scan *scan)
{
    const struct job *job = scan->job;
    drop_beaten(scan);
    job->result->count = 0;
    for (size_t i = 0; i < scan->open_count; i++) {
        struct rough row = scan->open[i];
        prefetch_row(scan, i + ROWS_AHEAD);
        best_keep(job, (struct leg_hit){row.slot, full_score(job, row.slot, row.node)});
    }
}

enum sh_err scan_run(const struct job *job)
{
    struct scan scan = {.job = job};
    job->result->strategy = HNSW_EXACT;
    job->result->ef = 0;
    job->result->count = 0;
    bound_rounding(&scan);
    enum sh_err err = scan_words(&scan);
    if (err != SH_OK)
        return err;
    score_open(&scan);
    best_order(job);
    return SH_OK;
}
