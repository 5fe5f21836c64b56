/* The promises of vector_index.h, and every kernel against plain arithmetic. */
#include <math.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/search/vector/dot.h"
#include "services/search/vector/vector_index.h"
#include "shared/clock.h"

static float random_float(void)
{
    return (float)rand() / (float)RAND_MAX * 2 - 1;
}

static void check_kernel(const struct dot_kernel *kernel)
{
    static _Alignas(DOT_ALIGN) float a[1040];
    static _Alignas(DOT_ALIGN) float b[1040];
    for (size_t n = DOT_STEP; n <= SH_COUNT(a); n += DOT_STEP) {
        double expected = 0;
        for (size_t i = 0; i < n; i++) {
            a[i] = random_float();
            b[i] = random_float();
            expected += (double)a[i] * (double)b[i];
        }
        assert_true(fabs((double)kernel->dot(a, b, n) - expected) < 1e-4);
    }
}

static void kernels_agree(void **state)
{
    (void)state;
    int usable = 0;
    srand(1);
    for (const struct dot_kernel *kernel = dot_kernels(); kernel->name; kernel++) {
        if (!kernel->usable())
            continue;
        check_kernel(kernel);
        usable++;
    }
    assert_true(usable > 0);
}

struct fixture {
    struct vector_index *index;
    struct sh_arena arena;
    struct bitmap allowed;
    struct leg leg;
};

static void open_yielding(struct fixture *f, uint32_t dimension, uint32_t slots,
                          struct sh_yield *yield)
{
    *f = (struct fixture){.allowed = {NULL, slots}};
    struct vector_options options = vector_defaults();
    options.links = 4; /* quick under the sanitizers */
    options.ef_construction = 16;
    options.most = 100000;
    options.yield = yield;
    assert_int_equal(vector_index_create(dimension, &options, &f->index), SH_OK);
    f->allowed.words = sh_alloc_array(bitmap_words(slots) + 1, sizeof(uint64_t));
    assert_non_null(f->allowed.words);
    for (uint32_t slot = 0; slot < slots; slot++)
        bitmap_add(&f->allowed, slot);
}

static void open_fixture(struct fixture *f, uint32_t dimension, uint32_t slots)
{
    open_yielding(f, dimension, slots, NULL);
}

static void close_fixture(struct fixture *f)
{
    vector_index_free(&f->index);
    assert_null(f->index);
    sh_arena_free(&f->arena);
    sh_free(f->allowed.words);
}

static enum sh_err scan(struct fixture *f, const float *vector, uint64_t deadline_ms)
{
    const float *query = NULL;
    assert_int_equal(vector_query_make(f->index, vector, &f->arena, &query), SH_OK);
    assert_non_null(query);
    return vector_index_scan(f->index, query, &f->allowed, deadline_ms, &f->arena,
                             &f->leg);
}

/* Odd dimensions, several blocks, gaps, a filter: against plain arithmetic. */
static void scans_are_exact(void **state)
{
    (void)state;
    enum { DIMENSION = 37, SLOTS = 2500 };
    static float vectors[SLOTS][DIMENSION];
    struct fixture f;
    float query[DIMENSION];
    size_t expected = 0;
    size_t at = 0;
    open_fixture(&f, DIMENSION, SLOTS);
    srand(2);
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        for (int d = 0; d < DIMENSION; d++)
            vectors[slot][d] = random_float() * 9;
        if (slot % 3)
            assert_int_equal(vector_index_set(f.index, slot, vectors[slot]), SH_OK);
        if (slot % 5 == 0)
            bitmap_drop(&f.allowed, slot);
        expected += slot % 3 && slot % 5;
    }
    for (int d = 0; d < DIMENSION; d++)
        query[d] = random_float();
    assert_int_equal(scan(&f, query, SH_NO_DEADLINE), SH_OK);
    assert_int_equal(f.leg.count, expected);
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        double dot = 0;
        double a = 0;
        double b = 0;
        if (slot % 3 == 0 || slot % 5 == 0)
            continue;
        for (int d = 0; d < DIMENSION; d++) {
            dot += (double)query[d] * (double)vectors[slot][d];
            a += (double)query[d] * (double)query[d];
            b += (double)vectors[slot][d] * (double)vectors[slot][d];
        }
        assert_int_equal(f.leg.hits[at].slot, slot);
        assert_true(fabs((double)f.leg.hits[at].score - dot / sqrt(a * b)) < 1e-5);
        at++;
    }
    close_fixture(&f);
}

