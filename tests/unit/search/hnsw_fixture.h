/* A graph over random vectors, and the exact answers to compare with. */
#ifndef TEST_HNSW_FIXTURE_H
#define TEST_HNSW_FIXTURE_H

#include <math.h>
#include <stdlib.h>

#include "services/search/vector/hnsw_search.h"
#include "shared/clock.h"

static inline float random_float(void)
{
    return (float)rand() / (float)RAND_MAX * 2 - 1;
}

static inline void random_unit(float *vector, uint32_t dimension)
{
    float square = 0;
    for (uint32_t i = 0; i < dimension; i++) {
        vector[i] = random_float();
        square += vector[i] * vector[i];
    }
    for (uint32_t i = 0; i < dimension; i++)
        vector[i] /= sqrtf(square);
}

struct fixture {
    struct hnsw *index;
    uint32_t dimension;
    uint32_t slots;
    float *vectors; /* as many as slots */
    bool *present;
    struct bitmap allowed; /* no words: no filter */
    uint32_t allowed_count;
    struct sh_arena arena;
    uint64_t deadline_ms;
    const struct plan *plan; /* NULL: the planner's */
};

static inline void open_fixture(struct fixture *f, uint32_t dimension, uint32_t slots,
                                enum code_kind kind)
{
    struct hnsw_options options = hnsw_defaults(dimension);
    options.ef_construction = 64;
    options.most = 4 * slots;
    options.kind = kind;
    *f = (struct fixture){
        .dimension = dimension, .slots = slots, .deadline_ms = SH_NO_DEADLINE};
    assert_int_equal(hnsw_create(&options, &f->index), SH_OK);
    f->vectors = sh_alloc_array((size_t)slots * dimension, sizeof(float));
    f->present = sh_alloc_array(slots, sizeof(bool));
    assert_true(f->vectors && f->present);
    srand(7);
    for (uint32_t slot = 0; slot < slots; slot++)
        random_unit(f->vectors + (size_t)slot * dimension, dimension);
}

static inline void close_fixture(struct fixture *f)
{
    hnsw_free(&f->index);
    sh_free(f->vectors);
    sh_free(f->present);
    sh_free(f->allowed.words);
    sh_arena_free(&f->arena);
}

/* Slots [from, to). */
static inline void fill(struct fixture *f, uint32_t from, uint32_t to)
{
    for (uint32_t slot = from; slot < to; slot++) {
        const float *vector = f->vectors + (size_t)slot * f->dimension;
        assert_int_equal(hnsw_set(f->index, slot, vector), SH_OK);
        f->present[slot] = true;
    }
}

static inline void allow_every(struct fixture *f, uint32_t step)
{
    sh_free(f->allowed.words);
    f->allowed.bits = f->slots;
    f->allowed.words = sh_alloc_array(bitmap_words(f->slots), sizeof(uint64_t));
    assert_non_null(f->allowed.words);
    for (uint32_t slot = 0; slot < f->slots; slot += step)
        bitmap_add(&f->allowed, slot);
    f->allowed_count = bitmap_count(&f->allowed);
}

static inline const float *fixture_row(const void *arg, uint32_t slot)
{
    const struct fixture *f = arg;
    return f->vectors + (size_t)slot * f->dimension;
}

static inline const float *random_query(const struct fixture *f)
{
    static float vector[1024];
    random_unit(vector, f->dimension);
    return vector;
}

static inline struct hnsw_result find(struct fixture *f, const float *vector, uint32_t k,
                                      uint32_t ef)
{
    const struct hnsw_rows rows = {fixture_row, f};
    const struct hnsw_query query = {.vector = vector,
                                     .k = k,
                                     .ef = ef,
                                     .allowed = f->allowed.words ? &f->allowed : NULL,
                                     .allowed_count = f->allowed_count,
                                     .rows = &rows,
                                     .deadline_ms = f->deadline_ms};
    struct hnsw_result result = {0};
    sh_arena_free(&f->arena);
    struct plan plan = f->plan ? *f->plan : plan_make(f->index, &query);
    assert_int_equal(search_by(f->index, &query, &plan, &f->arena, &result), SH_OK);
    return result;
}

static inline double product_with(const struct fixture *f, const float *query,
                                  uint32_t slot)
{
    const float *row = fixture_row(f, slot);
    double product = 0;
    for (uint32_t i = 0; i < f->dimension; i++)
        product += (double)query[i] * (double)row[i];
    return product;
}

static inline bool may_be_found(const struct fixture *f, uint32_t slot)
{
    return f->present[slot] && (!f->allowed.words || bitmap_has(&f->allowed, slot));
}

/* How many slots that may be found come before this score. */
static inline uint32_t place_of(const struct fixture *f, const float *query, double score)
{
    uint32_t better = 0;
    for (uint32_t slot = 0; slot < f->slots; slot++)
        better += may_be_found(f, slot) && product_with(f, query, slot) > score + 1e-6;
    return better;
}

/* Of 40 random queries; every hit must be a right one, in order, well scored. */
static inline double recall(struct fixture *f, uint32_t k, uint32_t ef,
                            enum hnsw_strategy strategy)
{
    enum { QUERIES = 40 };
    uint32_t found = 0;
    for (int q = 0; q < QUERIES; q++) {
        const float *query = random_query(f);
        struct hnsw_result result = find(f, query, k, ef);
        assert_true(result.complete);
        assert_int_equal(result.count, k);
        assert_int_equal(result.strategy, strategy);
        for (uint32_t i = 0; i < k; i++) {
            struct leg_hit hit = result.hits[i];
            double score = product_with(f, query, hit.slot);
            assert_true(may_be_found(f, hit.slot));
            assert_true(fabs(score - (double)hit.score) < 1e-5);
            assert_true(i == 0 || hit.score <= result.hits[i - 1].score);
            found += place_of(f, query, score) < k;
        }
    }
    return (double)found / (QUERIES * k);
}

#endif
