#include "services/search/vector/vector_index.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "services/search/vector/rows.h"
#include "services/search/vector/vector_internal.h"
#include "shared/clock.h"

enum {
    DEADLINE_EVERY = 4096,
    AHEAD = 4,            /* rows that are on their way */
    COMPACT_LEAST = 1000, /* removed vectors; fewer are not worth it */
    COMPACT_SHARE = 5,    /* one in so many */
};

struct vector_options vector_defaults(void)
{
    const struct hnsw_options graph = hnsw_defaults(1);
    return (struct vector_options){.codes = graph.kind,
                                   .links = graph.links,
                                   .ef_construction = graph.ef_construction,
                                   .ef_search = 64,
                                   .most = graph.most};
}

static struct vector_index *make(const struct vector_options *options)
{
    struct vector_index *self = sh_alloc(sizeof(*self));
    if (self) {
        self->options = *options;
        self->options.rows = NULL; /* not ours to keep */
        self->product = code_best()->row;
    }
    return self;
}

enum sh_err vector_index_create(uint32_t dimension, const struct vector_options *options,
                                struct vector_index **out)
{
    const struct rows_options rows = {dimension, options->most, options->rows};
    struct hnsw_options graph = hnsw_defaults(dimension);
    struct vector_index *self = make(options);
    *out = NULL;
    if (!self)
        return SH_NOMEM;
    graph.kind = options->codes;
    graph.links = options->links;
    graph.ef_construction = options->ef_construction;
    graph.most = options->most;
    enum sh_err err = hnsw_create(&graph, &self->graph);
    if (err == SH_OK)
        err = rows_create(&rows, &self->rows);
    if (err != SH_OK)
        vector_index_free(&self);
    *out = self;
    return err;
}

/* With parts that were made elsewhere; they are freed when there is no memory. */
enum sh_err vector_index_of(const struct vector_options *options, struct hnsw *graph,
                            struct rows *rows, struct vector_index **out)
{
    struct vector_index *self = make(options);
    *out = self;
    if (!self) {
        hnsw_free(&graph);
        rows_free(&rows);
        return SH_NOMEM;
    }
    self->graph = graph;
    self->rows = rows;
    return SH_OK;
}

static void join(struct vector_index *self)
{
    if (self->started)
        pthread_join(self->compactor, NULL);
    self->started = false;
}

void vector_index_free(struct vector_index **index)
{
    struct vector_index *self = *index;
    if (!self)
        return;
    join(self);
    hnsw_free(&self->graph);
    rows_free(&self->rows);
    sh_free(self->later);
    sh_free(self);
    *index = NULL;
}

/* --- changes ---------------------------------------------------------------------- */

bool vector_is_finite(const float *vector, uint32_t dimension)
{
    for (uint32_t i = 0; i < dimension; i++) {
        if (!isfinite(vector[i]))
            return false;
    }
    return true;
}

/* Copies and scales to length 1; false when there is no direction. */
static bool unit(float *to, const float *from, uint32_t dimension)
{
    double square = 0;
    for (uint32_t i = 0; i < dimension; i++)
        square += (double)from[i] * (double)from[i];
    if (!isfinite(square) || square < 1e-24)
        return false;
    double scale = 1 / sqrt(square);
    for (uint32_t i = 0; i < dimension; i++)
        to[i] = (float)((double)from[i] * scale);
    return true;
}

enum sh_err vector_index_set(struct vector_index *self, uint32_t slot,
                             const float *vector)
{
    uint32_t dimension = vector_index_dimension(self);
    float *row = sh_alloc_array(dimension, sizeof(*row));
    bool stays = false;
    enum sh_err err = row ? SH_OK : SH_NOMEM;
    if (err == SH_OK && !vector_is_finite(vector, dimension))
        err = SH_INVALID;
    if (err == SH_OK && unit(row, vector, dimension)) {
        err = rows_set(self->rows, slot, row);
        if (err == SH_OK)
            err = self->bulk ? bulk_add(self, slot) : hnsw_set(self->graph, slot, row);
        stays = err == SH_OK;
    }
    if (!stays)
        vector_index_remove(self, slot);
    sh_free(row);
    return err;
}