static void slots_are_set_replaced_and_removed(void **state)
{
    (void)state;
    struct fixture f;
    const float x[3] = {2, 0, 0};
    const float y[3] = {0, 3, 0};
    const float zero[3] = {0};
    const float wrong[3] = {1, (float)NAN, 0};
    float cosine = 0;
    open_fixture(&f, 3, 10);
    assert_int_equal(vector_index_set(f.index, 4, x), SH_OK);
    assert_int_equal(vector_index_set(f.index, 4, y), SH_OK);
    assert_int_equal(vector_index_count(f.index), 1);
    assert_int_equal(scan(&f, y, SH_NO_DEADLINE), SH_OK);
    assert_int_equal(f.leg.count, 1);
    assert_true(fabsf(f.leg.hits[0].score - 1) < 1e-6F);
    assert_int_equal(vector_index_set(f.index, 5, x), SH_OK);
    assert_true(vector_index_between(f.index, 4, 5, &cosine));
    assert_true(fabsf(cosine) < 1e-6F);
    assert_int_equal(vector_index_set(f.index, 4, zero), SH_OK);
    assert_false(vector_index_has(f.index, 4));
    assert_false(vector_index_between(f.index, 4, 5, &cosine));
    assert_int_equal(vector_index_set(f.index, 4, y), SH_OK);
    assert_int_equal(vector_index_set(f.index, 4, wrong), SH_INVALID);
    assert_false(vector_index_has(f.index, 4));
    assert_int_equal(vector_index_set(f.index, 100000, x), SH_TOOBIG);
    assert_false(vector_index_has(f.index, 100000));
    assert_int_equal(vector_index_count(f.index), 1);
    vector_index_remove(f.index, 5);
    vector_index_remove(f.index, 5);
    assert_int_equal(vector_index_count(f.index), 0);
    assert_false(vector_is_finite(wrong, 3));
    assert_true(vector_is_finite(x, 3));
    close_fixture(&f);
}

static void bad_dimensions_are_refused(void **state)
{
    (void)state;
    const struct vector_options options = vector_defaults();
    struct vector_index *index = NULL;
    assert_int_equal(vector_index_create(0, &options, &index), SH_INVALID);
    assert_int_equal(vector_index_create(65537, &options, &index), SH_INVALID);
    assert_null(index);
}

static void a_past_deadline_ends_the_scan(void **state)
{
    (void)state;
    struct fixture f;
    const float x[3] = {2, 0, 0};
    open_fixture(&f, 3, 10);
    assert_int_equal(vector_index_set(f.index, 4, x), SH_OK);
    assert_int_equal(scan(&f, x, sh_now_ms() - 1), SH_TIMEOUT);
    close_fixture(&f);
}

static void a_failed_set_leaves_the_slot_empty(void **state)
{
    (void)state;
    struct fixture f;
    const float x[3] = {2, 0, 0};
    int failures = 0;
    open_fixture(&f, 3, 1024);
    assert_int_equal(vector_index_set(f.index, 4, x), SH_OK);
    for (enum sh_err err = SH_NOMEM; err != SH_OK; failures++) {
        sh_mem_fail_after(failures);
        err = vector_index_set(f.index, 5, x);
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || err == SH_NOMEM);
        assert_int_equal(vector_index_has(f.index, 5), err == SH_OK);
        assert_int_equal(vector_index_count(f.index), 1 + (err == SH_OK));
    }
    assert_true(failures > 1);
    close_fixture(&f);
}

