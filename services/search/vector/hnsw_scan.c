/* The exact answer, of the full rows, at the price of a part of their memory: a bound
 * decides what is read of each. int8 codes have three steps, the high half of the code,
 * all of it, the full row; a row that cannot be among the best any more stays where it
 * is.
 */
#include "services/search/vector/hnsw_search.h"

enum {
    AHEAD = 32, /* codes on their way to the cache; a power of two */
    CLOSE = 16, /* other halves on their way; a power of two */
    LINE = 64,
    PREFETCHED = 16 * LINE,
    DEADLINE_EVERY = 1024,
};

struct rough {
    float most; /* that its full score can be */
    uint32_t slot;
    uint32_t node;
};

struct scan {
    const struct job *job;
    bool halves; /* the first step is worth it */
    /* a product of codes is off by offset + factor · the row's scale at most */
    float offset;
    float factor;
    uint32_t rows; /* since the clock was looked at */
    uint32_t ahead_first;
    uint32_t ahead_end;
    uint32_t close_first;
    uint32_t close_end;
    struct rough ahead[AHEAD];
    struct rough close[CLOSE];
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
    bool rows = scan->job->query->rows != NULL;
    scan->halves = self->options.kind == CODE_INT8;
    if (rows && self->options.kind == CODE_INT8) {
        scan->offset = mine + 1e-5F;
        scan->factor = (1 + mine) * half;
    } else if (rows) {
        scan->offset = self->options.kind == CODE_F16 ? 6e-4F : 1e-5F;
    }
}

static float rounding(const struct scan *scan, uint32_t node)
{
    const struct hnsw *self = scan->job->self;
    if (!scan->halves)
        return scan->offset;
    return scan->offset +
           scan->factor * code_middle(&self->coder, node_at(self, node))->scale;
}

/* --- the last step ---------------------------------------------------------------- */

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

/* The rounded scores have done their work: the full ones count. */
static void score_open(struct scan *scan)
{
    const struct job *job = scan->job;
    drop_beaten(scan);
    job->result->count = 0;
    for (size_t i = 0; i < scan->open_count; i++) {
        struct rough row = scan->open[i];
        if (i + ROWS_AHEAD < scan->open_count)
            full_prefetch(job, scan->open[i + ROWS_AHEAD].slot);
        best_keep(job, (struct leg_hit){row.slot, full_score(job, row.slot, row.node)});
    }
}

/* --- by codes --------------------------------------------------------------------- */

/* Always inline: a function that only prefetches looks as if it did nothing, and calls of
 * it are left out. */
__attribute__((always_inline)) static inline void
prefetch_code(const struct scan *scan, uint32_t node, size_t from, size_t to)
{
    const char *record = node_at(scan->job->self, node);
    for (size_t i = from / LINE * LINE; i < to && i < PREFETCHED; i += LINE)
        __builtin_prefetch(record + i);
}

static enum sh_err score(struct scan *scan, struct rough row)
{
    const struct job *job = scan->job;
    float rough = node_product(job->self, &job->scratch->query, row.node);
    float error = rounding(scan, row.node);
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

static enum sh_err score_close(struct scan *scan, uint32_t left)
{
    enum sh_err err = SH_OK;
    while (err == SH_OK && scan->close_end - scan->close_first > left)
        err = score(scan, scan->close[scan->close_first++ % CLOSE]);
    return err;
}

/* By the first half of its code. */
static enum sh_err screen(struct scan *scan, struct rough row)
{
    const struct hnsw *self = scan->job->self;
    float error = 0;
    float rough = coder_rough(&self->coder, &scan->job->scratch->query,
                              node_at(self, row.node), &error);
    if (rough + error + rounding(scan, row.node) < best_least(scan->job))
        return SH_OK;
    prefetch_code(scan, row.node, self->coder.bytes / 2, self->coder.bytes);
    scan->close[scan->close_end++ % CLOSE] = row;
    return score_close(scan, CLOSE - 1);
}

static enum sh_err score_ahead(struct scan *scan, uint32_t left)
{
    enum sh_err err = SH_OK;
    while (err == SH_OK && scan->ahead_end - scan->ahead_first > left) {
        struct rough row = scan->ahead[scan->ahead_first++ % AHEAD];
        err = scan->halves ? screen(scan, row) : score(scan, row);
    }
    return err;
}

static enum sh_err scan_word(struct scan *scan, uint32_t base, uint64_t word)
{
    const struct hnsw *self = scan->job->self;
    size_t first = self->coder.bytes / (scan->halves ? 2 : 1);
    enum sh_err err = SH_OK;
    for (; err == SH_OK && word != 0; word &= word - 1) {
        uint32_t slot = base + (uint32_t)__builtin_ctzll(word);
        uint32_t node = atomic_load_explicit(slot_node(self, slot), memory_order_acquire);
        if (node == 0)
            continue;
        prefetch_code(scan, node - 1, 0, first);
        scan->ahead[scan->ahead_end++ % AHEAD] = (struct rough){0, slot, node - 1};
        scan->rows++;
        err = score_ahead(scan, AHEAD - 1);
    }
    return err;
}

static bool is_out_of_time(struct scan *scan)
{
    if (scan->rows < DEADLINE_EVERY)
        return false;
    scan->job->result->scanned += scan->rows;
    scan->rows = 0;
    return is_late(scan->job);
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
        if (bits - i * 64 < 64)
            word &= (UINT64_C(1) << (bits - i * 64)) - 1;
        err = scan_word(scan, i * 64, word);
        if (is_out_of_time(scan)) {
            job->result->complete = false;
            break;
        }
    }
    if (err == SH_OK)
        err = score_ahead(scan, 0);
    job->result->scanned += scan->rows;
    return err == SH_OK ? score_close(scan, 0) : err;
}

enum sh_err scan_run(const struct job *job)
{
    struct scan scan = {.job = job};
    job->result->strategy = HNSW_EXACT;
    job->result->ef = 0;
    job->result->count = 0;
    if (is_late(job)) {
        job->result->complete = false;
        return SH_OK;
    }
    bound_rounding(&scan);
    enum sh_err err = scan_words(&scan);
    if (err != SH_OK)
        return err;
    score_open(&scan);
    best_order(job);
    return SH_OK;
}