void vector_index_remove(struct vector_index *self, uint32_t slot)
{
    if (self->bulk)
        bulk_drop(self, slot);
    hnsw_remove(self->graph, slot);
}

bool vector_index_has(const struct vector_index *self, uint32_t slot)
{
    return hnsw_has(self->graph, slot);
}

uint32_t vector_index_count(const struct vector_index *self)
{
    return hnsw_count(self->graph);
}

uint32_t vector_index_dimension(const struct vector_index *self)
{
    return hnsw_dimension(self->graph);
}

size_t vector_index_bytes(const struct vector_index *self)
{
    const struct vector_options *options = &self->options;
    struct coder coder = coder_make(options->codes, vector_index_dimension(self));
    size_t nodes = hnsw_count(self->graph) + (size_t)hnsw_dead(self->graph);
    /* twice the links at the bottom, hardly any above, and what finds a node */
    size_t node = coder.bytes + (2 * options->links + 8) * sizeof(uint32_t);
    size_t rows = rows_identity(self->rows) == 0 ? rows_bytes(self->rows) : 0;
    return sizeof(*self) + nodes * node + rows;
}

uint32_t vector_index_damaged(const struct vector_index *self)
{
    return rows_damaged(self->rows);
}

static void *compact(void *arg)
{
    struct vector_index *self = arg;
    (void)!hnsw_compact(self->graph); /* without memory the next one may succeed */
    atomic_store(&self->running, false);
    return NULL;
}

void vector_index_tend(struct vector_index *self)
{
    uint32_t dead = hnsw_dead(self->graph);
    if (self->bulk || dead < COMPACT_LEAST ||
        dead < (hnsw_count(self->graph) + (uint64_t)dead) / COMPACT_SHARE ||
        atomic_exchange(&self->running, true))
        return;
    join(self);
    self->started = pthread_create(&self->compactor, NULL, compact, self) == 0;
    if (!self->started)
        atomic_store(&self->running, false);
}

/* --- queries ---------------------------------------------------------------------- */

enum sh_err vector_query_make(const struct vector_index *self, const float *vector,
                              struct sh_arena *arena, const float **query)
{
    uint32_t dimension = vector_index_dimension(self);
    float *to = sh_arena_array(arena, dimension, sizeof(*to));
    *query = NULL;
    if (!to)
        return SH_NOMEM;
    if (unit(to, vector, dimension))
        *query = to;
    return SH_OK;
}

static const float *row_of(const void *arg, uint32_t slot)
{
    const struct vector_index *self = arg;
    return rows_get(self->rows, slot);
}

enum sh_err vector_index_search(const struct vector_index *self,
                                const struct vector_search *search,
                                struct sh_arena *arena, struct hnsw_result *result)
{
    const struct hnsw_rows rows = {row_of, self};
    const struct hnsw_query query = {
        .vector = search->query,
        .k = search->k,
        .ef = search->ef > 0 ? search->ef : self->options.ef_search,
        .allowed = search->allowed,
        .allowed_count = search->allowed_count,
        .rows = &rows,
        .deadline_ms = search->deadline_ms,
    };
    return hnsw_search(self->graph, &query, arena, result);
}

struct scoring {
    const struct vector_index *self;
    const float *query;
    struct sh_arena *arena;
    struct leg *leg;
    uint32_t *rowless; /* slots with a vector, but no sound row */
    size_t rowless_count;
};

static void score(struct scoring *scoring, uint32_t slot)
{
    const struct vector_index *self = scoring->self;
    if (!hnsw_has(self->graph, slot))
        return;
    const float *row = rows_get(self->rows, slot);
    if (!row) {
        scoring->rowless[scoring->rowless_count++] = slot;
        return;
    }
    float cosine = self->product(scoring->query, row, vector_index_dimension(self));
    scoring->leg->hits[scoring->leg->count++] = (struct leg_hit){slot, cosine};
}