/* The best of a search are those of the scan, and given slots have the same cosines. */
static void a_search_finds_what_the_scan_finds(void **state)
{
    (void)state;
    enum { DIMENSION = 24, SLOTS = 3000, BEST = 20 };
    struct fixture f;
    float vector[DIMENSION];
    const float *query = NULL;
    uint32_t slots[BEST];
    struct hnsw_result result;
    struct leg given;
    open_fixture(&f, DIMENSION, SLOTS);
    srand(3);
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        for (int d = 0; d < DIMENSION; d++)
            vector[d] = random_float();
        assert_int_equal(vector_index_set(f.index, slot, vector), SH_OK);
        if (slot % 4)
            bitmap_drop(&f.allowed, slot);
    }
    assert_int_equal(scan(&f, vector, SH_NO_DEADLINE), SH_OK);
    assert_int_equal(vector_query_make(f.index, vector, &f.arena, &query), SH_OK);
    const struct vector_search search = {.query = query,
                                         .k = BEST,
                                         .allowed = &f.allowed,
                                         .allowed_count = SLOTS / 4,
                                         .deadline_ms = SH_NO_DEADLINE};
    assert_int_equal(vector_index_search(f.index, &search, &f.arena, &result), SH_OK);
    assert_int_equal(result.count, BEST);
    assert_int_equal(result.strategy, HNSW_EXACT);
    assert_true(result.complete);
    for (uint32_t i = 0; i < BEST; i++) {
        size_t better = 0;
        for (size_t j = 0; j < f.leg.count; j++)
            better += f.leg.hits[j].score > result.hits[i].score;
        assert_int_equal(better, i);
        slots[i] = i * 4 + 1; /* not allowed, but asked for */
    }
    assert_int_equal(vector_index_cosines(f.index, query, slots, BEST, &f.arena, &given),
                     SH_OK);
    assert_int_equal(given.count, BEST);
    for (uint32_t i = 0; i < BEST; i++) {
        bitmap_add(&f.allowed, slots[i]);
        assert_int_equal(given.hits[i].slot, slots[i]);
    }
    assert_int_equal(scan(&f, vector, SH_NO_DEADLINE), SH_OK);
    for (size_t i = 0, j = 0; i < f.leg.count && j < BEST; i++) {
        if (f.leg.hits[i].slot == slots[j])
            assert_true(f.leg.hits[i].score == given.hits[j++].score);
    }
    close_fixture(&f);
}

/* On any number of threads, the same as one by one; and though somebody always waits. */
static void a_bulk_is_what_it_would_have_been(void **state)
{
    (void)state;
    enum { SLOTS = 1500 };
    struct sh_yield *yield = NULL;
    assert_int_equal(sh_yield_create(1000, &yield), SH_OK);
    sh_yield_enter(yield);
    for (unsigned threads = 1; threads <= 4; threads++) {
        struct fixture f;
        const float x[3] = {2, 0, 0};
        open_yielding(&f, 3, SLOTS, yield);
        srand(5);
        vector_bulk_begin(f.index);
        for (uint32_t slot = 0; slot < SLOTS; slot++) {
            const float vector[3] = {random_float(), random_float(), 1};
            assert_int_equal(vector_index_set(f.index, slot, vector), SH_OK);
            if (slot % 3 == 0) /* again */
                assert_int_equal(vector_index_set(f.index, slot, x), SH_OK);
            if (slot % 10 == 1)
                vector_index_remove(f.index, slot);
        }
        assert_int_equal(vector_index_count(f.index), 0);
        assert_int_equal(vector_bulk_end(f.index, threads), SH_OK);
        assert_int_equal(vector_index_count(f.index), SLOTS - SLOTS / 10);
        assert_int_equal(scan(&f, x, SH_NO_DEADLINE), SH_OK);
        assert_int_equal(f.leg.count, SLOTS - SLOTS / 10);
        for (size_t i = 0; i < f.leg.count; i++) {
            uint32_t slot = f.leg.hits[i].slot;
            assert_int_not_equal(slot % 10, 1);
            assert_int_equal(f.leg.hits[i].score > 0.999F, slot % 3 == 0);
        }
        close_fixture(&f);
    }
    sh_yield_free(&yield);
}

/* In the background, and nothing that is there is lost. */
static void the_removed_are_cleared_away(void **state)
{
    (void)state;
    struct fixture f;
    const float x[3] = {2, 0, 0};
    open_fixture(&f, 3, 4000);
    srand(4);
    for (uint32_t slot = 0; slot < 4000; slot++) {
        const float vector[3] = {random_float(), random_float(), 1};
        assert_int_equal(vector_index_set(f.index, slot, vector), SH_OK);
        vector_index_tend(f.index);
    }
    size_t before = vector_index_bytes(f.index);
    for (uint32_t slot = 0; slot < 2000; slot++) {
        vector_index_remove(f.index, slot);
        vector_index_tend(f.index);
    }
    uint64_t deadline_ms = sh_now_ms() + 60000;
    while (vector_index_bytes(f.index) == before && sh_now_ms() < deadline_ms)
        sched_yield();
    assert_true(vector_index_bytes(f.index) < before);
    assert_int_equal(vector_index_count(f.index), 2000);
    assert_int_equal(scan(&f, x, SH_NO_DEADLINE), SH_OK);
    assert_int_equal(f.leg.count, 2000);
    close_fixture(&f);
}

enum { BULK_SLOTS = 2000 };

/* All vectors in bulk for others; what the index takes up with the removed ones. */
static size_t exchanged_in_bulk(struct fixture *f, bool tended)
{
    vector_bulk_begin(f->index);
    for (uint32_t slot = 0; slot < BULK_SLOTS; slot++) {
        const float vector[3] = {random_float(), random_float(), 1};
        vector_index_remove(f->index, slot);
        assert_int_equal(vector_index_set(f->index, slot, vector), SH_OK);
        if (tended)
            vector_index_tend(f->index);
    }
    assert_int_equal(vector_bulk_end(f->index, 1), SH_OK);
    assert_int_equal(vector_index_count(f->index), BULK_SLOTS);
    return vector_index_bytes(f->index);
}

/* Once, when all is in. */
static void a_bulk_puts_clearing_away_off(void **state)
{
    (void)state;
    size_t untended = 0;
    for (int tended = 0; tended < 2; tended++) {
        struct fixture f;
        open_fixture(&f, 3, BULK_SLOTS);
        srand(6);
        for (uint32_t slot = 0; slot < BULK_SLOTS; slot++) {
            const float vector[3] = {random_float(), random_float(), 1};
            assert_int_equal(vector_index_set(f.index, slot, vector), SH_OK);
        }
        size_t before = vector_index_bytes(f.index);
        size_t after = exchanged_in_bulk(&f, tended);
        assert_true(after > before);
        assert_true(!tended || after == untended);
        untended = after;
        vector_index_tend(f.index);
        uint64_t deadline_ms = sh_now_ms() + 60000;
        while (vector_index_bytes(f.index) != before && sh_now_ms() < deadline_ms)
            sched_yield();
        assert_int_equal(vector_index_bytes(f.index), before);
        close_fixture(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_agree),
        cmocka_unit_test(scans_are_exact),
        cmocka_unit_test(slots_are_set_replaced_and_removed),
        cmocka_unit_test(bad_dimensions_are_refused),
        cmocka_unit_test(a_past_deadline_ends_the_scan),
        cmocka_unit_test(a_failed_set_leaves_the_slot_empty),
        cmocka_unit_test(a_search_finds_what_the_scan_finds),
        cmocka_unit_test(a_bulk_is_what_it_would_have_been),
        cmocka_unit_test(the_removed_are_cleared_away),
        cmocka_unit_test(a_bulk_puts_clearing_away_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