static int by_slot(const void *a, const void *b)
{
    const struct leg_hit *left = a;
    const struct leg_hit *right = b;
    return (left->slot > right->slot) - (left->slot < right->slot);
}

/* Their quantised scores stand. */
static enum sh_err score_rowless(struct scoring *scoring)
{
    uint32_t count = (uint32_t)scoring->rowless_count;
    struct leg *leg = scoring->leg;
    struct hnsw_result result;
    if (count == 0)
        return SH_OK;
    struct bitmap these = {.bits = scoring->rowless[count - 1] + 1};
    these.words =
        sh_arena_array(scoring->arena, bitmap_words(these.bits), sizeof(*these.words));
    if (!these.words)
        return SH_NOMEM;
    for (uint32_t i = 0; i < count; i++)
        bitmap_add(&these, scoring->rowless[i]);
    const struct hnsw_query query = {.vector = scoring->query,
                                     .k = count,
                                     .allowed = &these,
                                     .allowed_count = count,
                                     .deadline_ms = SH_NO_DEADLINE};
    enum sh_err err = hnsw_scan(scoring->self->graph, &query, scoring->arena, &result);
    for (size_t i = 0; err == SH_OK && i < result.count; i++)
        leg->hits[leg->count++] = result.hits[i];
    qsort(leg->hits, leg->count, sizeof(*leg->hits), by_slot);
    return err;
}

static enum sh_err score_all(struct scoring *scoring, const uint32_t *slots, size_t count,
                             uint64_t deadline_ms)
{
    struct leg *leg = scoring->leg;
    *leg = (struct leg){0};
    if (count == 0)
        return SH_OK;
    leg->hits = sh_arena_array(scoring->arena, count, sizeof(*leg->hits));
    scoring->rowless = sh_arena_array(scoring->arena, count, sizeof(uint32_t));
    if (!leg->hits || !scoring->rowless)
        return SH_NOMEM;
    for (size_t i = 0; i < count; i++) {
        if (i % DEADLINE_EVERY == 0 && sh_now_ms() >= deadline_ms)
            return SH_TIMEOUT;
        if (i + AHEAD < count)
            rows_prefetch(scoring->self->rows, slots[i + AHEAD]);
        score(scoring, slots[i]);
    }
    return score_rowless(scoring);
}

enum sh_err vector_index_scan(const struct vector_index *self, const float *query,
                              const struct bitmap *allowed, uint64_t deadline_ms,
                              struct sh_arena *arena, struct leg *leg)
{
    size_t count = 0;
    uint32_t *slots =
        sh_arena_array(arena, bitmap_count(allowed) + (size_t)1, sizeof(*slots));
    if (!slots)
        return SH_NOMEM;
    for (uint32_t i = 0; i < bitmap_words(allowed->bits); i++) {
        for (uint64_t word = allowed->words[i]; word != 0; word &= word - 1)
            slots[count++] = i * 64 + (uint32_t)__builtin_ctzll(word);
    }
    struct scoring scoring = {.self = self, .query = query, .arena = arena, .leg = leg};
    return score_all(&scoring, slots, count, deadline_ms);
}

enum sh_err vector_index_cosines(const struct vector_index *self, const float *query,
                                 const uint32_t *slots, size_t count,
                                 struct sh_arena *arena, struct leg *leg)
{
    struct scoring scoring = {.self = self, .query = query, .arena = arena, .leg = leg};
    return score_all(&scoring, slots, count, SH_NO_DEADLINE);
}

bool vector_index_between(const struct vector_index *self, uint32_t a, uint32_t b,
                          float *cosine)
{
    if (!hnsw_has(self->graph, a) || !hnsw_has(self->graph, b))
        return false;
    const float *left = rows_get(self->rows, a);
    const float *right = rows_get(self->rows, b);
    if (!left || !right)
        return false;
    *cosine = self->product(left, right, vector_index_dimension(self));
    return true;
}
